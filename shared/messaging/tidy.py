"""Remove what has done its duty: messages taken in or delivered, and answers kept for repeats, after 35 days."""

from datetime import datetime

import asyncpg

from shared.db.scope import transaction
from shared.messaging.inbox import KEPT
from shared.runtime import Runtime

ROWS_A_STEP = 20_000

# Nothing that waits or failed is ever removed: a dead delivery stays until a person dealt with it.
_DELIVERED = """
WITH old AS (
    SELECT o.id FROM outbox o WHERE o.created_at < $1
    AND NOT EXISTS (SELECT FROM outbox_delivery d WHERE d.outbox_id = o.id AND d.state <> 'delivered') LIMIT $2
), gone AS (DELETE FROM outbox_delivery d USING old WHERE d.outbox_id = old.id)
DELETE FROM outbox o USING old WHERE o.id = old.id
"""
_TAKEN_IN = """
DELETE FROM inbox WHERE (source, event_id) IN (SELECT source, event_id FROM inbox WHERE event_time < $1 LIMIT $2)
"""
_ANSWERED = """
DELETE FROM idempotency_key
WHERE (client, key) IN (SELECT client, key FROM idempotency_key WHERE created_at < $1 LIMIT $2)
"""


async def tidy(runtime: Runtime) -> int:
    """Remove what is older than the inbox remembers; the number of rows. In steps, so that no lock lasts."""
    before, removed = runtime.clock.now() - KEPT, 0
    for statement in (_DELIVERED, _TAKEN_IN, _ANSWERED):
        done = ROWS_A_STEP
        while done == ROWS_A_STEP:
            async with transaction(runtime.worker_pool) as connection:
                done = await _removed(connection, statement, before)
            removed += done
    return removed


async def _removed(connection: asyncpg.Connection, statement: str, before: datetime) -> int:
    return int((await connection.execute(statement, before, ROWS_A_STEP)).split()[-1])
