"""Taking up a cancelled rescreen again, in the database."""

from datetime import datetime
from uuid import UUID

import asyncpg


async def resume(connection: asyncpg.Connection, rescreen_id: UUID, now: datetime) -> bool:
    """Let the ranges that were not finished be due; False if it was not cancelled.

    A range that still runs keeps its lease, so that nobody begins it a second time.
    """
    resumed = await connection.fetchval(
        """
        UPDATE rescreen SET cancelled_at = NULL, cancelled_by = NULL
        WHERE rescreen_id = $1 AND cancelled_at IS NOT NULL RETURNING true
        """,
        rescreen_id,
    )
    if not resumed:
        return False
    await connection.execute(
        "UPDATE rescreen_range SET due_at = $2 WHERE rescreen_id = $1 AND finished_at IS NULL", rescreen_id, now
    )
    return True
