"""Tell intake what became of its feeds: the counts of many messages in one, a few times a second at most."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import asyncpg

from services.monitoring.announce import USUAL, announce_progress
from shared.contracts.progress import FeedCounts, ProgressItem
from shared.db.scope import transaction
from shared.runtime import Runtime

# Whoever else tells waits for these rows, and then finds them gone.
TAKE = """
WITH told AS (DELETE FROM feed_count RETURNING feed_id, matched, unmatched, changed)
SELECT feed_id, sum(matched)::bigint AS matched, sum(unmatched)::bigint AS unmatched, sum(changed)::bigint AS changed
FROM told GROUP BY feed_id ORDER BY feed_id
"""


async def note_counts(connection: asyncpg.Connection, feed_id: str, counts: FeedCounts) -> None:
    """Keep what one message of a feed did until it is told; appended, so that no message waits for another."""
    await connection.execute(
        "INSERT INTO feed_count (feed_id, matched, unmatched, changed) VALUES ($1, $2, $3, $4)",
        feed_id,
        counts.matched,
        counts.unmatched,
        counts.changed,
    )


async def tell_counts(runtime: Runtime) -> int:
    """Tell what was counted since the last time.

    Always 0: what is counted meanwhile waits for the next tick, so that a flood of messages is told now and then.
    """
    now = runtime.clock.now()
    async with transaction(runtime.worker_pool) as connection:
        rows: Sequence[asyncpg.Record] = await connection.fetch(TAKE)
        items = [_item(row, now) for row in rows]
        await announce_progress(connection, items, now=now, priority=USUAL)
    if items:
        runtime.waker.wake("relay")
    return 0


def _item(row: asyncpg.Record, now: datetime) -> ProgressItem:
    counts = FeedCounts(matched=row["matched"], unmatched=row["unmatched"], changed=row["changed"])
    stage: Literal["matched", "unmatched"] = "matched" if counts.matched else "unmatched"
    return ProgressItem(feed_id=row["feed_id"], stage=stage, at=now, counts=counts)
