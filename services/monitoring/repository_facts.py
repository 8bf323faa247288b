"""Facts in the database: whom they concern, which stand, which wait, and writing them in sets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg
from pydantic import TypeAdapter

from services.monitoring.domain.ledger import Content, Entry, Key, Place, Register, Said, Stored

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
_CONTENT = tuple(field.name for field in fields(Content))

# Column of `fact` -> its type; what `add_facts` writes of each fact.
_FACT_COLUMNS: Mapping[str, str] = {
    "county": "text", "household_id": "bigint", "resident_id": "bigint", "kind": "text", "occurred_on": "date",
    "ended_on": "date", "period_from": "date", "period_to": "date", "amount_fen": "bigint", "gross_fen": "bigint",
    "compliant_fen": "bigint", "other_fen": "bigint", "relief_fen": "bigint", "visit": "text", "stay": "text",
    "value": "text", "verified": "boolean", "attributes": "jsonb", "source": "text", "department": "text",
    "data_set": "text", "record_key": "text", "origin": "text", "received_at": "timestamptz",
    "ended_received_at": "timestamptz", "facts_version": "bigint", "recorded_at": "timestamptz",
}

# A state belongs to the household a person is in now, everything else to that on the day; failing that, the last one.
# Of somebody two rosters list, the one that listed him last has him.
LOCATE = """
SELECT o.i, r.resident_id, h.household_id, h.county
FROM unnest($1::int[], $2::bytea[], $3::text[], $4::text[], $5::date[])
     AS o (i, person, household_no, kind, occurred_on)
LEFT JOIN resident r ON r.number_index = o.person
LEFT JOIN LATERAL (
    SELECT m.household_id FROM household_member m
    WHERE m.resident_id = r.resident_id AND m.superseded_at IS NULL
    ORDER BY (o.kind NOT LIKE 'state.%' AND m.valid_from <= o.occurred_on
              AND (m.valid_to IS NULL OR o.occurred_on < m.valid_to)) DESC,
             (m.valid_to IS NULL) DESC, m.valid_from DESC, m.household_id DESC
    LIMIT 1
) m ON true
LEFT JOIN household n ON m.household_id IS NULL AND n.household_no = o.household_no
     AND (o.person IS NULL OR o.kind LIKE 'event.%')
JOIN household h ON h.household_id = coalesce(m.household_id, n.household_id)
"""

# One look-up in the index for each record: a freshly filled table has no statistics, and the planner left to itself
# would read it whole. The limit keeps it from turning the look-ups into a join.
CURRENT = """
SELECT f.* FROM unnest($1::text[], $2::text[], $3::text[]) AS k (data_set, record_key, kind)
CROSS JOIN LATERAL (
    SELECT * FROM fact WHERE data_set = k.data_set AND record_key = k.record_key AND kind = k.kind
      AND superseded_at IS NULL AND county = ANY ($4::text[]) LIMIT 1
) f
"""

MISPLACED = """
SELECT f.*, l.household_id AS right_household, l.county AS right_county FROM fact f
JOIN LATERAL (
    SELECT h.household_id, h.county FROM household_member m JOIN household h USING (household_id)
    WHERE m.resident_id = f.resident_id AND m.superseded_at IS NULL
    ORDER BY (f.kind NOT LIKE 'state.%' AND m.valid_from <= f.occurred_on
              AND (m.valid_to IS NULL OR f.occurred_on < m.valid_to)) DESC,
             (m.valid_to IS NULL) DESC, m.valid_from DESC, m.household_id DESC
    LIMIT 1
) l ON l.household_id <> f.household_id
WHERE f.resident_id = ANY ($1::bigint[]) AND f.superseded_at IS NULL AND f.data_set <> $2
"""


async def locate(connection: asyncpg.Connection, entries: Sequence[Entry]) -> list[Place | None]:
    """Whom each entry concerns, in the order of `entries`; None where nobody fits yet."""
    rows = await connection.fetch(
        LOCATE, list(range(len(entries))), [_index(e.person) for e in entries], [e.household_no for e in entries],
        [e.key.kind for e in entries], [e.content.occurred_on for e in entries],
    )
    places: list[Place | None] = [None] * len(entries)
    for row in rows:
        places[row["i"]] = Place(row["household_id"], row["county"], row["resident_id"])
    return places


async def facts_that_stand(
    connection: asyncpg.Connection, keys: Iterable[Key], counties: Iterable[str]
) -> dict[Key, Stored]:
    """The facts of the named records that nothing superseded."""
    data_sets, records, kinds = _columns(keys)
    rows = await connection.fetch(CURRENT, data_sets, records, kinds, sorted(counties))
    return {stored.entry.key: stored for stored in map(stored_of, rows)}


async def states_that_stand(
    connection: asyncpg.Connection, household_ids: Sequence[int], counties: Sequence[str], data_set: str,
    kinds: Sequence[str],
) -> list[Stored]:
    """What a data set says of the states of these households, ended ones too."""
    rows = await connection.fetch(
        """
        SELECT * FROM fact WHERE county = ANY ($2::text[]) AND household_id = ANY ($1::bigint[])
          AND kind = ANY ($4::text[]) AND data_set = $3 AND superseded_at IS NULL
        """,
        household_ids, counties, data_set, kinds,
    )
    return [stored_of(row) for row in rows]


async def misplaced(
    connection: asyncpg.Connection, residents: Sequence[int], data_set: str
) -> list[tuple[Stored, Place]]:
    """Facts of these residents that a changed membership puts into another household, which is given with each.

    What the roster `data_set` itself said of a household stays there.
    """
    rows = await connection.fetch(MISPLACED, residents, data_set)
    return [
        (stored_of(row), Place(row["right_household"], row["right_county"], row["resident_id"])) for row in rows
    ]


async def waiting_of_keys(connection: asyncpg.Connection, keys: Iterable[Key]) -> list[Entry]:
    """What waits of the named records."""
    rows = await connection.fetch(
        """
        SELECT u.entry FROM unnest($1::text[], $2::text[], $3::text[]) AS k (data_set, record_key, kind)
        JOIN unmatched_observation u USING (data_set, record_key, kind)
        """,
        *_columns(keys),
    )
    return [_ENTRY.validate_python(row["entry"]) for row in rows]


async def waiting_of(
    connection: asyncpg.Connection, persons: Sequence[bytes], household_nos: Sequence[str]
) -> list[Entry]:
    """What waits for one of these people or households."""
    rows = await connection.fetch(
        """
        SELECT entry FROM unmatched_observation WHERE person = ANY ($1::bytea[])
        UNION ALL
        SELECT entry FROM unmatched_observation
        WHERE household_no = ANY ($2::text[]) AND (person IS NULL OR NOT person = ANY ($1::bytea[]))
        """,
        persons, household_nos,
    )
    return [_ENTRY.validate_python(row["entry"]) for row in rows]


async def waiting_that_match(connection: asyncpg.Connection, limit: int) -> list[Entry]:
    """What waits although its person or household is known by now."""
    rows = await connection.fetch(
        """
        SELECT u.entry FROM unmatched_observation u
        WHERE u.op = 'put' AND (
            EXISTS (SELECT 1 FROM resident r JOIN household_member m USING (resident_id)
                    WHERE r.number_index = u.person AND m.superseded_at IS NULL)
            OR (u.person IS NULL OR u.kind LIKE 'event.%')
               AND EXISTS (SELECT 1 FROM household h WHERE h.household_no = u.household_no))
        ORDER BY u.unmatched_id LIMIT $1
        """,
        limit,
    )
    return [_ENTRY.validate_python(row["entry"]) for row in rows]


async def replace_waiting(
    connection: asyncpg.Connection, before: Sequence[Entry], after: Sequence[Entry]
) -> None:
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
            data_sets, records, kinds, [entry.op for entry in gone],
        )
    await _add_waiting(connection, [entry for name, entry in will.items() if was.get(name) != entry])


async def _add_waiting(connection: asyncpg.Connection, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    await connection.executemany(
        """
        INSERT INTO unmatched_observation
            (division, data_set, record_key, kind, op, person, household_no, origin, received_at, entry)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        [
            (e.division, *e.key, e.op, _index(e.person), e.household_no, e.said.origin, e.said.received_at,
             _ENTRY.dump_python(e, mode="json"))
            for e in entries
        ],
    )


async def supersede(connection: asyncpg.Connection, stored: Sequence[Stored], at: datetime) -> None:
    """These facts are no longer what is known, from `at` on."""
    if not stored:
        return
    await connection.execute(
        """
        UPDATE fact f SET superseded_at = greatest($3, f.recorded_at)
        FROM unnest($1::text[], $2::bigint[]) AS k (county, fact_id)
        WHERE f.county = k.county AND f.fact_id = k.fact_id
        """,
        *_places(stored), at,
    )


async def confirm(connection: asyncpg.Connection, confirmed: Sequence[tuple[Stored, Said]]) -> None:
    """These facts were said again, unchanged; a later message is compared with that."""
    await connection.execute(
        """
        UPDATE fact f SET received_at = k.received_at, origin = k.origin
        FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[])
             AS k (county, fact_id, received_at, origin)
        WHERE f.county = k.county AND f.fact_id = k.fact_id
        """,
        *_places([stored for stored, _ in confirmed]), [said.received_at for _, said in confirmed],
        [said.origin for _, said in confirmed],
    )


async def add_facts(
    connection: asyncpg.Connection, registers: Sequence[Register], *, versions: Mapping[int, int], at: datetime
) -> None:
    """Append what stands in `registers`, known from `at` on; `versions` is each household's facts_version."""
    if not registers:
        return
    rows = [_row(register, versions, at) for register in registers]
    names = ", ".join(_FACT_COLUMNS)
    arrays = ", ".join(f"${i}::{kind}[]" for i, kind in enumerate(_FACT_COLUMNS.values(), start=1))
    await connection.execute(
        f"INSERT INTO fact ({names}) SELECT {names} FROM unnest({arrays}) AS t ({names})",
        *([row[name] for row in rows] for name in _FACT_COLUMNS),
    )


def _row(register: Register, versions: Mapping[int, int], at: datetime) -> dict[str, Any]:
    entry = register.truth()
    assert entry is not None
    assert entry.place is not None
    place = entry.place
    return {
        **{name: getattr(entry.content, name) for name in _CONTENT},
        "county": place.county, "household_id": place.household_id, "resident_id": place.resident_id,
        "kind": entry.key.kind, "source": str(entry.source), "department": entry.department,
        "data_set": entry.key.data_set, "record_key": entry.key.record_key, "origin": entry.said.origin,
        "received_at": entry.said.received_at, "recorded_at": at,
        "ended_received_at": register.end.said.received_at if register.end and register.has_ended else None,
        "facts_version": versions[place.household_id],
    }


def stored_of(row: asyncpg.Record) -> Stored:
    """A row of `fact` as the ledger knows it."""
    entry = Entry(
        key=Key(row["data_set"], row["record_key"], row["kind"]), said=Said(row["received_at"], row["origin"]),
        content=Content(**{name: row[name] for name in _CONTENT}), source=row["source"],
        division=row["county"].ljust(12, "0"), department=row["department"],
        place=Place(row["household_id"], row["county"], row["resident_id"]),
    )
    return Stored(row["fact_id"], entry, row["ended_received_at"])


def _index(person: str | None) -> bytes | None:
    return bytes.fromhex(person) if person is not None else None


def _columns(keys: Iterable[Key]) -> tuple[list[str], list[str], list[str]]:
    found = list(keys)
    return [k.data_set for k in found], [k.record_key for k in found], [k.kind for k in found]


def _places(stored: Sequence[Stored]) -> tuple[list[str], list[int]]:
    places = [s.entry.place for s in stored]
    return [p.county for p in places if p is not None], [s.fact_id for s in stored]
