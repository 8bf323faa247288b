"""Facts in the database: whom they concern, which stand, which wait, and writing them in sets."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import asyncpg

from services.monitoring.domain.ledger import Content, Entry, Key, Place, Register, Said, Stored

_CONTENT = tuple(field.name for field in fields(Content))

_content_of = attrgetter(*_CONTENT)

# Column of `fact` -> its type; what `add_facts` writes of each fact, the content first.
_FACT_COLUMNS: Mapping[str, str] = {
    "occurred_on": "date",
    "ended_on": "date",
    "period_from": "date",
    "period_to": "date",
    "amount_fen": "bigint",
    "gross_fen": "bigint",
    "compliant_fen": "bigint",
    "other_fen": "bigint",
    "relief_fen": "bigint",
    "visit": "text",
    "stay": "text",
    "value": "text",
    "verified": "boolean",
    "attributes": "jsonb",
    "county": "text",
    "household_id": "bigint",
    "resident_id": "bigint",
    "kind": "text",
    "source": "text",
    "department": "text",
    "data_set": "text",
    "record_key": "text",
    "origin": "text",
    "received_at": "timestamptz",
    "ended_received_at": "timestamptz",
    "facts_version": "bigint",
    "recorded_at": "timestamptz",
}

# What is known of a person belongs to the household he is in now, else to the last he was in: a household's sums are
# over the members it has, so that what stayed behind where he left would be counted nowhere. As known before he moved
# it lies where it lay. Of somebody two rosters list, the one that listed him last has him. What merged goes on in
# another household.
# OFFSET 0 keeps the planner from an index of current memberships that it would have to read whole for each person.
_HOME = """
SELECT m.household_id FROM (SELECT * FROM household_member WHERE resident_id = {person} OFFSET 0) m
WHERE m.superseded_at IS NULL
ORDER BY (m.valid_to IS NULL) DESC, m.valid_from DESC, m.household_id DESC
LIMIT 1
"""

# Here and below: one look-up in an index for each key. A freshly filled table has no statistics, and the planner left
# to itself would read it whole. LIMIT or OFFSET keep it from turning the look-ups into a join.
LOCATE = f"""
SELECT o.i, r.resident_id, h.household_id, h.county
FROM unnest($1::int[], $2::bytea[], $3::text[], $4::text[], $5::date[])
     AS o (i, person, household_no, kind, occurred_on)
LEFT JOIN LATERAL (
    SELECT resident_id FROM (
        SELECT resident_id, 0 AS rank FROM number_alias WHERE number_index = o.person
        UNION ALL SELECT resident_id, 1 FROM resident WHERE number_index = o.person
    ) named ORDER BY rank LIMIT 1
) r ON true
LEFT JOIN LATERAL ({_HOME.format(person="r.resident_id")}) m ON true
LEFT JOIN LATERAL (
    SELECT household_id FROM household WHERE household_no = o.household_no
      AND m.household_id IS NULL AND (o.person IS NULL OR o.kind LIKE 'event.%') LIMIT 1
) n ON true
CROSS JOIN LATERAL (
    SELECT household_id, county, merged_into FROM household
    WHERE household_id = coalesce(m.household_id, n.household_id) LIMIT 1
) s
CROSS JOIN LATERAL (
    SELECT s.household_id, s.county WHERE s.merged_into IS NULL
    UNION ALL SELECT household_id, county FROM household WHERE household_id = s.merged_into LIMIT 1
) h
"""

CURRENT = """
SELECT f.* FROM unnest($2::text[]) AS k (record_key)
CROSS JOIN LATERAL (
    SELECT * FROM fact WHERE data_set = ANY ($1::text[]) AND record_key = k.record_key
      AND superseded_at IS NULL AND county = ANY ($3::text[]) OFFSET 0
) f
"""

MISPLACED = f"""
SELECT f.*, h.household_id AS right_household, h.county AS right_county FROM fact f
CROSS JOIN LATERAL ({_HOME.format(person="f.resident_id")}) m
CROSS JOIN LATERAL (
    SELECT household_id, county, merged_into FROM household WHERE household_id = m.household_id LIMIT 1
) s
CROSS JOIN LATERAL (
    SELECT s.household_id, s.county WHERE s.merged_into IS NULL
    UNION ALL SELECT household_id, county FROM household WHERE household_id = s.merged_into LIMIT 1
) h
WHERE f.resident_id = ANY ($1::bigint[]) AND f.superseded_at IS NULL AND f.data_set <> $2
  AND h.household_id <> f.household_id
"""


async def locate(connection: asyncpg.Connection, entries: Sequence[Entry]) -> list[Place | None]:
    """Whom each entry concerns, in the order of `entries`; None where nobody fits yet."""
    rows = await connection.fetch(
        LOCATE,
        list(range(len(entries))),
        [index_of(e.person) for e in entries],
        [e.household_no for e in entries],
        [e.key.kind for e in entries],
        [e.content.occurred_on for e in entries],
    )
    places: list[Place | None] = [None] * len(entries)
    for row in rows:
        places[row["i"]] = Place(row["household_id"], row["county"], row["resident_id"])
    return places


async def facts_that_stand(
    connection: asyncpg.Connection, keys: Collection[Key], counties: Iterable[str]
) -> dict[Key, Stored]:
    """The facts of the named records that nothing superseded."""
    rows = await connection.fetch(CURRENT, *records_of(keys), sorted(counties))
    return {stored.entry.key: stored for stored in map(stored_of, rows) if stored.entry.key in keys}


async def states_that_stand(
    connection: asyncpg.Connection,
    household_ids: Sequence[int],
    counties: Sequence[str],
    data_set: str,
    kinds: Sequence[str],
) -> list[Stored]:
    """What a data set says of the states of these households, ended ones too."""
    rows = await connection.fetch(
        """
        SELECT f.* FROM unnest($1::bigint[]) AS h (household_id)
        CROSS JOIN LATERAL (
            SELECT * FROM fact WHERE county = ANY ($2::text[]) AND household_id = h.household_id OFFSET 0
        ) f
        WHERE f.kind = ANY ($4::text[]) AND f.data_set = $3 AND f.superseded_at IS NULL
        """,
        household_ids,
        counties,
        data_set,
        kinds,
    )
    return [stored_of(row) for row in rows]


async def misplaced(
    connection: asyncpg.Connection, residents: Sequence[int], data_set: str
) -> list[tuple[Stored, Place]]:
    """Facts of these residents that a changed membership puts into another household, which is given with each.

    What the roster `data_set` itself said of a household stays there.
    """
    rows = await connection.fetch(MISPLACED, residents, data_set)
    return [(stored_of(row), Place(row["right_household"], row["right_county"], row["resident_id"])) for row in rows]


async def facts_of_household(connection: asyncpg.Connection, household_id: int, county: str) -> list[Stored]:
    """What stands of a household as a whole, nobody's in particular, apart from its states."""
    rows = await connection.fetch(
        """
        SELECT * FROM fact WHERE county = $1 AND household_id = $2 AND resident_id IS NULL AND superseded_at IS NULL
          AND kind NOT LIKE 'state.%'
        """,
        county,
        household_id,
    )
    return [stored_of(row) for row in rows]


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
        *_places(stored),
        at,
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
        *_places([stored for stored, _ in confirmed]),
        [said.received_at for _, said in confirmed],
        [said.origin for _, said in confirmed],
    )


async def add_facts(
    connection: asyncpg.Connection, registers: Sequence[Register], *, versions: Mapping[int, int], at: datetime
) -> None:
    """Append what stands in `registers`, known from `at` on; `versions` is each household's facts_version."""
    if not registers:
        return
    rows = [_row(register, versions, at) for register in registers]
    columns = dict(zip(_FACT_COLUMNS, zip(*rows, strict=True), strict=True))
    # Most columns hold one value throughout a message: those are sent once, the others as arrays.
    many = [name for name, column in columns.items() if column.count(column[0]) < len(rows) or name == "record_key"]
    await connection.execute(
        _insertion(many), *(column if name in many else column[0] for name, column in columns.items())
    )


def _insertion(many: Sequence[str]) -> str:
    """The statement that inserts facts whose columns `many` are bound as arrays, the others to one value for all."""
    binds = {name: f"${i}::{kind}" for i, (name, kind) in enumerate(_FACT_COLUMNS.items(), start=1)}
    values = (name if name in many else bind for name, bind in binds.items())
    arrays = (f"{binds[name]}[]" for name in many)
    return (
        f"INSERT INTO fact ({', '.join(binds)}) SELECT {', '.join(values)}"
        f" FROM unnest({', '.join(arrays)}) AS t ({', '.join(many)})"
    )


def _row(register: Register, versions: Mapping[int, int], at: datetime) -> tuple[Any, ...]:
    """A fact in the order of `_FACT_COLUMNS`."""
    entry = register.truth()
    assert entry is not None
    assert entry.place is not None
    place, key, said = entry.place, entry.key, entry.said
    return (
        *_content_of(entry.content),
        place.county,
        place.household_id,
        place.resident_id,
        key.kind,
        str(entry.source),
        entry.department,
        key.data_set,
        key.record_key,
        said.origin,
        said.received_at,
        register.end.said.received_at if register.end and register.has_ended else None,
        versions[place.household_id],
        at,
    )


def stored_of(row: asyncpg.Record) -> Stored:
    """A row of `fact` as the ledger knows it."""
    entry = Entry(
        key=Key(row["data_set"], row["record_key"], row["kind"]),
        said=Said(row["received_at"], row["origin"]),
        content=Content(**{name: row[name] for name in _CONTENT}),
        source=row["source"],
        division=row["county"].ljust(12, "0"),
        department=row["department"],
        place=Place(row["household_id"], row["county"], row["resident_id"]),
    )
    return Stored(row["fact_id"], entry, row["ended_received_at"])


def index_of(person: str | None) -> bytes | None:
    return bytes.fromhex(person) if person is not None else None


def records_of(keys: Collection[Key]) -> tuple[list[str], list[str]]:
    """Data sets and record keys, each once: a record has several kinds, and a message seldom two data sets."""
    return sorted({key.data_set for key in keys}), sorted({key.record_key for key in keys})


def _places(stored: Sequence[Stored]) -> tuple[list[str], list[int]]:
    places = [s.entry.place for s in stored]
    return [p.county for p in places if p is not None], [s.fact_id for s in stored]
