"""Answers of visitors in the database."""

from collections.abc import Sequence

import asyncpg

from services.monitoring.domain.warning import Answered
from shared.contracts.alerts import VerifiedItem


async def hold(connection: asyncpg.Connection, household_nos: Sequence[str]) -> dict[str, asyncpg.Record]:
    """Lock the households by their numbers and read what stands of them.

    Read by a statement of its own: the one that waits for a lock sees other tables as they were before it waited.
    """
    await connection.execute(
        "SELECT 1 FROM household WHERE household_no = ANY ($1::text[]) ORDER BY household_id FOR NO KEY UPDATE",
        household_nos,
    )
    rows = await connection.fetch(
        "SELECT h.household_id, h.household_no, h.risk, s.assessment_id FROM household h"
        " LEFT JOIN standing s ON s.household_id = h.household_id WHERE h.household_no = ANY ($1::text[])",
        household_nos,
    )
    return {row["household_no"]: row for row in rows}


async def add(connection: asyncpg.Connection, item: VerifiedItem, household: asyncpg.Record | None) -> bool:
    """Append an answer; False if this alert was answered before."""
    added = await connection.fetchval(
        """
        INSERT INTO verification (alert_id, subject, household_id, outcome, causes, visited_on, verified_at,
            officer_role, facts_version, policy_version, indicators, assessment_id, visit_minutes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (alert_id) DO NOTHING RETURNING true
        """,
        item.alert_id,
        item.subject,
        household["household_id"] if household else None,
        item.outcome.value,
        item.causes,
        item.visited_on,
        item.verified_at,
        item.officer_role.value,
        item.facts_version,
        item.policy_version,
        item.indicators,
        household["assessment_id"] if household else None,
        item.visit_minutes,
    )
    return bool(added)


async def remember(connection: asyncpg.Connection, household_id: int, item: VerifiedItem, answered: Answered) -> None:
    """Let the household know its last answer; one given earlier than the last known changes nothing."""
    await connection.execute(
        """
        UPDATE household SET last_outcome = $2, last_verified_at = $3, answered = $4, warned_at = NULL
        WHERE household_id = $1 AND (last_verified_at IS NULL OR last_verified_at <= $3)
        """,
        household_id,
        item.outcome.value,
        item.verified_at,
        answered.as_json(),
    )
