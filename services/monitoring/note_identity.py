"""Note who was meant by what came in: by which number a record named its person, and under which name.

A record whose number is known and whose name is another's is accepted, since the number is what identifies and
holding it back would hide a hardship; the difference is put before a person.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from services.monitoring import repository_identity as repository
from services.monitoring.domain.ledger import Entry, Key, Said
from services.monitoring.domain.person_name import may_be_same_name, normal_name
from shared.contracts.intake import Observation, ObservationsRecorded
from shared.vocabulary.division import county_of


class Naming(NamedTuple):
    """By which number (hex of its blind index) a statement named its person."""

    key: Key
    said: Said
    division: str
    person: str


async def note_observed(
    connection: asyncpg.Connection, told: ObservationsRecorded, register: Mapping[str, str], *, now: datetime
) -> None:
    """Note whom a message of observations named, after its facts were appended.

    `register` holds the names of people (by hex of their blind index) that the caller has read already.
    """
    named = [one for one in told.observations if one.person is not None and one.op == "put"]
    if await repository.keeps_subjects(connection):
        await _note_subjects(connection, [_naming(told, one) for one in named])
    other = (one for one in named if one.person_name and register.get(one.person or "") != one.person_name)
    asked = {(one.person, one.person_name): told.department for one in other if one.person and one.person_name}
    await _ask_of_names(connection, asked, now)


def _naming(told: ObservationsRecorded, one: Observation) -> Naming:
    assert one.person is not None
    return Naming(
        Key(told.data_set, f"{county_of(told.division)}/{one.record}", one.kind),
        Said(told.received_at, told.report_id or told.feed_id or ""),
        one.division or told.division,
        one.person,
    )


async def note_identity(connection: asyncpg.Connection, entries: Iterable[Entry], *, now: datetime) -> None:
    """The same of entries of the ledger: one statement for all records, and one for all names told."""
    named = [(e, e.person) for e in entries if e.person is not None and e.op == "put"]
    if await repository.keeps_subjects(connection):
        await _note_subjects(connection, [Naming(e.key, e.said, e.division, person) for e, person in named])
    asked = {(person, e.person_name): e.department for e, person in named if e.person_name}
    await _ask_of_names(connection, asked, now)


async def _note_subjects(connection: asyncpg.Connection, namings: Sequence[Naming]) -> None:
    said: dict[Key, Naming] = {}
    for each in namings:
        said[each.key] = max(said.get(each.key, each), each, key=lambda one: one.said)
    rows = [(*key, bytes.fromhex(each.person), each.division, *each.said) for key, each in said.items()]
    await repository.note_subjects(connection, rows)


async def _ask_of_names(
    connection: asyncpg.Connection, told: Mapping[tuple[str, str], str | None], now: datetime
) -> None:
    rows = await repository.other_names(connection, [bytes.fromhex(p) for p, _ in told], [n for _, n in told])
    other = [
        (
            row["resident_id"],
            row["household_id"],
            normal_name(row["told"]),
            row["told"],
            told[row["person"].hex(), row["told"]],
        )
        for row in rows
        if not may_be_same_name(row["told"], row["name"])
    ]
    await repository.propose_name(connection, other, now)
