"""SQL of data notices: what is owed, what has been said, and what is read of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.intake.domain.notice import Notice
from services.intake.repository_connectors import RESTED
from shared.vocabulary.identifiers import new_id

VIEW = "notice_id, kind, layout, department, division, connector, due_by, detail, opened_at, closed_at"


async def lock_notices(connection: asyncpg.Connection) -> None:
    """One watcher at a time: two would say the same twice."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('intake.data_notice', 0))")


async def last_received(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """For each data set and division: when the first and the last recorded file came."""
    return await connection.fetch(
        "SELECT layout, division, min(received_at) AS first_at, max(received_at) AS last_at FROM feed"
        " WHERE status = 'recorded' GROUP BY layout, division"
    )


async def failing_connectors(connection: asyncpg.Connection, since: datetime) -> list[asyncpg.Record]:
    """Connectors that fail since then, or in a way that waiting does not mend, and those put to rest for it."""
    return await connection.fetch(
        "SELECT name, layout, department, division, failure FROM connector"
        " WHERE (active OR failure->>'code' = $2) AND failure IS NOT NULL"
        " AND (failed_at <= $1 OR failure->>'code' NOT IN ('busy', 'unreachable', 'answer_unreadable'))",
        since,
        RESTED,
    )


async def open_notices(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    return await connection.fetch(f"SELECT {VIEW} FROM data_notice WHERE closed_at IS NULL")


async def open_(connection: asyncpg.Connection, notices: Sequence[Notice], now: datetime) -> list[asyncpg.Record]:
    """Store the notices; the rows they made."""
    rows = [
        (new_id(now), n.kind.value, n.layout, n.department, n.division, n.connector, n.due_by, n.detail, now)
        for n in notices
    ]
    return list(
        await connection.fetchmany(
            "INSERT INTO data_notice (notice_id, kind, layout, department, division, connector, due_by, detail,"
            f" opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING {VIEW}",
            rows,
        )
    )


async def close(connection: asyncpg.Connection, ids: Sequence[UUID], now: datetime) -> list[asyncpg.Record]:
    """Take notices back; the rows they were."""
    return await connection.fetch(
        f"UPDATE data_notice SET closed_at = $2 WHERE notice_id = ANY ($1) RETURNING {VIEW}", list(ids), now
    )


async def list_notices(
    connection: asyncpg.Connection, department: str | None, *, closed: bool, before: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Notices in range, of that department (null: any), newest first; open ones, or those taken back."""
    return await connection.fetch(
        f"""
        SELECT {VIEW} FROM data_notice
        WHERE ($1::text IS NULL OR department = $1) AND (closed_at IS NOT NULL) = $2
          AND ($3::uuid IS NULL OR notice_id < $3)
        ORDER BY notice_id DESC LIMIT $4
        """,
        department,
        closed,
        before,
        limit,
    )
