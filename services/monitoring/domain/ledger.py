"""The ledger of facts: what sources said of their records, and which of it stands.

A record is named by data set, natural key and kind. Of all that was said of a record the newest "put" holds its
content, and the newest "end", unless older than that put, its end. A "withdraw" not older than the newest put takes
it back, a "reverse" (冲销) whenever it came. All are maxima, so any order of arrival will do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, NamedTuple


class Key(NamedTuple):
    """The name of a record."""

    data_set: str
    record_key: str
    kind: str


class Said(NamedTuple):
    """When a source said something, and in which feed or report; later wins."""

    received_at: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class Place:
    """The household (and resident) a fact belongs to."""

    household_id: int
    county: str
    resident_id: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What is true, apart from whom it is true of; money in fen."""

    occurred_on: date
    ended_on: date | None = None
    period_from: date | None = None
    period_to: date | None = None
    amount_fen: int | None = None
    gross_fen: int | None = None
    compliant_fen: int | None = None
    other_fen: int | None = None
    relief_fen: int | None = None
    visit: str | None = None
    stay: str | None = None
    value: str | None = None
    verified: bool | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement about one record; `place` is None while nobody knows whom it concerns.

    `person` is the hex blind index of an identity number; `division` is where the statement was made.
    """

    key: Key
    said: Said
    content: Content
    source: str
    division: str
    op: Literal["put", "end", "withdraw", "reverse"] = "put"
    department: str | None = None
    person: str | None = None
    household_no: str | None = None
    place: Place | None = None
    person_name: str | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """All that matters of what was said of one record: its newest content, its newest end, and what took it back."""

    put: Entry | None = None
    end: Entry | None = None
    back: Entry | None = None

    def told(self, entry: Entry) -> "Register":
        """The register after `entry`; what is older than what it holds changes nothing."""
        if entry.op in ("withdraw", "reverse"):
            newer = self.back is None or _finality(entry) > _finality(self.back)
            return replace(self, back=entry) if newer else self
        if entry.op == "end":
            return replace(self, end=entry) if self.end is None or entry.said > self.end.said else self
        return replace(self, put=entry) if self.put is None or _replaces(entry, self.put) else self

    @property
    def has_ended(self) -> bool:
        """Whether the newest end is as new as the newest content, or newer."""
        if self.put is None or self.end is None:
            return False
        return self.end.said.received_at >= self.put.said.received_at

    @property
    def is_back(self) -> bool:
        """Whether what was said was taken back: for good, or since the newest content."""
        if self.put is None or self.back is None:
            return False
        return self.back.op == "reverse" or self.back.said >= self.put.said

    def truth(self) -> Entry | None:
        """The fact that stands: the newest content with its end, once it is known whom it concerns."""
        if self.put is None or self.put.place is None or self.is_back:
            return None
        if self.end is None or not self.has_ended:
            return self.put
        ended_on = self.end.content.ended_on or self.end.content.occurred_on
        return replace(self.put, content=replace(self.put.content, ended_on=ended_on))

    def waiting(self) -> list[Entry]:
        """What must wait: content of somebody unknown, an end whose record is not known yet, and what takes back.

        That must be remembered: what it took back may still come.
        """
        if self.back is not None and (self.put is None or self.is_back):
            return [self.back, *([self.end] if self.end is not None else [])]
        entries = []
        if self.put is not None and self.put.place is None:
            entries.append(self.put)
        if self.end is not None and (self.put is None or (self.put.place is None and self.has_ended)):
            entries.append(self.end)
        return entries


def _finality(entry: Entry) -> tuple[bool, Said]:
    """A reversal outlasts any withdrawal."""
    return entry.op == "reverse", entry.said


def _replaces(new: Entry, old: Entry) -> bool:
    """Later wins; said at the same moment, knowing whom it concerns wins over not knowing."""
    if new.said == old.said:
        return old.place is None and new.place is not None
    return new.said > old.said


@dataclass(frozen=True, slots=True)
class Stored:
    """A fact that stands in the ledger, with the moment its source ended it."""

    fact_id: int
    entry: Entry
    ended_received_at: datetime | None = None

    def told_at(self, division: str) -> "Stored":
        """The fact, said to have been told at a place."""
        return replace(self, entry=replace(self.entry, division=division))

    def register(self) -> Register:
        """What was said of its record, as far as the ledger kept it."""
        if self.ended_received_at is None:
            return Register(put=self.entry)
        end = replace(self.entry, op="end", said=Said(self.ended_received_at, ""))
        return Register(replace(self.entry, content=replace(self.entry.content, ended_on=None)), end)


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be written: facts that no longer stand, facts that stand from now on, and repeats.

    `superseded` and `confirmed` name facts; a confirmed fact was said again without a change.
    """

    superseded: tuple[Stored, ...]
    added: tuple[Register, ...]
    confirmed: tuple[tuple[Stored, Said], ...]

    @property
    def households(self) -> set[int]:
        """The households whose facts change."""
        entries = [s.entry for s in self.superseded] + [e for r in self.added if (e := r.truth())]
        return {e.place.household_id for e in entries if e.place is not None}


def tell(before: Mapping[Key, Register], entries: Iterable[Entry]) -> dict[Key, Register]:
    """The registers after all `entries` were said; keys nobody spoke of are left out."""
    after: dict[Key, Register] = {}
    for entry in entries:
        after[entry.key] = after.get(entry.key, before.get(entry.key, Register())).told(entry)
    return after


def changes(stored: Mapping[Key, Stored], after: Mapping[Key, Register]) -> Changes:
    """Compare the facts that stood with the registers as they are now."""
    superseded, added, confirmed = [], [], []
    for key, register in after.items():
        old, new = stored.get(key), register.truth()
        if old is not None and new is not None and _same(old.entry, new):
            if new.said > old.entry.said:
                confirmed.append((old, new.said))
            continue
        if old is not None:
            superseded.append(old)
        if new is not None:
            added.append(register)
    return Changes(tuple(superseded), tuple(added), tuple(confirmed))


def _same(old: Entry, new: Entry) -> bool:
    """Equal apart from when it was said and by which words the person was named."""
    before, after = ((e.content, e.place, e.source, e.department) for e in (old, new))
    return before == after
