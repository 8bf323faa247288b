"""A department's own code of a person, household or division (本部门编码), and what it stands for.

Codes are kept as keyed digests: a department may well have taken the identity number itself for one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.intake.domain.feed_layout import Column, Owner
from services.intake.domain.normalise import DisabilityCertificate

UNKNOWN = "own_code_unknown"
FOUND = "own_code_found"
TWO_OWNERS = "own_code_two_owners"
OWNERS: Mapping[Owner, str] = {Owner.PERSON: "人", Owner.HOUSEHOLD: "户", Owner.DIVISION: "区划"}

Code = tuple[Owner, bytes]
"""Of what it is a code, and its keyed digest."""


@dataclass(frozen=True, slots=True)
class NamedCode:
    """What a row says of a code: whose it is, on which day. A person is known by the hex of his blind index."""

    code: Code
    owner: str
    on: date


@dataclass(frozen=True, slots=True)
class CodeAlone:
    """A code that a row carries instead of what it stands for: the places of both among its cells, and the text."""

    code: Code
    column: Column
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What stands in a cell in place of nothing: the owner of the row's own code, or that it has none (None)."""

    asked: CodeAlone
    owner: str | None


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody who was named by his department's code alone; `index` is the blind index of his number, hex."""

    index: str


def code_text(value: Any) -> str | None:
    """A normal value as a code is written."""
    if isinstance(value, DisabilityCertificate):
        return f"{value.identity_number}{value.type}{value.grade}"
    return None if value is None else str(value)


def code_of(owner: Owner, text: str, index: Callable[[str], bytes]) -> Code:
    """The code under its keyed digest, which is never a number's: no number holds a zero byte."""
    return owner, index(f"own_code\x00{owner}\x00{text}")
