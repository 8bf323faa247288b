"""Append to the ledger what a feed says: what is said for the first time in sets, the rest by the ledger's own path.

Said for the first time is a "put" of a record of which nothing stands, nothing waits, and which the message names
once. Its register would hold that put alone, so that it is the fact as it is; corrections, ends and repeats are for
the registers to decide. Both leave the same: the ledger's path is the definition, this is its short cut.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import asyncpg

from services.monitoring import repository_facts as ledger
from services.monitoring import repository_households as households
from services.monitoring import repository_waiting as waiting
from services.monitoring.append_facts import append_facts
from services.monitoring.domain.ledger import Place
from services.monitoring.read_observations import entry_of, record_keys, said_of
from services.monitoring.repository_places import whereabouts
from shared.contracts.intake import Observation, ObservationsRecorded
from shared.contracts.progress import FeedCounts
from shared.vocabulary.division import county_of


class Told(NamedTuple):
    """An observation, the name of its record, and the place it concerns."""

    one: Observation
    record_key: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Located:
    """The observations of a message with their places, and what the register calls the people they name."""

    every: Sequence[Told]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sorted:
    """The observations of a message: new ones that concern somebody, new ones that must wait, and all others."""

    matched: list[Told]
    unmatched: list[Told]
    others: list[Told]


async def append_observations(
    connection: asyncpg.Connection, told: ObservationsRecorded, sorted_: Sorted, *, now: datetime, priority: int
) -> FeedCounts:
    """Append what a feed's message says and mark the households whose facts changed as due for assessment.

    The caller holds the lock on rosters and on the data set, so that nobody moves, and no record changes, meanwhile;
    households are locked by being marked, in the order of their numbers.
    """
    await _append_new(connection, told, sorted_.matched, now, priority)
    said = said_of(told)
    await waiting.add(connection, [entry_of(told, one, key, said) for one, key, _ in sorted_.unmatched])
    counts = FeedCounts(matched=len(sorted_.matched), unmatched=len(sorted_.unmatched), changed=len(sorted_.matched))
    if not sorted_.others:
        return counts
    entries = [entry_of(told, one, key, said, place) for one, key, place in sorted_.others]
    appended = await append_facts(connection, entries, now=now, priority=priority)
    return FeedCounts(
        matched=counts.matched + len(appended.matched),
        unmatched=counts.unmatched + len(appended.unmatched),
        changed=counts.changed + appended.changed,
    )


async def locate(connection: asyncpg.Connection, told: ObservationsRecorded) -> Located:
    """Find where the people and households are that a message names; the caller holds the lock on rosters."""
    persons = {one.person for one in told.observations if one.person is not None}
    household_nos = {one.household_no for one in told.observations if one.household_no is not None}
    found = await whereabouts(connection, persons, household_nos)
    every = [
        Told(one, key, found.of(one.person, one.household_no, one.kind))
        for one, key in zip(told.observations, record_keys(told), strict=True)
    ]
    return Located(every, found.names)


async def sort_observations(
    connection: asyncpg.Connection, told: ObservationsRecorded, every: Sequence[Told]
) -> Sorted:
    """Which of the observations are said for the first time; the caller holds the lock on the data set."""
    counties = {county_of(told.division), *(one.place.county for one in every if one.place is not None)}
    counties |= {county_of(one.one.division) for one in every if one.one.division is not None}
    known = await ledger.records_known(connection, told.data_set, [one.record_key for one in every], counties)
    named = Counter((one.record_key, one.one.kind) for one in every)
    found = Sorted([], [], [])
    for each in every:
        one, key, place = each
        if one.op != "put" or key in known or named[key, one.kind] > 1:
            found.others.append(each)
        else:
            (found.unmatched if place is None else found.matched).append(each)
    return found


async def _append_new(
    connection: asyncpg.Connection,
    told: ObservationsRecorded,
    new: Sequence[Told],
    now: datetime,
    priority: int,
) -> None:
    if not new:
        return
    places = [one.place for one in new if one.place is not None]
    # Stamped after the locks: a time read before them could lie before what an earlier holder wrote.
    at = await households.database_time(connection)
    touched = sorted({place.household_id for place in places})
    versions = await households.mark_changed(connection, touched, now=now, priority=priority)
    same = {
        "source": str(told.source),
        "department": told.department,
        "data_set": told.data_set,
        "origin": said_of(told).origin,
        "received_at": told.received_at,
        "ended_received_at": None,
        "recorded_at": at,
    }
    each = {
        **ledger.content_columns([one.one for one in new]),
        "kind": [one.one.kind for one in new],
        "record_key": [one.record_key for one in new],
        "county": [place.county for place in places],
        "household_id": [place.household_id for place in places],
        "resident_id": [place.resident_id for place in places],
        "facts_version": [versions[place.household_id] for place in places],
    }
    await ledger.add_columns(connection, each, same)
