"""The SQL of requests that are answered once."""

from datetime import datetime
from typing import Any

import asyncpg

from services.alerts.repository import Connection


async def claim_key(
    connection: Connection, client: str, key: str, fingerprint: bytes, now: datetime
) -> asyncpg.Record | None:
    """Take a client's key for this request; the earlier request's row if it is taken."""
    taken = await connection.fetchval(
        "INSERT INTO idempotency_key (client, key, fingerprint, status, answer, created_at) "
        "VALUES ($1, $2, $3, 200, '{}', $4) ON CONFLICT DO NOTHING RETURNING true",
        client,
        key,
        fingerprint,
        now,
    )
    if taken:
        return None
    return await connection.fetchrow("SELECT * FROM idempotency_key WHERE client = $1 AND key = $2", client, key)


async def store_answer(connection: Connection, client: str, key: str, answer: dict[str, Any]) -> None:
    """Remember the answer of a request whose key was taken."""
    await connection.execute(
        "UPDATE idempotency_key SET answer = $3 WHERE client = $1 AND key = $2", client, key, answer
    )
