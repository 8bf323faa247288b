"""What waits in the database: statements about somebody no roster lists yet, and ends of records not seen yet."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import asyncpg
from pydantic import TypeAdapter

from services.monitoring.domain.ledger import Entry, Key
from services.monitoring.repository_facts import index_of, records_of

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


async def of_keys(connection: asyncpg.Connection, keys: Collection[Key]) -> list[Entry]:
    """What waits of the named records."""
    rows = await connection.fetch(
        """
        SELECT u.entry FROM unnest($2::text[]) AS k (record_key)
        CROSS JOIN LATERAL (
            SELECT * FROM unmatched_observation
            WHERE data_set = ANY ($1::text[]) AND record_key = k.record_key OFFSET 0
        ) u
        """,
        *records_of(keys),
    )
    found = (_ENTRY.validate_python(row["entry"]) for row in rows)
    return [entry for entry in found if entry.key in keys]


async def of(connection: asyncpg.Connection, persons: Sequence[bytes], household_nos: Sequence[str]) -> list[Entry]:
    """What waits for one of these people or households."""
    rows = await connection.fetch(
        """
        SELECT entry FROM unmatched_observation WHERE person = ANY ($1::bytea[])
        UNION ALL
        SELECT entry FROM unmatched_observation
        WHERE household_no = ANY ($2::text[]) AND (person IS NULL OR NOT person = ANY ($1::bytea[]))
        """,
        persons,
        household_nos,
    )
    return [_ENTRY.validate_python(row["entry"]) for row in rows]


async def that_match(connection: asyncpg.Connection, limit: int) -> list[Entry]:
    """What waits although its person or household is known by now."""
    rows = await connection.fetch(
        """
        SELECT u.entry FROM unmatched_observation u
        WHERE u.op = 'put' AND (
            EXISTS (SELECT 1 FROM resident r JOIN household_member m USING (resident_id)
                    WHERE r.number_index = u.person AND m.superseded_at IS NULL)
            OR EXISTS (SELECT 1 FROM number_alias a JOIN household_member m USING (resident_id)
                       WHERE a.number_index = u.person AND m.superseded_at IS NULL)
            OR (u.person IS NULL OR u.kind LIKE 'event.%')
               AND EXISTS (SELECT 1 FROM household h WHERE h.household_no = u.household_no))
        ORDER BY u.unmatched_id LIMIT $1
        """,
        limit,
    )
    return [_ENTRY.validate_python(row["entry"]) for row in rows]


async def replace(connection: asyncpg.Connection, before: Sequence[Entry], after: Sequence[Entry]) -> None:
    """Let `after` wait in place of `before`."""
    was, will = ({(e.key, e.op): e for e in entries} for entries in (before, after))
    gone = [entry for name, entry in was.items() if will.get(name) != entry]
    data_sets, records, kinds = _columns(entry.key for entry in gone)
    if gone:
        await connection.execute(
            """
            DELETE FROM unmatched_observation u
            USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS k (data_set, record_key, kind, op)
            WHERE (u.data_set, u.record_key, u.kind, u.op) = (k.data_set, k.record_key, k.kind, k.op)
            """,
            data_sets,
            records,
            kinds,
            [entry.op for entry in gone],
        )
    await add(connection, [entry for name, entry in will.items() if was.get(name) != entry])


async def add(connection: asyncpg.Connection, entries: Sequence[Entry]) -> None:
    """Let entries wait of whose records nothing waits."""
    if not entries:
        return
    await connection.execute(
        """
        INSERT INTO unmatched_observation
            (division, data_set, record_key, kind, op, person, household_no, origin, received_at, entry)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[],
                             $8::text[], $9::timestamptz[], $10::jsonb[])
        """,
        *zip(*map(_row, entries), strict=True),
    )


def _row(e: Entry) -> tuple[Any, ...]:
    return (
        e.division,
        *e.key,
        e.op,
        index_of(e.person),
        e.household_no,
        e.said.origin,
        e.said.received_at,
        _ENTRY.dump_python(e, mode="json"),
    )


def _columns(keys: Iterable[Key]) -> tuple[list[str], list[str], list[str]]:
    found = list(keys)
    return [k.data_set for k in found], [k.record_key for k in found], [k.kind for k in found]
