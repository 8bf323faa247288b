"""Facts in the database: which stand, and writing them in sets."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import asyncpg

from services.monitoring.domain.ledger import Content, Entry, Key, Place, Register, Said, Stored
from services.monitoring.repository_places import HOME_FIRST

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

# OFFSET 0 keeps the planner from an index of current memberships that it would have to read whole for each person.
_HOME = f"""
SELECT m.household_id FROM (SELECT * FROM household_member WHERE resident_id = f.resident_id OFFSET 0) m
WHERE m.superseded_at IS NULL ORDER BY {HOME_FIRST} LIMIT 1
"""

# Here and below: one look-up in an index for each key. A freshly filled table has no statistics, and the planner left
# to itself would read it whole. LIMIT or OFFSET keep it from turning the look-ups into a join.
CURRENT = """
SELECT f.* FROM unnest($2::text[]) AS k (record_key)
CROSS JOIN LATERAL (
    SELECT * FROM fact WHERE data_set = ANY ($1::text[]) AND record_key = k.record_key
      AND superseded_at IS NULL AND county = ANY ($3::text[]) OFFSET 0
) f
"""

KNOWN = """
SELECT record_key FROM fact
WHERE data_set = $1 AND record_key = ANY ($2::text[]) AND superseded_at IS NULL AND county = ANY ($3::text[])
UNION ALL
SELECT record_key FROM unmatched_observation WHERE data_set = $1 AND record_key = ANY ($2::text[])
"""

MISPLACED = f"""
SELECT f.*, h.household_id AS right_household, h.county AS right_county FROM fact f
CROSS JOIN LATERAL ({_HOME}) m
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


async def records_known(
    connection: asyncpg.Connection, data_set: str, record_keys: Sequence[str], counties: Iterable[str]
) -> set[str]:
    """Which of these records have facts that stand in one of these counties, or statements that wait."""
    rows = await connection.fetch(KNOWN, data_set, record_keys, sorted(counties))
    return {row["record_key"] for row in rows}


async def add_facts(
    connection: asyncpg.Connection, registers: Sequence[Register], *, versions: Mapping[int, int], at: datetime
) -> None:
    """Append what stands in `registers`, known from `at` on; `versions` is each household's facts_version."""
    if registers:
        rows = [_row(register, versions, at) for register in registers]
        await add_columns(connection, dict(zip(_FACT_COLUMNS, zip(*rows, strict=True), strict=True)), {})


async def add_columns(
    connection: asyncpg.Connection, each: Mapping[str, Sequence[Any]], same: Mapping[str, Any]
) -> None:
    """Append facts given as columns: `each` has a value for every fact, `same` one for them all."""
    many = {name: column for name, column in each.items() if name == "record_key" or not _is_one(column)}
    one = {**same, **{name: column[0] for name, column in each.items() if name not in many}}
    await connection.execute(_insertion(many, one), *many.values(), *one.values())


def content_columns(contents: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """The columns of what has the fields of a content, which are named as the columns are."""
    return dict(zip(_CONTENT, zip(*map(_content_of, contents), strict=True), strict=True))


def _is_one(column: Sequence[Any]) -> bool:
    """Whether a column holds one value throughout, as most do in a message: it is sent once, not as an array."""
    first = column[0]
    return all(value == first for value in column)


def _insertion(many: Iterable[str], one: Iterable[str]) -> str:
    """The statement that inserts facts whose columns `many` are bound as arrays, then `one` as a value for all."""
    names = [*many]
    binds = {name: f"${i}::{_FACT_COLUMNS[name]}" for i, name in enumerate([*names, *one], start=1)}
    values = (name if name in names else bind for name, bind in binds.items())
    arrays = (f"{binds[name]}[]" for name in names)
    return (
        f"INSERT INTO fact ({', '.join(binds)}) SELECT {', '.join(values)}"
        f" FROM unnest({', '.join(arrays)}) AS t ({', '.join(names)})"
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
