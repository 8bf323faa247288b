"""What people read: lists, one household, its history, figures. Row-level security limits every one of these."""

from datetime import date, datetime
from typing import Any

import asyncpg

from services.monitoring.repository_register import NAMED

# The column of the score is 0 before anybody assessed the household: then it is unknown.
SUMMARY = """
    h.household_id, h.household_no, h.living_division, h.registered_division, h.head_name, h.phone, h.listed_as,
    h.listed_on, h.recommendation, h.severity, h.last_outcome,
    CASE WHEN EXISTS (SELECT FROM standing s WHERE s.household_id = h.household_id AND s.assessment_id IS NOT NULL)
         THEN h.score END AS score
"""


async def household(connection: asyncpg.Connection, household_no: str) -> dict[str, Any] | None:
    """One household with the assessment that stands."""
    row = await connection.fetchrow(
        f"""
        SELECT {SUMMARY}, h.county, h.ended_on, h.facts_version, h.due_at,
               jsonb_array_length(h.waiting_reports) AS reports,
               a.on_date, a.known_at, a.policy_version, a.engine_version, a.measured, a.outcome, a.causes,
               a.facts_version AS assessed_version
        FROM household h
        LEFT JOIN standing s ON s.household_id = h.household_id
        LEFT JOIN assessment a ON a.household_id = s.household_id AND a.assessment_id = s.assessment_id
        WHERE h.household_no = $1
        """,
        household_no,
    )
    return dict(row) if row is not None else None


async def members(connection: asyncpg.Connection, household_id: int, on: date) -> list[dict[str, Any]]:
    """Who belongs to a household on a day."""
    rows = await connection.fetch(
        """
        SELECT r.resident_id AS member_id, r.name, r.sex, r.birth_date, m.relation, m.status, m.valid_from
        FROM household_member m
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
        SELECT {SUMMARY} FROM resident r JOIN household_member m USING (resident_id)
        JOIN household h USING (household_id)
        WHERE r.resident_id = {NAMED} AND m.superseded_at IS NULL AND m.valid_to IS NULL ORDER BY h.household_id
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
               decided_by_name, removal_blockers
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


async def unmatched(connection: asyncpg.Connection, after: int, limit: int) -> list[dict[str, Any]]:
    """What waits for its person, in the order it came."""
    rows = await connection.fetch(
        """
        SELECT unmatched_id, division, data_set, record_key, kind, household_no, received_at, recorded_at,
               entry
        FROM unmatched_observation WHERE unmatched_id > $1 AND op IN ('put', 'end')
        ORDER BY unmatched_id LIMIT $2
        """,
        after,
        limit,
    )
    return [dict(row) for row in rows]
