"""SQL of limits: counts that all replicas share."""

from datetime import datetime

import asyncpg


async def use_once(
    connection: asyncpg.Connection, kind: str, subject: bytes, window_start: datetime, most: int
) -> bool:
    """Count one use; False, and nothing counted, if there were `most` already."""
    used = await connection.fetchval(
        """
        INSERT INTO limit_count AS l (kind, subject, window_start, used) VALUES ($1, $2, $3, 1)
        ON CONFLICT (kind, subject, window_start) DO UPDATE SET used = l.used + 1 WHERE l.used < $4 RETURNING used
        """,
        kind,
        subject,
        window_start,
        most,
    )
    return used is not None


async def used(connection: asyncpg.Connection, kind: str, subject: bytes, window_start: datetime) -> int:
    """How often it was done in the window."""
    count = await connection.fetchval(
        "SELECT used FROM limit_count WHERE (kind, subject, window_start) = ($1, $2, $3)", kind, subject, window_start
    )
    return count or 0


async def forget(connection: asyncpg.Connection, before: datetime, limit: int) -> int:
    """Drop counts of windows long over; how many."""
    status = await connection.execute(
        "DELETE FROM limit_count WHERE ctid = ANY"
        " (ARRAY(SELECT ctid FROM limit_count WHERE window_start < $1 LIMIT $2))",
        before,
        limit,
    )
    return int(status.split()[-1])
