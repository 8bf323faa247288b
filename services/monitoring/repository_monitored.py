"""The national monitored list in the database: what was imported, how it differs from ours, what ours holds."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.monitoring.domain.national_list import NationalList, ToldList
from services.monitoring.domain.tag import NATIONAL_LIST

DATA_SET = "monitored_list"


class Listed(NamedTuple):
    """An entry of the list to be written, as far as it may differ from the one that stands."""

    household_no: str
    division: str
    household_id: int | None
    head_name: str
    listed_as: str
    identified_on: date | None
    removed_on: date | None
    removal_mode: str | None
    causes: list[str]
    vanished: bool = False


_ENTRY = ", ".join(Listed._fields)


async def matches(
    scoped: asyncpg.Connection, numbers: Sequence[str], indices: Sequence[bytes]
) -> tuple[dict[str, dict[str, Any]], dict[bytes, dict[str, Any]]]:
    """The households in the caller's scope by number, and by the blind index of a member of today."""
    by_number = await scoped.fetch(
        "SELECT household_no, household_id, county, registered_division FROM household"
        " WHERE household_no = ANY ($1::text[]) AND ended_on IS NULL",
        numbers,
    )
    by_person = await scoped.fetch(
        """
        SELECT DISTINCT ON (r.number_index) r.number_index, h.household_no, h.household_id, h.county,
               h.registered_division
        FROM (
            SELECT number_index, resident_id FROM resident WHERE number_index = ANY ($1::bytea[])
            UNION ALL SELECT number_index, resident_id FROM number_alias WHERE number_index = ANY ($1::bytea[])
        ) r JOIN household_member m USING (resident_id) JOIN household h USING (household_id)
        WHERE m.superseded_at IS NULL AND m.valid_to IS NULL
          AND h.ended_on IS NULL
        ORDER BY r.number_index, m.valid_from DESC, h.household_id DESC
        """,
        indices,
    )
    return {r["household_no"]: dict(r) for r in by_number}, {r["number_index"]: dict(r) for r in by_person}


async def standing(connection: asyncpg.Connection, county: str) -> dict[str, Listed]:
    """The entries of a county that stand, by household number."""
    rows = await connection.fetch(
        f"SELECT {_ENTRY} FROM monitored_entry WHERE county = $1 AND superseded_at IS NULL", county
    )
    return {row["household_no"]: Listed(*row.values()) for row in rows}


async def newest_import(connection: asyncpg.Connection, lo: str, hi: str) -> dict[str, Any] | None:
    """The newest export that was taken in of a place in [lo, hi)."""
    row = await connection.fetchrow(
        "SELECT * FROM monitored_import WHERE division >= $1 AND division < $2"
        " ORDER BY as_of DESC, imported_at DESC LIMIT 1",
        lo,
        hi,
    )
    return dict(row) if row is not None else None


async def add_import(connection: asyncpg.Connection, row: Mapping[str, Any]) -> None:
    names = ", ".join(row)
    binds = ", ".join(f"${i}" for i in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO monitored_import ({names}) VALUES ({binds})", *row.values())


async def write(
    connection: asyncpg.Connection, county: str, entries: Sequence[Listed], import_id: UUID, at: datetime
) -> None:
    """Let these be what the list says from `at` on; what it said before is superseded."""
    await connection.execute(
        "UPDATE monitored_entry SET superseded_at = greatest($3, recorded_at)"
        " WHERE county = $1 AND household_no = ANY ($2::text[]) AND superseded_at IS NULL",
        county,
        [entry.household_no for entry in entries],
        at,
    )
    await connection.executemany(
        f"INSERT INTO monitored_entry (import_id, county, recorded_at, {_ENTRY})"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        [(import_id, county, at, *entry) for entry in entries],
    )


async def newest_lists(connection: asyncpg.Connection, lo: str, hi: str) -> tuple[list[ToldList], list[ToldList]]:
    """What imports and feeds last told of each place in [lo, hi), by their days: (imports, feeds)."""
    imports = await connection.fetch(
        "SELECT DISTINCT ON (division) division, as_of AS on, imported_at AS at FROM monitored_import"
        " WHERE division >= $1 AND division < $2 ORDER BY division, as_of DESC, imported_at DESC",
        lo,
        hi,
    )
    feeds = await connection.fetch(
        "SELECT county || '000000' AS division, newest_on AS on, received_at AS at FROM feed_freshness"
        " WHERE data_set = $3 AND county || '000000' >= $1 AND county || '000000' < $2",
        lo,
        hi,
        DATA_SET,
    )
    return [ToldList(*row.values()) for row in imports], [ToldList(*row.values()) for row in feeds]


# Each household has one kind at most: not on the national list but should be (应纳未纳), on it but should not be
# (应消未消), other classes, nothing decided here, not known here. $1, $2: half-open range of living places;
# $3: places a feed told of last, $4: those of them that an import told of since.
_BY_FEED = """(rpad(left({0}, 6), 12, '0') = ANY ($3::text[]) AND NOT $4::text[] && ARRAY[
            rpad(left({0}, 6), 12, '0'), rpad(left({0}, 9), 12, '0'), {0}::text])"""
_DIFFERENCES = f"""
    SELECT CASE WHEN household_id IS NULL AND is_open THEN 'unknown_here'
                WHEN NOT is_open AND (listed_as IS NOT NULL OR recommendation IS NOT NULL) THEN 'should_enter'
                WHEN NOT is_open THEN NULL
                WHEN listed_as IS NULL AND listed_on IS NOT NULL THEN 'should_remove'
                WHEN listed_as <> national THEN 'class_differs'
                WHEN recommendation IS NULL AND assessment_id IS NOT NULL THEN 'should_remove'
                WHEN listed_as IS NULL THEN 'not_listed_here'
                ELSE 'agree' END AS kind, *
    FROM (
        SELECT h.household_id, h.household_no, h.head_name, h.living_division AS division, h.listed_as, h.listed_on,
               h.recommendation, s.assessment_id, n.national, n.identified_on, n.is_open IS TRUE AS is_open
        FROM household h
        LEFT JOIN standing s ON s.household_id = h.household_id
        LEFT JOIN LATERAL (
            SELECT e.listed_as AS national, e.identified_on, e.removed_on IS NULL AND NOT e.vanished AS is_open
            FROM monitored_entry e
            WHERE e.household_id = h.household_id AND e.superseded_at IS NULL
              AND NOT {_BY_FEED.format("h.registered_division")}
            UNION ALL
            (SELECT f.value, f.occurred_on, f.ended_on IS NULL FROM fact f
             WHERE f.county = h.county AND f.household_id = h.household_id AND f.kind = '{NATIONAL_LIST}'
               AND f.data_set = '{DATA_SET}' AND f.superseded_at IS NULL
               AND {_BY_FEED.format("h.registered_division")}
             ORDER BY f.ended_on IS NULL DESC, f.occurred_on DESC LIMIT 1)
        ) n ON true
        WHERE h.living_division >= $1 AND h.living_division < $2 AND h.ended_on IS NULL
          AND (h.listed_as IS NOT NULL OR h.recommendation IS NOT NULL OR n.is_open IS NOT NULL)
        UNION ALL
        SELECT NULL, e.household_no, e.head_name, e.division, NULL, NULL, NULL, NULL, e.listed_as, e.identified_on,
               e.removed_on IS NULL AND NOT e.vanished
        FROM monitored_entry e
        WHERE e.household_id IS NULL AND e.superseded_at IS NULL AND e.division >= $1 AND e.division < $2
          AND NOT {_BY_FEED.format("e.division")}
        UNION ALL
        SELECT NULL, u.household_no, coalesce(u.entry ->> 'person_name', ''), u.division, NULL, NULL, NULL, NULL,
               u.entry #>> '{{content,value}}', (u.entry #>> '{{content,occurred_on}}')::date, true
        FROM unmatched_observation u
        WHERE u.data_set = '{DATA_SET}' AND u.kind = '{NATIONAL_LIST}' AND u.op = 'put'
          AND u.household_no IS NOT NULL AND u.division >= $1 AND u.division < $2
          AND u.entry #>> '{{content,ended_on}}' IS NULL AND {_BY_FEED.format("u.division")}
    ) both_lists
"""


async def counts(
    scoped: asyncpg.Connection, told: NationalList, lo: str, hi: str, digits: int
) -> list[dict[str, Any]]:
    """How many households there are of each kind, by division below; `digits`: the length of its prefix."""
    rows = await scoped.fetch(
        f"SELECT kind, left(division, $5) AS child, count(*) AS households FROM ({_DIFFERENCES}) d"
        " WHERE kind IS NOT NULL GROUP BY kind, child ORDER BY child, kind",
        lo,
        hi,
        told.by_feed,
        told.by_import_since,
        digits,
    )
    return [dict(row) for row in rows]


async def differences(
    scoped: asyncpg.Connection,
    told: NationalList,
    lo: str,
    hi: str,
    kinds: Sequence[str],
    after: str,
    limit: int,
) -> list[dict[str, Any]]:
    """The households of these kinds, in the order of their numbers."""
    rows = await scoped.fetch(
        f"SELECT * FROM ({_DIFFERENCES}) d WHERE kind = ANY ($5::text[]) AND household_no > $6"
        " ORDER BY household_no LIMIT $7",
        lo,
        hi,
        told.by_feed,
        told.by_import_since,
        kinds,
        after,
        limit,
    )
    return [dict(row) for row in rows]


async def listed_here(scoped: asyncpg.Connection, lo: str, hi: str) -> list[int]:
    """The households living in [lo, hi) that our register lists."""
    rows = await scoped.fetch(
        "SELECT household_id FROM household WHERE living_division >= $1 AND living_division < $2"
        " AND listed_as IS NOT NULL AND ended_on IS NULL",
        lo,
        hi,
    )
    return [row["household_id"] for row in rows]


async def for_export(scoped: asyncpg.Connection, household_ids: Sequence[int], on: date) -> list[dict[str, Any]]:
    """What the export's columns are filled from, in the order of household numbers."""
    rows = await scoped.fetch(
        """
        SELECT h.household_no, h.registered_division, h.head_name, h.phone, h.listed_as, h.listed_on, a.causes,
               head.sealed_number, head.number_index, people.living, d.first_entered, d.entered, d.previously, f.facts
        FROM household h
        LEFT JOIN standing s ON s.household_id = h.household_id
        LEFT JOIN assessment a ON a.household_id = s.household_id AND a.assessment_id = s.assessment_id
        LEFT JOIN LATERAL (
            SELECT r.sealed_number, r.number_index FROM household_member m JOIN resident r USING (resident_id)
            WHERE m.household_id = h.household_id AND m.superseded_at IS NULL AND m.relation = '户主'
              AND m.valid_from <= $2 AND (m.valid_to IS NULL OR $2 < m.valid_to)
            ORDER BY m.valid_from DESC LIMIT 1
        ) head ON true
        LEFT JOIN LATERAL (
            SELECT count(*) AS living FROM household_member m
            WHERE m.household_id = h.household_id AND m.superseded_at IS NULL AND m.status <> 'deceased'
              AND m.valid_from <= $2 AND (m.valid_to IS NULL OR $2 < m.valid_to)
        ) people ON true
        LEFT JOIN LATERAL (
            SELECT min(decided_on) FILTER (WHERE action = 'enter') AS first_entered,
                   max(decided_on) FILTER (WHERE action = 'enter') AS entered,
                   (array_agg(previously ORDER BY recorded_at DESC) FILTER (WHERE action = 'remove'))[1] AS previously
            FROM decision WHERE household_id = h.household_id
        ) d ON true
        LEFT JOIN LATERAL (
            SELECT jsonb_object_agg(kind, jsonb_build_object('value', value, 'fen', fen, 'attributes', attributes))
                   AS facts
            FROM (
                SELECT DISTINCT ON (kind) kind, value, attributes,
                       CASE WHEN kind NOT LIKE 'state.%' THEN amount_fen END AS fen
                FROM fact WHERE county = h.county AND household_id = h.household_id AND resident_id IS NULL
                  AND superseded_at IS NULL AND occurred_on <= $2
                  AND (kind NOT LIKE 'state.%' OR ended_on IS NULL OR $2 < ended_on)
                  AND (kind IN ('state.base_group', 'state.dwelling', 'state.relocated')
                       OR (period_to IS NOT NULL AND (kind LIKE 'income.%' OR kind = 'cost.production')))
                ORDER BY kind, occurred_on DESC, fact_id DESC
            ) newest
        ) f ON true
        WHERE h.household_id = ANY ($1::bigint[]) ORDER BY h.household_no
        """,
        household_ids,
        on,
    )
    return [dict(row) for row in rows]
