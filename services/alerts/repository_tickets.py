"""The SQL of correction tickets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.repository import Row, insert_rows

WAITING = "state IN ('open','answered')"


async def departments_of(connection: asyncpg.Connection, alert_id: UUID) -> list[str]:
    """The departments whose facts stand behind an alert."""
    rows = await connection.fetch(
        "SELECT DISTINCT item ->> 'department' AS department FROM alert_evidence"
        " WHERE alert_id = $1 AND kind = 'fact' AND item ->> 'department' IS NOT NULL ORDER BY 1",
        alert_id,
    )
    return [row["department"] for row in rows]


async def measured_of(connection: asyncpg.Connection, alert_id: UUID) -> dict[str, str | None]:
    """What was measured for each indicator that fired behind an alert, as told last."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (1) item ->> 'indicator' AS indicator, item ->> 'measured' AS measured"
        " FROM alert_evidence WHERE alert_id = $1 AND kind = 'finding' AND item ? 'measured'"
        " ORDER BY 1, evidence_id DESC",
        alert_id,
    )
    return {row["indicator"]: row["measured"] for row in rows}


async def open_tickets(connection: asyncpg.Connection, rows: Sequence[Row]) -> list[asyncpg.Record]:
    """Write tickets; those that are new (an answer sent again opens none)."""
    return await insert_rows(
        connection,
        "correction_ticket",
        rows,
        conflict="ON CONFLICT (alert_id, department) DO NOTHING",
        returning="*",
    )


async def waiting_of(connection: asyncpg.Connection, subjects: Sequence[str]) -> list[asyncpg.Record]:
    """The tickets of these subjects that wait for a corrected record, locked."""
    return await connection.fetch(
        f"SELECT * FROM correction_ticket WHERE subject = ANY ($1::text[]) AND {WAITING}"
        " ORDER BY ticket_id FOR UPDATE",
        subjects,
    )


async def close_corrected(connection: asyncpg.Connection, ids: Sequence[UUID], now: datetime) -> None:
    await connection.execute(
        "UPDATE correction_ticket SET state = 'corrected', closed_at = $2 WHERE ticket_id = ANY ($1::uuid[])",
        ids,
        now,
    )


async def ticket_by_id(scoped: asyncpg.Connection, ticket_id: UUID, department: str | None) -> asyncpg.Record | None:
    """A ticket; None if there is none in the scope, or it is another department's."""
    return await scoped.fetchrow(
        "SELECT * FROM correction_ticket WHERE ticket_id = $1 AND ($2::text IS NULL OR department = $2)",
        ticket_id,
        department,
    )


async def lock_ticket(connection: asyncpg.Connection, ticket_id: UUID) -> asyncpg.Record | None:
    """A ticket the caller may see, locked."""
    return await connection.fetchrow("SELECT * FROM correction_ticket WHERE ticket_id = $1 FOR UPDATE", ticket_id)


async def reply(connection: asyncpg.Connection, ticket_id: UUID, changes: dict[str, Any]) -> asyncpg.Record:
    """Write what a department said."""
    columns = ", ".join(f"{name} = ${i}" for i, name in enumerate(changes, start=2))
    row = await connection.fetchrow(
        f"UPDATE correction_ticket SET {columns} WHERE ticket_id = $1 RETURNING *", ticket_id, *changes.values()
    )
    assert row is not None
    return row


async def list_tickets(
    scoped: asyncpg.Connection,
    lo: str,
    hi: str,
    *,
    department: str | None,
    state: str | None,
    overdue_at: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Tickets of households living in [lo, hi), newest first."""
    return await scoped.fetch(
        f"""
        SELECT * FROM correction_ticket
        WHERE division >= $1 AND division < $2 AND ($3::text IS NULL OR department = $3)
          AND ($4::text IS NULL OR state = $4)
          AND ($5::timestamptz IS NULL OR ({WAITING} AND due_at < $5)) AND ($6::uuid IS NULL OR ticket_id < $6)
        ORDER BY ticket_id DESC LIMIT $7
        """,
        lo,
        hi,
        department,
        state,
        overdue_at,
        before,
        limit,
    )
