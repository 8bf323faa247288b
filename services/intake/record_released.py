"""Record rows that a person released (待核行放行): each as its feed would have recorded it, once."""

from typing import Any, cast

import asyncpg

from services.intake import repository_held as repository
from services.intake.catalogue import layout_named
from services.intake.publish_observations import BULK, events_of
from services.intake.repository_held import content_place
from services.intake.repository_ingest import load_feed
from shared.db.scope import transaction
from shared.messaging.outbox import enqueue
from shared.runtime import Runtime

ROWS_A_TURN = 100


async def record_released(runtime: Runtime) -> int:
    """Record the next released rows; how many."""
    async with transaction(runtime.worker_pool) as connection:
        rows = await repository.next_released(connection, ROWS_A_TURN)
        for row in rows:
            await _record(connection, runtime, row)
    if rows:
        runtime.waker.wake("relay")
    return len(rows)


async def _record(connection: asyncpg.Connection, runtime: Runtime, row: asyncpg.Record) -> None:
    """In one transaction with the decision's end: killed in between, the row is recorded in the next turn."""
    now, feed = runtime.clock.now(), await load_feed(connection, row["feed_id"])
    was = await repository.put_record(connection, feed, row, now)
    if was is not None:
        layout = layout_named(feed["layout"], feed["layout_version"])
        said = cast(Any, {"record": row["record"], "content": _opened(runtime, row)})
        changed = {row["record"]} if was == "changed" else ()
        for event in events_of(runtime, feed, layout, [said], now, changed):
            await enqueue(connection, event, aggregate="feed", priority=BULK)
    await repository.note_recorded(
        connection, row["feed_id"], row["line"], now, added=was == "added", changed=was == "changed"
    )


def _opened(runtime: Runtime, row: asyncpg.Record) -> str:
    return runtime.keys.open(row["sealed_content"], *content_place(row["feed_id"], row["line"]))
