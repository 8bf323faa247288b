"""Find whom rows are about that carry only an own code (本部门编码), when their file is read to its end.

Then all is known that the file itself says of codes, wherever in it; and many are looked up at once.
"""

import asyncio
from collections.abc import Sequence

from services.intake import repository_crosswalk as crosswalk
from services.intake.coded_row import open_row
from services.intake.domain.feed_row import RawRow, looked_up
from services.intake.domain.own_code import CodeAlone
from services.intake.read_feed import FeedReading, check_found, keep_found
from services.intake.repository_crosswalk import CodedRow
from services.intake.repository_ingest import FEEDS
from services.intake.turn import Turn
from shared.db.scope import transaction
from shared.queue.claim import extend

ROWS_A_BATCH = 5000


async def find_by_code(reading: FeedReading, turn: Turn) -> bool:
    """Check all that waits and return True, or False when the turn is over."""
    if not reading.reader.layout.crosswalk:
        return True
    while await _batch(reading):
        if await turn.is_over():
            return False
    return True


async def _batch(reading: FeedReading) -> bool:
    """Check the next rows in one transaction; False if none waits."""
    async with transaction(reading.runtime.worker_pool) as connection:
        await extend(connection, FEEDS, (reading.feed_id,), reading.feed["lease_token"], reading.lease)
        waiting = await crosswalk.take_coded(connection, reading.feed_id, ROWS_A_BATCH)
        if not waiting:
            return False
        rows, alone = await asyncio.to_thread(_opened, reading, waiting)
        codes = [asked.code for each in alone for asked in each]
        owners = await crosswalk.owners_of(connection, reading.feed, reading.reader.layout, codes)
        found = [looked_up(row, asked, owners) for row, asked in zip(rows, alone, strict=True)]
        await keep_found(connection, reading, await asyncio.to_thread(check_found, reading, found))
    return True


def _opened(reading: FeedReading, waiting: Sequence[CodedRow]) -> tuple[list[RawRow], list[tuple[CodeAlone, ...]]]:
    """The rows as they were read, and the codes that each carries alone."""
    rows = [open_row(reading.runtime.keys, reading.feed_id, row) for row in waiting]
    return rows, [reading.checker.codes_alone(row) for row in rows]
