"""Keep nothing longer than its layout says (保存期限): raw files and their keys, row errors, known records.

Feeds themselves stay, as counts without anybody's data. A list that waited for its confirmation all that time is
refused at last, since its raw file goes.
"""

from collections.abc import Iterable
from datetime import datetime

import asyncpg

from services.intake import repository_crosswalk as crosswalk
from services.intake import repository_retention as repository
from services.intake.catalogue import refresh_catalogue, versions
from services.intake.domain.feed_layout import FeedLayout
from services.intake.repository_ingest import destroy_raw, drop_staged
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.security.audit import audit

FEEDS_A_STEP = 100
ROWS_A_STEP = 20_000
ACTOR = "intake.retention"


async def keep_retention(runtime: Runtime) -> int:
    """Destroy all whose time is over; the number of files and rows. In steps, so that no lock lasts."""
    now, gone = runtime.clock.now(), 0
    await refresh_catalogue(runtime.worker_pool)
    for step in (_raw_files, _row_errors, _held_rows, _records, _codes):
        done = 1
        while done:
            async with transaction(runtime.worker_pool) as connection:
                done = await step(connection, _newest(), now)
            gone += done
    return gone


def _newest() -> list[FeedLayout]:
    """The newest version of every layout, also of those no longer in use: their data is still kept."""
    every = versions()
    return list({name: every[name, version] for name, version in sorted(every)}.values())


async def _raw_files(connection: asyncpg.Connection, known: Iterable[FeedLayout], now: datetime) -> int:
    """The raw files of the next feeds; what waits for a confirmation can no longer be read, and is refused."""
    feeds = await repository.raw_over(connection, known, now, FEEDS_A_STEP)
    ids = [feed["feed_id"] for feed in feeds]
    await destroy_raw(connection, ids, now)
    for feed in feeds:
        if feed["waits"]:
            await drop_staged(connection, feed["feed_id"])
            await repository.refuse_unconfirmed(connection, feed["feed_id"], now)
        await audit(connection, ACTOR, "feed.raw_destroyed", f"feed:{feed['feed_id']}", now=now)
    return len(feeds)


async def _row_errors(connection: asyncpg.Connection, known: Iterable[FeedLayout], now: datetime) -> int:
    return await repository.drop_row_errors(connection, known, now, ROWS_A_STEP)


async def _held_rows(connection: asyncpg.Connection, known: Iterable[FeedLayout], now: datetime) -> int:
    return await repository.drop_held(connection, known, now, ROWS_A_STEP)


async def _records(connection: asyncpg.Connection, known: Iterable[FeedLayout], now: datetime) -> int:
    return await repository.drop_records(connection, known, now, ROWS_A_STEP)


async def _codes(connection: asyncpg.Connection, known: Iterable[FeedLayout], now: datetime) -> int:
    """Whom codes stand for is kept as long as the raw file that last said it."""
    days = {layout.name: layout.raw_retention_days for layout in known}
    return await crosswalk.drop_codes(connection, days, now, ROWS_A_STEP)
