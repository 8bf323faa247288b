"""Told changes in the database, numbered in an order in which none appears behind one that was read."""

from typing import Any

import asyncpg

from shared.contracts.monitoring import RISK_CHANGED

MOST_AT_ONCE = 10_000


async def number_new(connection: asyncpg.Connection) -> None:
    """Number what was committed since; the lock lasts until this transaction ends, so numbers appear in order.

    A message written before another may be committed after it: numbers given at writing would let a reader pass it
    over for ever.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('monitoring.change_position', 0))")
    await connection.execute(
        """
        WITH new AS (
            SELECT id, nextval('outbox_position_seq') AS position FROM (
                SELECT id FROM outbox WHERE position IS NULL AND type = $1 ORDER BY id LIMIT $2
            ) o
        )
        UPDATE outbox SET position = new.position FROM new WHERE outbox.id = new.id
        """,
        RISK_CHANGED,
        MOST_AT_ONCE,
    )


async def after(connection: asyncpg.Connection, position: int, limit: int) -> list[dict[str, Any]]:
    """The changes behind a position, in order."""
    rows = await connection.fetch(
        """
        SELECT position, id, type, payload, created_at FROM outbox WHERE position > $1 ORDER BY position LIMIT $2
        """,
        position,
        limit,
    )
    return [dict(row) for row in rows]


async def kept(connection: asyncpg.Connection) -> tuple[int, int]:
    """The first position that is still kept, and the last that was ever given; (n + 1, n) if none is kept."""
    row = await connection.fetchrow(
        """
        SELECT s.last AS last, coalesce((SELECT min(position) FROM outbox), s.last + 1) AS first
        FROM (SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM outbox_position_seq) s
        """
    )
    assert row is not None
    return row["first"], row["last"]
