"""Record what is new or different in a settled feed and say so to monitoring, each batch in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from services.intake import repository_crosswalk as crosswalk
from services.intake import repository_ingest as repository
from services.intake.domain.feed_layout import FeedLayout
from services.intake.note_authorisations import note_authorisations
from services.intake.publish_observations import BULK, covering_event, ending_events, events_of, events_of_texts
from services.intake.repository_ingest import FEEDS, Place
from services.intake.settle_feed import ends_unlisted
from services.intake.turn import Turn
from shared.contracts.envelope import Event, WrittenEvent
from shared.db.scope import transaction
from shared.messaging.outbox import enqueue
from shared.queue.claim import extend
from shared.runtime import Runtime

BATCH_RECORDS = 30_000
BATCH_HOUSEHOLDS = 2000


@dataclass(frozen=True, slots=True)
class Recording:
    """One turn of recording one feed."""

    runtime: Runtime
    feed: asyncpg.Record
    layout: FeedLayout
    lease: timedelta


async def record_batches(recording: Recording, turn: Turn) -> bool:
    """Record all that is left and return True, or False when the turn is over."""
    after = _recorded_up_to(recording)
    while (last := await _record_batch(recording, after)) is not None:
        after = last
        if await turn.is_over():
            return False
    if ends_unlisted(recording.layout, recording.feed["rejected"]):
        while await _end_batch(recording):
            if await turn.is_over():
                return False
    await _say_what_it_covers(recording)
    return True


def _recorded_up_to(recording: Recording) -> Place | str:
    feed = recording.feed
    if recording.layout.household is not None:
        return feed["merged_after"] or ""
    return Place(-1, -1) if feed["merged_line"] is None else Place(feed["merged_shelf"], feed["merged_line"])


async def _record_batch(recording: Recording, after: Place | str) -> Place | str | None:
    """Merge the next records and enqueue what changed; the last row or key, or None when there were none.

    The feed itself is touched last: monitoring's answers to earlier batches are noted there meanwhile. A lease lost
    by then takes all of the batch back.
    """
    feed, layout = recording.feed, recording.layout
    record = _record_rows if layout.household is None else _record_households
    async with transaction(recording.runtime.worker_pool) as connection:
        await _hold(recording, connection)
    async with transaction(recording.runtime.worker_pool) as connection:
        await repository.expect_lookups(connection)
        last, records, was = await record(recording, connection, after)  # type: ignore[arg-type]
        await _hold(recording, connection)
        if last is None:
            return None
        await repository.note_merge(
            connection,
            feed["feed_id"],
            last=last,
            added=was["added"],
            changed=was["changed"],
            unchanged=records - was.total(),
        )
    recording.runtime.waker.wake("relay")
    return last


async def _record_rows(
    recording: Recording, connection: asyncpg.Connection, after: Place
) -> tuple[Place | None, int, Counter[str]]:
    """Record the next rows; the last, how many rows they are, and what became of those that are not known."""
    feed, layout, now = recording.feed, recording.layout, recording.runtime.clock.now()
    last, records = await repository.next_rows(connection, feed["feed_id"], after, BATCH_RECORDS)
    if last is None:
        return None, 0, Counter()
    rows = await repository.merge_batch(connection, feed, layout, after, last, now)
    await crosswalk.learn(connection, feed, layout, after.line, last.line)
    texts = await repository.texts_between(connection, feed["feed_id"], after, last) if rows else []
    lines = {row["line"] for row in rows if row["content"] is None}
    await _say(connection, await asyncio.to_thread(events_of_texts, feed, layout, texts, lines, now))
    alone = [row for row in rows if row["content"] is not None]
    changed = {row["record"] for row in alone if row["known"]}
    await note_authorisations(connection, feed, layout, alone)
    await _say(connection, await asyncio.to_thread(events_of, recording.runtime, feed, layout, alone, now, changed))
    return last, records, _was(rows)


async def _record_households(
    recording: Recording, connection: asyncpg.Connection, after: str
) -> tuple[str | None, int, Counter[str]]:
    """Record the next households; the last key, how many they are, and what became of those that are not known."""
    feed, layout, now = recording.feed, recording.layout, recording.runtime.clock.now()
    last, records = await repository.next_households(connection, feed["feed_id"], after, BATCH_HOUSEHOLDS)
    if last is None:
        return None, 0, Counter()
    found = await repository.merge_batch(connection, feed, layout, after, last, now)
    rows = await repository.contents(connection, feed["feed_id"], [row["record"] for row in found])
    await note_authorisations(connection, feed, layout, rows)
    await _say(connection, await asyncio.to_thread(events_of, recording.runtime, feed, layout, rows, now))
    return last, records, _was(found)


def _was(rows: Sequence[asyncpg.Record]) -> Counter[str]:
    return Counter("changed" if row["known"] else "added" for row in rows)


async def _end_batch(recording: Recording) -> int:
    """End the next records that the snapshot does not list; how many."""
    feed, now = recording.feed, recording.runtime.clock.now()
    async with transaction(recording.runtime.worker_pool) as connection:
        await _hold(recording, connection)
        await repository.expect_many(connection)
        ended = await repository.end_unlisted(connection, feed, BATCH_RECORDS, now)
        await _say(connection, ending_events(feed, recording.layout, ended, now))
    recording.runtime.waker.wake("relay")
    return len(ended)


async def _say_what_it_covers(recording: Recording) -> None:
    """The last message of a feed; said again if the worker dies before the feed is closed, which changes nothing."""
    event = covering_event(recording.feed, recording.layout, recording.runtime.clock.now())
    if event is not None:
        async with transaction(recording.runtime.worker_pool) as connection:
            await _hold(recording, connection)
            await _say(connection, [event])
        recording.runtime.waker.wake("relay")


async def _hold(recording: Recording, connection: asyncpg.Connection) -> None:
    key, token = (recording.feed["feed_id"],), recording.feed["lease_token"]
    await extend(connection, FEEDS, key, token, recording.lease)


async def _say(connection: asyncpg.Connection, events: Sequence[Event | WrittenEvent]) -> None:
    for event in events:
        await enqueue(connection, event, aggregate="feed", priority=BULK)
