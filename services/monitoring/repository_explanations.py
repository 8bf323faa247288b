"""What explanations read of one household, and households near a line. Row-level security limits all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from services.monitoring.domain.near_miss import Line
from services.monitoring.domain.stored_outcome import UNKNOWN_SQL
from services.monitoring.repository_readings import SUMMARY

FACT_COLUMNS = """kind, occurred_on, ended_on, period_from, period_to, amount_fen, gross_fen, compliant_fen,
    other_fen, relief_fen, visit, stay, value, verified, source, data_set, attributes"""
_KNOWN = "recorded_at <= ${n} AND (superseded_at IS NULL OR superseded_at > ${n})"


async def known_since(connection: asyncpg.Connection, household_id: int) -> datetime:
    """The moment a household came to be known."""
    moment: datetime = await connection.fetchval(
        "SELECT created_at FROM household WHERE household_id = $1", household_id
    )
    return moment


async def members_at(
    connection: asyncpg.Connection, household_id: int, county: str, on: date, known_at: datetime
) -> list[dict[str, Any]]:
    """Who belonged to a household on a day, as known at a moment."""
    rows = await connection.fetch(
        f"""
        SELECT m.resident_id, m.relation, m.status, r.name, r.birth_date, r.died_on
        FROM household_member m JOIN resident r USING (resident_id)
        WHERE m.county = $2 AND m.household_id = $1 AND m.valid_from <= $3
          AND (m.valid_to IS NULL OR m.valid_to > $3) AND {_KNOWN.format(n=4)}
        ORDER BY m.relation <> '户主', m.valid_from, m.member_id
        """,
        household_id,
        county,
        on,
        known_at,
    )
    return [dict(row) for row in rows]


async def facts_at(
    connection: asyncpg.Connection, household_id: int, county: str, on: date, known_at: datetime
) -> list[dict[str, Any]]:
    """Everything that had happened to a household by a day, as known at a moment, the newest first."""
    rows = await connection.fetch(
        f"""
        SELECT resident_id, department, recorded_at, {FACT_COLUMNS} FROM fact
        WHERE county = $2 AND household_id = $1 AND occurred_on <= $3 AND {_KNOWN.format(n=4)}
        ORDER BY occurred_on DESC, fact_id DESC
        """,
        household_id,
        county,
        on,
        known_at,
    )
    return [dict(row) for row in rows]


async def assessment_standing(
    connection: asyncpg.Connection, household_id: int, on: date, known_at: datetime
) -> dict[str, Any] | None:
    """The stored assessment of a household that stood on a day, as known at a moment."""
    row = await connection.fetchrow(
        """
        SELECT on_date, known_at, policy_version, engine_version, outcome, facts_version FROM assessment
        WHERE household_id = $1 AND on_date <= $2 AND known_at <= $3 ORDER BY assessment_id DESC LIMIT 1
        """,
        household_id,
        on,
        known_at,
    )
    return dict(row) if row is not None else None


async def counties(connection: asyncpg.Connection, lo: str, hi: str) -> list[str]:
    """The counties that keep households living in [lo, hi)."""
    rows = await connection.fetch(
        "SELECT DISTINCT county FROM household WHERE living_division >= $1 AND living_division < $2 ORDER BY county",
        lo,
        hi,
    )
    return [row["county"] for row in rows]


@dataclass(frozen=True, slots=True)
class CountyLine:
    """A line of a county, within how many percent of it is near, and whose outcomes it reads.

    Those that the policy's `base` version made, or that read the same by its `terms` of today.
    """

    county: str
    percent: int
    base: str
    terms: Sequence[int]
    line: Line


async def near_misses(
    connection: asyncpg.Connection,
    lines: Sequence[CountyLine],
    *,
    lo: str,
    hi: str,
    on: date,
    within_days: int | None,
    after: int,
    limit: int,
) -> list[dict[str, Any]]:
    """Households living in [lo, hi) whose stored outcome lies near one of their county's lines and not across.

    Near: within the line's percent of it; or, for what grows through the year, that many days off at today's pace.
    `near` are the lines, in their order, with the number measured and the line of the whole household.
    """
    rows = await connection.fetch(
        f"""
        WITH line AS (
            SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::int[],
                                 $8::bigint[], $9::int[], $10::int[], $11::bigint[], $12::int[], $13::int[],
                                 $14::int[], $15::bool[]) WITH ORDINALITY
                AS l (county, percent, base, seed, seed_2, indicator, measured_at, threshold, threshold_at, choice_at,
                      choice, heads_at, fired_at, fired_bit, grows, place)
        )
        SELECT {SUMMARY}, h.county, near.lines AS near FROM household h
        JOIN standing s ON s.household_id = h.household_id
        JOIN assessment a ON a.household_id = s.household_id AND a.assessment_id = s.assessment_id
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(jsonb_build_object('indicator', indicator, 'measured', measured, 'line', line,
                       'heads', heads, 'grows', grows) ORDER BY place) AS lines
            FROM (
                SELECT l.indicator, l.place, l.percent, n.heads,
                       l.grows AND extract(year FROM a.on_date) = extract(year FROM $18::date) AS grows,
                       nullif(a.outcome[l.measured_at], {UNKNOWN_SQL}) AS measured,
                       coalesce(l.threshold, nullif(a.outcome[l.threshold_at], {UNKNOWN_SQL})) * n.heads AS line
                FROM line l CROSS JOIN LATERAL (
                    SELECT CASE WHEN l.heads_at IS NULL THEN 1 ELSE a.outcome[l.heads_at] END AS heads
                ) n
                WHERE l.county = h.county AND (l.choice IS NULL OR a.outcome[l.choice_at] = l.choice)
                  AND a.outcome[l.fired_at] >> l.fired_bit & 1 = 0
                  AND (split_part(a.policy_version, '~', 1) = l.base
                       OR a.digest = int8send(hash_array_extended(a.outcome, l.seed))
                                     || int8send(hash_array_extended(a.outcome, l.seed_2)))
            ) found
            WHERE measured IS NOT NULL AND line > 0
              AND (abs(measured - line) * 100 <= percent * line
                   OR grows AND measured > 0 AND line * $19 / measured + 1 - $19 <= $20)
        ) near
        WHERE h.living_division >= $16 AND h.living_division < $17 AND h.household_id > $21
          AND h.ended_on IS NULL AND near.lines IS NOT NULL
        ORDER BY h.household_id LIMIT $22
        """,
        [each.county for each in lines],
        [each.percent for each in lines],
        [each.base for each in lines],
        [each.terms[0] for each in lines],
        [each.terms[1] for each in lines],
        *([getattr(each.line, name) for each in lines] for name in _LINE),
        lo,
        hi,
        on,
        on.timetuple().tm_yday,
        within_days,
        after,
        limit,
    )
    return [dict(row) for row in rows]


_LINE: Sequence[str] = (
    "indicator",
    "measured_at",
    "threshold",
    "threshold_at",
    "choice_at",
    "choice",
    "heads_at",
    "fired_at",
    "fired_bit",
    "grows_through_year",
)


def as_fact(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a fact's row that the evaluator's fact has too."""
    return {name.strip(): row[name.strip()] for name in FACT_COLUMNS.split(",")}
