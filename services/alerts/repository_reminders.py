"""The SQL of overdue things: what departments and townships owe, and what was told of it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.repository import Connection, Row

# `about`: the sector, the department, or who gave the answer that is looked at again.
_OWED = """
SELECT 'task' AS owed, task_id AS item_id, round, due_at, sector AS about, alert_id
FROM sector_task WHERE state = 'open'
UNION ALL
SELECT 'recheck', r.verification_id, 1, r.due_at, v.officer_no, r.alert_id
FROM recheck r JOIN verification v USING (verification_id) WHERE r.state = 'due'
UNION ALL
SELECT 'ticket', ticket_id, 1, due_at, department, alert_id
FROM correction_ticket WHERE state IN ('open', 'answered')
"""


async def untold(connection: Connection, now: datetime, limit: int) -> list[asyncpg.Record]:
    """What is overdue and was not told yet, the longest overdue first."""
    return await connection.fetch(
        f"""
        SELECT o.*, a.subject, a.living_division FROM ({_OWED}) o JOIN alert a USING (alert_id)
        WHERE o.due_at <= $1 AND NOT EXISTS (
            SELECT FROM reminder r WHERE (r.owed, r.item_id, r.round) = (o.owed, o.item_id, o.round))
        ORDER BY o.due_at, o.item_id LIMIT $2
        """,
        now,
        limit,
    )


async def claim_reminders(connection: Connection, rows: Sequence[Row]) -> set[UUID]:
    """Write that these are told; those that another worker has told meanwhile are not among the answer."""
    made = await connection.fetch(
        """
        INSERT INTO reminder (owed, item_id, round, told_at, superior_at)
        SELECT owed, item_id, round, told_at, superior_at FROM json_populate_recordset(NULL::reminder, $1::json)
        ORDER BY owed, item_id ON CONFLICT DO NOTHING RETURNING item_id
        """,
        list(rows),
    )
    return {row["item_id"] for row in made}


async def due_for_superiors(connection: Connection, now: datetime, limit: int) -> list[asyncpg.Record]:
    """What is still owed and to be told to who stands above, locked; others' workers leave it alone."""
    return await connection.fetch(
        f"""
        SELECT o.*, a.subject, a.living_division FROM reminder r
        JOIN ({_OWED}) o ON (r.owed, r.item_id, r.round) = (o.owed, o.item_id, o.round)
        JOIN alert a USING (alert_id)
        WHERE r.superior_at <= $1 ORDER BY r.superior_at LIMIT $2 FOR UPDATE OF r SKIP LOCKED
        """,
        now,
        limit,
    )


async def mark_superiors_told(connection: Connection, items: Collection[UUID], now: datetime) -> None:
    await connection.execute(
        "UPDATE reminder SET superior_at = NULL, superior_told_at = $2 WHERE item_id = ANY ($1)"
        " AND superior_at IS NOT NULL",
        list(items),
        now,
    )


async def forget_settled(connection: Connection, now: datetime) -> None:
    """What was answered meanwhile is nobody's to be told any more."""
    await connection.execute(
        f"""
        UPDATE reminder SET superior_at = NULL WHERE superior_at <= $1 AND NOT EXISTS (
            SELECT FROM ({_OWED}) o WHERE (o.owed, o.item_id, o.round)
                = (reminder.owed, reminder.item_id, reminder.round))
        """,
        now,
    )
