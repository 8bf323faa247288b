"""Append to the ledger what sources said: the one way by which facts come to be, whoever brought them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from services.monitoring import repository_facts as ledger
from services.monitoring import repository_households as households
from services.monitoring import repository_waiting as waiting
from services.monitoring.domain.ledger import Entry, Key, Place, Register, Stored, changes, tell
from services.monitoring.repository_places import whereabouts
from shared.vocabulary.division import county_of


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a set of entries; `changed` counts facts that are new, other or ended now."""

    entries: tuple[Entry, ...]
    changed: int
    households: frozenset[int]

    @property
    def matched(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.place is not None]

    @property
    def unmatched(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.place is None]


async def append_facts(
    connection: asyncpg.Connection, entries: Sequence[Entry], *, now: datetime, priority: int
) -> Appended:
    """Tell the ledger `entries` and mark the households whose facts changed as due for assessment.

    An entry that says nothing new writes nothing. One that fits nobody waits until somebody fits. The caller holds
    the lock on rosters, so that nobody moves meanwhile.
    """
    placed = await _place(connection, entries)
    stored = await _lock(connection, placed)
    waited = await waiting.of_keys(connection, {entry.key for entry in placed})
    before = {key: fact.register() for key, fact in stored.items()}
    after = tell({**before, **tell(before, waited)}, placed)
    await waiting.replace(connection, waited, [e for register in after.values() for e in register.waiting()])
    return Appended(tuple(placed), *await _write(connection, stored, after, now, priority))


async def move_facts(
    connection: asyncpg.Connection, residents: Sequence[int], data_set: str, *, now: datetime, priority: int
) -> frozenset[int]:
    """Let the facts of `residents`, whose membership changed, follow them; returns the households touched."""
    moves = await ledger.misplaced(connection, residents, data_set)
    stored = {fact.entry.key: fact for fact, _ in moves}
    after = {fact.entry.key: _moved(fact, place) for fact, place in moves}
    return (await _write(connection, stored, after, now, priority))[1]


async def _place(connection: asyncpg.Connection, entries: Sequence[Entry]) -> list[Entry]:
    lost = [entry for entry in entries if entry.place is None]
    persons, household_nos = ({name for e in lost if (name := getattr(e, by))} for by in ("person", "household_no"))
    found = await whereabouts(connection, persons, household_nos)
    return [
        entry
        if entry.place is not None
        else replace(entry, place=found.of(entry.person, entry.household_no, entry.key.kind))
        for entry in entries
    ]


async def _lock(connection: asyncpg.Connection, entries: Sequence[Entry]) -> dict[Key, Stored]:
    """The facts that stand of the entries' records, read after their households and the entries' were locked."""
    keys = {entry.key for entry in entries}
    counties = {county_of(division) for division in {e.division for e in entries}}
    counties |= {e.place.county for e in entries if e.place is not None}
    locked = _households(entries)
    await households.lock(connection, sorted(locked))
    while True:
        stored = await ledger.facts_that_stand(connection, keys, counties)
        more = _households(fact.entry for fact in stored.values()) - locked
        if not more:
            return stored
        await households.lock(connection, sorted(more))
        locked |= more


async def _write(
    connection: asyncpg.Connection,
    stored: dict[Key, Stored],
    after: dict[Key, Register],
    now: datetime,
    priority: int,
) -> tuple[int, frozenset[int]]:
    """Write the difference; returns how many records changed, and the households they belong to."""
    difference = changes(stored, after)
    touched = difference.households
    if difference.confirmed:
        await ledger.confirm(connection, difference.confirmed)
    if not touched:
        return 0, frozenset()
    # Stamped after the locks: a time read before them could lie before what an earlier holder wrote.
    at = await households.database_time(connection)
    versions = await households.mark_changed(connection, sorted(touched), now=now, priority=priority)
    await ledger.supersede(connection, difference.superseded, at)
    await ledger.add_facts(connection, difference.added, versions=versions, at=at)
    records = {fact.entry.key for fact in difference.superseded} | {
        register.put.key for register in difference.added if register.put is not None
    }
    return len(records), frozenset(touched)


def _moved(fact: Stored, place: Place) -> Register:
    register = fact.register()
    assert register.put is not None
    return replace(register, put=replace(register.put, place=place))


def _households(entries: Iterable[Entry]) -> set[int]:
    return {entry.place.household_id for entry in entries if entry.place is not None}


async def take_over_facts(
    connection: asyncpg.Connection, household_id: int, county: str, place: Place, *, now: datetime, priority: int
) -> frozenset[int]:
    """Let what was observed of a household as a whole be another's, which took it over; its states stay behind."""
    facts = await ledger.facts_of_household(connection, household_id, county)
    stored = {fact.entry.key: fact for fact in facts}
    after = {fact.entry.key: _moved(fact, place) for fact in facts}
    return (await _write(connection, stored, after, now, priority))[1]


async def reassign_facts(
    connection: asyncpg.Connection,
    moves: Sequence[tuple[Stored, Place | None, str | None]],
    *,
    now: datetime,
    priority: int,
) -> frozenset[int]:
    """Let facts be another person's; those whose place is None wait for the person named (hex of a blind index)."""
    await households.lock(
        connection, sorted(_households([f.entry for f, *_ in moves]) | _places(p for _, p, _ in moves))
    )
    stored = {fact.entry.key: fact for fact, *_ in moves}
    after = {fact.entry.key: _renamed(fact, place, person) for fact, place, person in moves}
    await waiting.replace(connection, (), [e for register in after.values() for e in register.waiting()])
    return (await _write(connection, stored, after, now, priority))[1]


def _renamed(fact: Stored, place: Place | None, person: str | None) -> Register:
    register = fact.register()
    assert register.put is not None
    put = replace(register.put, place=place, person=person)
    return replace(register, put=put, end=register.end and replace(register.end, place=place, person=person))


def _places(places: Iterable[Place | None]) -> set[int]:
    return {place.household_id for place in places if place is not None}
