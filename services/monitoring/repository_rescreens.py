"""Rescreens in the database: orders, progress, and whom time touched."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from shared.vocabulary.identifiers import new_id

_DUE = (
    "due_at = least(due_at, {now}),"
    " priority = CASE WHEN due_at IS NULL THEN {priority} ELSE least(priority, {priority}) END"
)


async def mark_area_due(
    connection: asyncpg.Connection, rescreen_id: UUID, lo: str, hi: str, *, now: datetime, priority: int
) -> int:
    """Make the households living in [lo, hi) due; how many. Locked in the order of their numbers."""
    count: int = await connection.fetchval(
        f"""
        WITH area AS MATERIALIZED (
            SELECT household_id FROM household WHERE living_division >= $2 AND living_division < $3
            ORDER BY household_id FOR NO KEY UPDATE
        ), marked AS (
            UPDATE household h SET rescreen_id = $1, {_DUE.format(now="$4", priority="$5")}
            FROM area WHERE h.household_id = area.household_id RETURNING 1
        )
        SELECT count(*) FROM marked
        """,
        rescreen_id,
        lo,
        hi,
        now,
        priority,
    )
    return count


async def add(
    connection: asyncpg.Connection,
    rescreen_id: UUID,
    division: str,
    households: int,
    reason: str,
    by: str,
    now: datetime,
) -> None:
    await connection.execute(
        """
        INSERT INTO rescreen (rescreen_id, division, households, reason, requested_by, requested_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        rescreen_id,
        division,
        households,
        reason,
        by,
        now,
    )


async def find(connection: asyncpg.Connection, rescreen_id: UUID) -> Mapping[str, Any] | None:
    """An order in the caller's range with what remains of it.

    A household ordered again counts for the later order.
    """
    row = await connection.fetchrow(
        """
        SELECT r.rescreen_id, r.division, r.reason, r.requested_at, r.households,
               (SELECT count(*) FROM household h
                WHERE h.rescreen_id = r.rescreen_id AND h.due_at IS NOT NULL) AS remaining
        FROM rescreen r WHERE r.rescreen_id = $1
        """,
        rescreen_id,
    )
    return dict(row) if row is not None else None


async def mark_touched_by_time(
    connection: asyncpg.Connection, today: date, *, now: datetime, priority: int, limit: int
) -> int:
    """Make households due whose answer may change today; those due already are left as they are."""
    count: int = await connection.fetchval(
        f"""
        WITH touched AS MATERIALIZED (
            SELECT household_id FROM household WHERE next_change_on <= $1 ORDER BY household_id LIMIT $4
            FOR NO KEY UPDATE SKIP LOCKED
        ), marked AS (
            UPDATE household h SET next_change_on = NULL, {_DUE.format(now="$2", priority="$3")}
            FROM touched WHERE h.household_id = touched.household_id RETURNING 1
        )
        SELECT count(*) FROM marked
        """,
        today,
        now,
        priority,
        limit,
    )
    return count


async def activate(connection: asyncpg.Connection, version: str, now: datetime) -> bool:
    """Remember that a policy version assesses from now on; False if it is the one that did so far.

    A version activated within the hour is passed over: while two releases run, each would undo the other.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('monitoring.policy_activation', 0))")
    last = await connection.fetchval(
        "SELECT policy_version FROM policy_activation ORDER BY activated_at DESC, activation_id DESC LIMIT 1"
    )
    lately = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM policy_activation WHERE policy_version = $1 AND activated_at > $2)",
        version,
        now - timedelta(hours=1),
    )
    if last == version or lately:
        return False
    await connection.execute(
        """
        INSERT INTO policy_activation (activation_id, division, policy_version, activated_at, activated_by)
        VALUES ($1, '000000000000', $2, $3, 'release')
        """,
        new_id(now),
        version,
        now,
    )
    return True


async def mark_all_due(connection: asyncpg.Connection, *, now: datetime, priority: int) -> int:
    """Make every household that was assessed before due again; how many."""
    count: int = await connection.fetchval(
        f"""
        WITH everyone AS MATERIALIZED (
            SELECT household_id FROM household WHERE assessment_id IS NOT NULL ORDER BY household_id FOR NO KEY UPDATE
        ), marked AS (
            UPDATE household h SET {_DUE.format(now="$1", priority="$2")}
            FROM everyone WHERE h.household_id = everyone.household_id RETURNING 1
        )
        SELECT count(*) FROM marked
        """,
        now,
        priority,
    )
    return count
