"""SQL of the layouts that counties added."""

from datetime import datetime
from typing import Any

import asyncpg

from services.intake.domain.feed_layout import FeedLayout


async def newest(connection: asyncpg.Connection, name: str) -> asyncpg.Record | None:
    """The newest version of that name, locked; of a name nobody uses, the name is locked."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('intake.own_layout/' || $1, 0))", name)
    return await connection.fetchrow(
        "SELECT version, division, document FROM own_layout WHERE name = $1 ORDER BY version DESC LIMIT 1", name
    )


async def add(
    connection: asyncpg.Connection, layout: FeedLayout, division: str, document: Any, by: str, now: datetime
) -> None:
    """Store a version; one that was retired is in use again."""
    await connection.execute(
        "UPDATE own_layout SET retired_at = NULL, changed_at = $2 WHERE name = $1", layout.name, now
    )
    await connection.execute(
        "INSERT INTO own_layout (name, version, division, document, created_by, created_at, changed_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $6)",
        layout.name,
        layout.version,
        division,
        document,
        by,
        now,
    )


async def retire(connection: asyncpg.Connection, name: str, division: str, now: datetime) -> bool:
    """Take all versions out of use; False if the division has none of that name in use."""
    status = await connection.execute(
        "UPDATE own_layout SET retired_at = $3, changed_at = $3"
        " WHERE name = $1 AND division = $2 AND retired_at IS NULL",
        name,
        division,
        now,
    )
    return status != "UPDATE 0"
