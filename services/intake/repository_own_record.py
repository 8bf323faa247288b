"""SQL of looks into one's own record."""

from datetime import datetime
from uuid import UUID

import asyncpg


async def newest(connection: asyncpg.Connection, person: bytes, since: datetime) -> asyncpg.Record | None:
    return await connection.fetchrow(
        "SELECT * FROM own_record WHERE person_index = $1 AND asked_at >= $2 ORDER BY asked_at DESC LIMIT 1",
        person,
        since,
    )


async def ask(connection: asyncpg.Connection, request_id: UUID, division: str, person: bytes, at: datetime) -> None:
    await connection.execute(
        "INSERT INTO own_record (request_id, division, person_index, asked_at) VALUES ($1, $2, $3, $4)",
        request_id,
        division,
        person,
        at,
    )


async def lock(connection: asyncpg.Connection, request_id: UUID) -> asyncpg.Record | None:
    return await connection.fetchrow("SELECT * FROM own_record WHERE request_id = $1 FOR UPDATE", request_id)


async def answer(connection: asyncpg.Connection, request_id: UUID, sealed: bytes, at: datetime) -> None:
    await connection.execute(
        "UPDATE own_record SET sealed_answer = $2, answered_at = $3 WHERE request_id = $1", request_id, sealed, at
    )


async def looks_at_reports(connection: asyncpg.Connection, person: bytes, limit: int) -> list[asyncpg.Record]:
    """Who read the person's reports or their attachments here; for the worker, as requests read no trail."""
    return await connection.fetch(
        """
        WITH mine AS (SELECT report_id FROM self_report WHERE person_index = $1)
        SELECT at, actor_kind, action, purpose, detail FROM audit_log
        WHERE object LIKE 'report:%' AND object IN (SELECT 'report:' || report_id FROM mine)
          AND action IN ('self_report.read', 'attachment.download', 'attachment.list') ORDER BY at DESC LIMIT $2
        """,
        person,
        limit,
    )


async def drop_older(connection: asyncpg.Connection, before: datetime, limit: int) -> int:
    status = await connection.execute(
        "DELETE FROM own_record WHERE request_id IN"
        " (SELECT request_id FROM own_record WHERE asked_at < $1 ORDER BY asked_at LIMIT $2)",
        before,
        limit,
    )
    return int(status.split()[-1])
