"""Write a message in the transaction of its cause; it leaves with the commit or not at all."""

import asyncpg

from shared.contracts.envelope import Event, WrittenEvent
from shared.db.pool import to_json
from shared.trace import current_trace

# Only the other services' messages are ever urgent: a subscriber outside that hangs must not stand before them.
ENQUEUE = """
WITH message AS (
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, traceparent, created_at)
    VALUES ($1, $2, $3, $4, $5::text::json, $6, $7) RETURNING id
)
INSERT INTO outbox_delivery (outbox_id, subscription_id, due_at, priority)
SELECT message.id, s.subscription_id, $7, CASE WHEN s.name LIKE 'internal:%' THEN $8 ELSE greatest($8, 5) END
FROM message, subscription s WHERE s.active AND $4 = ANY (s.types)
"""


async def enqueue(
    connection: asyncpg.Connection, event: Event | WrittenEvent, *, aggregate: str, priority: int = 5
) -> None:
    """Put a message into the outbox, with one delivery for each subscriber to its type.

    `priority`: 0 a person waits, 5 usual, 9 bulk. The caller wakes "relay" after the commit.
    """
    await connection.execute(
        ENQUEUE,
        event.id,
        aggregate,
        event.subject or "",
        event.type,
        event.data if isinstance(event.data, str) else to_json(event.data),
        event.traceparent or current_trace(),
        event.time,
        priority,
    )
