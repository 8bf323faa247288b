"""Take a received file in: read it, check it, record what is new or different, say it to monitoring.

Every step ends with a checkpoint in the transaction of its effect, and only while the feed's lease is held: killed at
any moment, the next turn goes on behind the last checkpoint and comes to the same end.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.intake import repository_held as held
from services.intake import repository_ingest as repository
from services.intake.catalogue import layout_named, refresh_catalogue
from services.intake.domain.feed import FeedStatus
from services.intake.domain.feed_row import RowContext, successors
from services.intake.file_limits import limits_of, settings_of
from services.intake.find_by_code import find_by_code
from services.intake.read_feed import FeedReading, read_pieces
from services.intake.read_rows import FileRefused
from services.intake.record_feed import Recording, record_batches
from services.intake.record_released import record_released
from services.intake.repository_feeds import villages_in_force, villages_retired
from services.intake.repository_ingest import FEEDS
from services.intake.repository_replays import version_before
from services.intake.settings import IntakeSettings
from services.intake.settle_feed import settle_feed
from services.intake.turn import Turn
from shared.db.scope import transaction
from shared.logs import log
from shared.queue.backoff import delay
from shared.queue.claim import LeaseLost, extend, finish, postpone
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.vocabulary.division import code_range

RETRIES = tuple(timedelta(seconds=s) for s in (1, 5, 30, 120))


async def ingest_once(runtime: Runtime) -> int:
    """Give the next due feed one turn, or record what persons released meanwhile; 0 if there is neither."""
    settings = settings_of(runtime)
    await refresh_catalogue(runtime.worker_pool)
    async with transaction(runtime.worker_pool) as connection:
        feed = await repository.claim_feed(connection, runtime.clock.now(), _lease(settings))
    if feed is None:
        return await record_released(runtime)
    try:
        await _turn(runtime, settings, feed)
    except LeaseLost:
        log.warning("ingest.lease_lost", feed_id=str(feed["feed_id"]))
    except Exception:
        await _postpone(runtime, settings, feed)
        raise
    return 1


async def _turn(runtime: Runtime, settings: IntakeSettings, feed: asyncpg.Record) -> None:
    """Go on with the feed until it is at an end or the turn is over."""
    turn = Turn(runtime, feed["feed_id"], settings.feed_slice_seconds)
    feed = await _unless_staging_was_lost(runtime, feed)
    if feed["status"] != FeedStatus.RECORDING:
        status = await _read_and_settle(runtime, settings, feed, turn)
        if status is not FeedStatus.RECORDING:
            return
        feed = await _reload(runtime, feed)
    recording = Recording(runtime, feed, layout_named(feed["layout"], feed["layout_version"]), _lease(settings))
    if await record_batches(recording, turn):
        await _close(runtime, feed, FeedStatus.RECORDED)
    else:
        await _give_back(runtime, feed)


async def _unless_staging_was_lost(runtime: Runtime, feed: asyncpg.Record) -> asyncpg.Record:
    """Staged rows are unlogged: a crash of the server empties them, and the file is read again."""
    async with transaction(runtime.worker_pool) as connection:
        if await repository.staged_rows(connection, feed["feed_id"]) == feed["staged"]:
            return feed
        log.warning("ingest.read_again", feed_id=str(feed["feed_id"]))
        await repository.begin_again(connection, feed["feed_id"])
    return await _reload(runtime, feed)


async def _read_and_settle(
    runtime: Runtime, settings: IntakeSettings, feed: asyncpg.Record, turn: Turn
) -> FeedStatus:
    """Read what is left, then decide; the feed's status afterwards (reading: the turn was over first)."""
    context, bounds = await _context(runtime, feed), (settings.feed_row_limit, settings.feed_part_bytes)
    async with transaction(runtime.worker_pool) as connection:
        before = await version_before(connection, feed)
    reading = FeedReading(runtime, feed, context, _lease(settings), *bounds, limits_of(settings), before)
    try:
        if not (await read_pieces(reading, turn) and await find_by_code(reading, turn)):
            await _give_back(runtime, feed)
            return FeedStatus.READING
    except FileRefused as refused:
        problem = {"code": refused.code, "detail": refused.reason, "expected": refused.expected}
        await _close(runtime, feed, FeedStatus.REJECTED, problem)
        return FeedStatus.REJECTED
    return await _settle(runtime, feed)


async def _settle(runtime: Runtime, feed: asyncpg.Record) -> FeedStatus:
    feed = await _reload(runtime, feed)
    async with transaction(runtime.worker_pool) as connection:
        await extend(connection, FEEDS, *_held(feed), _lease(settings_of(runtime)))
        layout = layout_named(feed["layout"], feed["layout_version"])
        decision = await settle_feed(connection, feed, layout, runtime.clock.today())
        match decision.status:
            case FeedStatus.RECORDING:
                await repository.set_recording(connection, feed["feed_id"])
            case FeedStatus.WAITING_CONFIRMATION:
                waiting = "status = 'waiting_confirmation', due_at = NULL"
                await finish(connection, FEEDS, *_held(feed), set_sql=waiting)
            case _:
                await _end(connection, runtime, feed, decision.status, decision.problem)
    return decision.status


async def _close(
    runtime: Runtime, feed: asyncpg.Record, status: FeedStatus, problem: dict[str, Any] | None = None
) -> None:
    async with transaction(runtime.worker_pool) as connection:
        await _end(connection, runtime, feed, status, problem)


async def _end(
    connection: asyncpg.Connection,
    runtime: Runtime,
    feed: asyncpg.Record,
    status: FeedStatus,
    problem: dict[str, Any] | None,
) -> None:
    """Write the feed's end; what was staged goes, and the raw bytes too if they may not be kept."""
    now = runtime.clock.now()
    await finish(
        connection,
        FEEDS,
        *_held(feed),
        set_sql="status = $1, problem = $2, finished_at = $3, due_at = NULL",
        args=(status, problem, now),
    )
    await repository.drop_staged(connection, feed["feed_id"])
    if status is not FeedStatus.RECORDED:
        await held.drop(connection, feed["feed_id"])
    if status is FeedStatus.CHECKED or await _holds_unauthorised(connection, feed, status):
        await repository.destroy_raw(connection, [feed["feed_id"]], now)
    await audit(connection, "intake.ingest", f"feed.{status}", f"feed:{feed['feed_id']}", now=now)


async def _holds_unauthorised(connection: asyncpg.Connection, feed: asyncpg.Record, status: FeedStatus) -> bool:
    """Whether the raw file may tell of people whose household allowed nothing: also by a row that was refused.

    Of a file refused before its rows were settled, any row may. What failed is read again if it is sent again.
    """
    layout = layout_named(feed["layout"], feed["layout_version"])
    if not layout.needs_authorisation or status is FeedStatus.FAILED:
        return False
    now = await repository.load_feed(connection, feed["feed_id"])
    return status is not FeedStatus.RECORDED or now["unauthorised"] > 0 or now["rejected"] > 0


async def _give_back(runtime: Runtime, feed: asyncpg.Record) -> None:
    """The turn is over, and all went well: due again at once."""
    async with transaction(runtime.worker_pool) as connection:
        now = runtime.clock.now()
        await finish(connection, FEEDS, *_held(feed), set_sql="due_at = $1, attempts = 0", args=(now,))


async def _postpone(runtime: Runtime, settings: IntakeSettings, feed: asyncpg.Record) -> None:
    """Something failed: try again later, or give up and say so after too many failures."""
    if feed["attempts"] >= settings.feed_attempts:
        problem = {"code": "internal_error", "detail": "系统多次处理失败，已记录；可重新上传同一文件再试"}
        await _close(runtime, feed, FeedStatus.FAILED, problem)
        return
    async with transaction(runtime.worker_pool) as connection:
        until = runtime.clock.now() + delay(feed["attempts"], RETRIES)
        await postpone(connection, FEEDS, *_held(feed), until)


async def _reload(runtime: Runtime, feed: asyncpg.Record) -> asyncpg.Record:
    async with transaction(runtime.worker_pool) as connection:
        return await repository.load_feed(connection, feed["feed_id"])


async def _context(runtime: Runtime, feed: asyncpg.Record) -> RowContext:
    """What rows are judged by; where the directory knows no village of the division, any village code is taken.

    A village that was merged since is known by the code of the one that took it over.
    """
    today = runtime.clock.today()
    async with transaction(runtime.directory_pool) as connection:
        villages = await villages_in_force(connection, feed["division"], today)
        retired = await villages_retired(connection, feed["division"], today)
    heirs = successors(retired, villages)
    return RowContext(today, code_range(feed["division"]), runtime.keys.blind_index, villages or None, heirs)


def _held(feed: asyncpg.Record) -> tuple[tuple[UUID], UUID]:
    """The key of a claimed feed and the token of its lease."""
    return (feed["feed_id"],), feed["lease_token"]


def _lease(settings: IntakeSettings) -> timedelta:
    return timedelta(seconds=settings.feed_lease_seconds)
