"""SQL of a raw file that goes back to its sender: under row-level security, inside the caller's scope."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg


async def raw_file(connection: asyncpg.Connection, feed_id: UUID, department: str | None) -> asyncpg.Record | None:
    """What is needed to read the raw file of a feed again."""
    return await connection.fetchrow(
        "SELECT feed_id, layout, layout_version, department, media_type, unknown, sheet, chunks, size_bytes,"
        " sealed_key FROM feed WHERE feed_id = $1 AND ($2::text IS NULL OR department = $2)",
        feed_id,
        department,
    )


async def errors_between(
    connection: asyncpg.Connection, feed_id: UUID, first: int, last: int
) -> Sequence[asyncpg.Record]:
    """What is wrong in these lines, both ends included."""
    return await connection.fetch(
        "SELECT line, header, level, reason, expected, example FROM feed_row_error"
        " WHERE feed_id = $1 AND line BETWEEN $2 AND $3 ORDER BY line, error_id",
        feed_id,
        first,
        last,
    )
