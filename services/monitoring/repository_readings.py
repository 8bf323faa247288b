"""What people read: lists, one household, its history, figures. Row-level security limits every one of these."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import asyncpg

_SUMMARY = """
    h.household_id, h.household_no, h.living_division, h.registered_division, h.head_name, h.phone, h.listed_as,
    h.listed_on, h.recommendation, h.severity, h.score, h.last_outcome
"""

# Filter -> condition on `household h`; the bind takes the place of {}. "none" asks for what is empty.
_CONDITIONS: Mapping[str, str] = {
    "lo": "h.living_division >= {}",
    "hi": "h.living_division < {}",
    "severity": "h.severity = {}",
    "recommendation": "h.recommendation = {}",
    "listed_as": "h.listed_as = {}",
    "last_outcome": "h.last_outcome = {}",
    "after": "h.household_id > {}",
}
NONE = "none"


async def households(
    connection: asyncpg.Connection, filters: Mapping[str, str | int], limit: int
) -> list[dict[str, Any]]:
    """Households that fit all filters, in the order of their numbers."""
    conditions, binds = ["true"], []
    for name, value in filters.items():
        if value == NONE:
            conditions.append(f"h.{name} IS NULL")
        else:
            binds.append(value)
            conditions.append(_CONDITIONS[name].format(f"${len(binds)}"))
    rows = await connection.fetch(
        f"SELECT {_SUMMARY} FROM household h WHERE {' AND '.join(conditions)} ORDER BY h.household_id"
        f" LIMIT ${len(binds) + 1}",
        *binds,
        limit,
    )
    return [dict(row) for row in rows]


async def household(connection: asyncpg.Connection, household_no: str) -> dict[str, Any] | None:
    """One household with the assessment that stands."""
    row = await connection.fetchrow(
        f"""
        SELECT {_SUMMARY}, h.county, h.facts_version, h.due_at, jsonb_array_length(h.waiting_reports) AS reports,
               a.on_date, a.known_at, a.policy_version, a.engine_version, a.measured, a.causes,
               a.facts_version AS assessed_version
        FROM household h LEFT JOIN assessment a ON a.assessment_id = h.assessment_id WHERE h.household_no = $1
        """,
        household_no,
    )
    return dict(row) if row is not None else None


async def members(connection: asyncpg.Connection, household_id: int, on: date) -> list[dict[str, Any]]:
    """Who belongs to a household on a day."""
    rows = await connection.fetch(
        """
        SELECT r.name, r.sex, r.birth_date, m.relation, m.status, m.valid_from FROM household_member m
        JOIN resident r USING (resident_id)
        WHERE m.household_id = $1 AND m.superseded_at IS NULL AND m.valid_from <= $2
          AND (m.valid_to IS NULL OR $2 < m.valid_to)
        ORDER BY m.relation <> '户主', m.valid_from, m.member_id
        """,
        household_id,
        on,
    )
    return [dict(row) for row in rows]


async def households_of_person(connection: asyncpg.Connection, number_index: bytes) -> list[dict[str, Any]]:
    """The households a person belongs to now."""
    rows = await connection.fetch(
        f"""
        SELECT {_SUMMARY} FROM resident r JOIN household_member m USING (resident_id)
        JOIN household h USING (household_id)
        WHERE r.number_index = $1 AND m.superseded_at IS NULL AND m.valid_to IS NULL ORDER BY h.household_id
        """,
        number_index,
    )
    return [dict(row) for row in rows]


async def assessments(connection: asyncpg.Connection, household_id: int) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        """
        SELECT on_date AS on, created_at, recommendation, severity, score, policy_version, facts_version
        FROM assessment WHERE household_id = $1 ORDER BY assessment_id DESC LIMIT 200
        """,
        household_id,
    )
    return [dict(row) for row in rows]


async def verifications(connection: asyncpg.Connection, household_id: int) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        """
        SELECT alert_id, outcome, causes, visited_on, verified_at, officer_role FROM verification
        WHERE household_id = $1 ORDER BY verification_id DESC LIMIT 200
        """,
        household_id,
    )
    return [dict(row) for row in rows]


async def decisions(connection: asyncpg.Connection, household_id: int) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        """
        SELECT decision_id, action, listed_as, previously, recommended, decided_on, document_no, reason,
               decided_by_name
        FROM decision WHERE household_id = $1 ORDER BY recorded_at DESC LIMIT 200
        """,
        household_id,
    )
    return [dict(row) for row in rows]


async def facts_version_at(connection: asyncpg.Connection, household_id: int, county: str, known_at: datetime) -> int:
    """The facts_version a household had at a moment."""
    version: int = await connection.fetchval(
        "SELECT coalesce(max(facts_version), 0) FROM fact"
        " WHERE county = $1 AND household_id = $2 AND recorded_at <= $3",
        county,
        household_id,
        known_at,
    )
    return version


async def counts(connection: asyncpg.Connection, lo: str, hi: str, digits: int) -> list[dict[str, Any]]:
    """Households living in [lo, hi) by each dimension; `digits` is the length of a child division's prefix."""
    rows = await connection.fetch(
        """
        SELECT grouping(recommendation, listed_as, severity, last_outcome, child) AS dimension,
               recommendation, listed_as, severity, last_outcome, child, count(*) AS households,
               count(assessment_id) AS assessed
        FROM (SELECT recommendation, listed_as, severity, last_outcome, assessment_id,
                     left(living_division, $3) AS child
              FROM household WHERE living_division >= $1 AND living_division < $2) AS h
        GROUP BY GROUPING SETS ((), (recommendation), (listed_as), (severity), (last_outcome), (child))
        ORDER BY dimension, recommendation, listed_as, severity DESC, last_outcome, child
        """,
        lo,
        hi,
        digits,
    )
    return [dict(row) for row in rows]


async def unmatched(connection: asyncpg.Connection, after: int, limit: int) -> list[dict[str, Any]]:
    """What waits for its person, in the order it came."""
    rows = await connection.fetch(
        """
        SELECT unmatched_id, division, data_set, record_key, kind, household_no, received_at, entry
        FROM unmatched_observation WHERE unmatched_id > $1 ORDER BY unmatched_id LIMIT $2
        """,
        after,
        limit,
    )
    return [dict(row) for row in rows]


async def precision(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    """Of the answers in the caller's range, by indicator: how many, and how many were to identify."""
    rows = await connection.fetch(
        """
        SELECT indicator, count(*) AS verified, count(*) FILTER (WHERE v.outcome = 'identify') AS identified
        FROM verification v CROSS JOIN unnest(v.indicators) AS indicator GROUP BY indicator ORDER BY indicator
        """
    )
    return [dict(row) for row in rows]
