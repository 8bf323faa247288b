"""Note who was meant by what came in: by which number a record named its person, and under which name.

A record whose number is known and whose name is another's is accepted, since the number is what identifies and
holding it back would hide a hardship; the difference is put before a person.
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.monitoring import repository_identity as repository
from services.monitoring.domain.ledger import Entry, Key
from services.monitoring.domain.person_name import may_be_same_name, normal_name
from services.monitoring.repository_facts import index_of


async def note_identity(connection: asyncpg.Connection, entries: Sequence[Entry], *, now: datetime) -> None:
    """One statement for all records of a message, and one for all names told in it."""
    await _note_subjects(connection, entries)
    await _note_names(connection, entries, now)


async def _note_subjects(connection: asyncpg.Connection, entries: Sequence[Entry]) -> None:
    said: dict[Key, Entry] = {}
    for entry in entries:
        if entry.op == "put" and entry.person is not None and entry.place is not None:
            said[entry.key] = max(said.get(entry.key, entry), entry, key=lambda e: e.said)
    rows = [(*key, index_of(e.person), e.division, *e.said) for key, e in said.items()]
    await repository.note_subjects(connection, rows)


async def _note_names(connection: asyncpg.Connection, entries: Sequence[Entry], now: datetime) -> None:
    told = {
        (e.person, e.person_name): e.department
        for e in entries
        if e.person is not None and e.person_name and e.place is not None
    }
    if not told:
        return
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
    if other:
        await repository.propose_name(connection, other, now)
