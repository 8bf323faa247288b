"""Findings of quality (疑点): what a check found, what stands of earlier ones, and what becomes of each."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

OPEN, MENDED, ACCEPTED, LAPSED = "open", "mended", "accepted", "lapsed"
STATES = (OPEN, MENDED, ACCEPTED, LAPSED)


class Subject(NamedTuple):
    """What a finding is about: a check, and a household or a member in it."""

    code: str
    household_id: int
    resident_id: int | None


@dataclass(frozen=True, slots=True)
class Fired:
    """A check that fires now; `digest` is of the values it read."""

    subject: Subject
    digest: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding that is open, or was accepted as right for the values of its digest."""

    finding_id: UUID
    subject: Subject
    state: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be written: new findings, and what becomes of those that stood."""

    opened: list[Fired] = field(default_factory=list)
    mended: list[UUID] = field(default_factory=list)
    lapsed: list[UUID] = field(default_factory=list)
    changed: list[tuple[UUID, bytes]] = field(default_factory=list)


def settle(fired: Iterable[Fired], standing: Sequence[Standing], undecided: Container[Subject] = ()) -> Settlement:
    """Compare what fires with what stands; of what nobody could decide, everything stays as it is.

    An open finding closes by itself when its check passes. One accepted as right stays so until its values change.
    """
    settlement, known = Settlement(), {each.subject: each for each in standing}
    for one in fired:
        before = known.pop(one.subject, None)
        if before is None or (before.state == ACCEPTED and before.digest != one.digest):
            settlement.opened.append(one)
        if before is not None and before.digest != one.digest:
            if before.state == ACCEPTED:
                settlement.lapsed.append(before.finding_id)
            else:
                settlement.changed.append((before.finding_id, one.digest))
    for gone in known.values():
        if gone.subject not in undecided:
            (settlement.mended if gone.state == OPEN else settlement.lapsed).append(gone.finding_id)
    return settlement


def due_on(opened_on: date, days: int) -> date:
    """The last day to mend it (整改期限)."""
    return opened_on + timedelta(days=days)
