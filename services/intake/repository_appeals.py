"""SQL of appeals."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg


async def add(connection: asyncpg.Connection, row: dict[str, Any]) -> bool:
    """File an appeal; False if one is open against the same answer."""
    columns = ", ".join(row)
    places = ", ".join(f"${i}" for i in range(1, len(row) + 1))
    sql = f"INSERT INTO appeal ({columns}) VALUES ({places}) ON CONFLICT DO NOTHING RETURNING appeal_id"
    return await connection.fetchval(sql, *row.values()) is not None


async def lock(connection: asyncpg.Connection, appeal_id: UUID) -> asyncpg.Record | None:
    return await connection.fetchrow("SELECT * FROM appeal WHERE appeal_id = $1 FOR UPDATE", appeal_id)


async def by_id(connection: asyncpg.Connection, appeal_id: UUID) -> asyncpg.Record | None:
    return await connection.fetchrow("SELECT * FROM appeal WHERE appeal_id = $1", appeal_id)


async def of_reports(connection: asyncpg.Connection, roots: list[UUID]) -> list[asyncpg.Record]:
    """The appeals about these reports, the newest first."""
    return await connection.fetch(
        "SELECT * FROM appeal WHERE report_id = ANY ($1) ORDER BY appeal_id DESC LIMIT 100", roots
    )


async def open_of(connection: asyncpg.Connection, subject: str) -> asyncpg.Record | None:
    return await connection.fetchrow(
        "SELECT * FROM appeal WHERE subject = $1 AND state IN ('filed','looked_at') FOR UPDATE", subject
    )


async def listed(
    connection: asyncpg.Connection, *, state: str | None, overdue_on: date | None, before: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Appeals in scope, the newest first; with `overdue_on` only those whose time had passed by that day."""
    return await connection.fetch(
        """
        SELECT * FROM appeal
        WHERE ($1::text IS NULL OR state = $1) AND ($3::uuid IS NULL OR appeal_id < $3)
          AND ($2::date IS NULL OR (state IN ('filed','looked_at') AND due_on < $2))
        ORDER BY appeal_id DESC LIMIT $4
        """,
        state,
        overdue_on,
        before,
        limit,
    )


async def decide(
    connection: asyncpg.Connection, appeal_id: UUID, state: str, by: str, sealed_reason: bytes, at: datetime
) -> None:
    await connection.execute(
        "UPDATE appeal SET state = $2, decided_by = $3, sealed_decision = $4, decided_at = $5 WHERE appeal_id = $1",
        appeal_id,
        state,
        by,
        sealed_reason,
        at,
    )


async def withdraw(connection: asyncpg.Connection, appeal_id: UUID) -> None:
    await connection.execute("UPDATE appeal SET state = 'withdrawn' WHERE appeal_id = $1", appeal_id)


async def note_alert(connection: asyncpg.Connection, appeal_id: UUID, alert_id: UUID | None) -> None:
    """Remember the newest alert that looks again."""
    await connection.execute(
        "UPDATE appeal SET alert_id = greatest(alert_id, $2) WHERE appeal_id = $1", appeal_id, alert_id
    )


async def note_look(
    connection: asyncpg.Connection, appeal_id: UUID, state: str, by: str | None, outcome: str | None, at: datetime
) -> None:
    """Remember what the new look found."""
    await connection.execute(
        "UPDATE appeal SET state = $2, looked_by = $3, look_outcome = $4, looked_at = $5 WHERE appeal_id = $1",
        appeal_id,
        state,
        by,
        outcome,
        at,
    )
