"""A re-check (抽查复核): a share of the answers is looked at again by the township, and nobody foresees which."""

import hmac
from enum import StrEnum
from uuid import UUID

from shared.vocabulary.terms import Outcome


class RecheckState(StrEnum):
    """Where a re-check stands."""

    DUE = "due"
    AGREES = "agrees"
    DIFFERS = "differs"


def is_drawn(secret: bytes, verification_id: UUID, outcome: Outcome, percent: float) -> bool:
    """Whether an answer is re-checked: the same answer always or never, by a secret that no answerer knows.

    An identification is none of them: the county looks at each of those anyway.
    """
    if outcome is Outcome.IDENTIFY:
        return False
    ticket = int.from_bytes(hmac.digest(secret, verification_id.bytes, "sha256")[:8])
    return ticket < percent / 100 * 2**64


def state_of(answered: Outcome, found: Outcome) -> RecheckState:
    """What a re-check comes to."""
    return RecheckState.AGREES if answered is found else RecheckState.DIFFERS
