"""kill -9 of the process that takes a file in, at thirty random moments: the same facts, the same errors."""

import asyncio
import dataclasses
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from multiprocessing.synchronize import Event
from typing import Any

import pytest

from services.intake import read_feed, record_feed, spool
from services.intake.ingest_feed import ingest_once
from services.intake.settings import IntakeSettings
from shared.runtime import open_runtime
from tests.journeys.forked import forkserver
from tests.services.intake.build import Department
from tests.services.intake.test_resumption import expire_leases, outcome, received
from tests.services.intake.test_resumption import stepping as stepping
from tests.services.intake.test_resumption import undisturbed as undisturbed

pytestmark = [pytest.mark.processes, pytest.mark.timeout(420)]

KILLS = 30
LONGER_SECONDS = 0.03  # Than the first step takes.
CHECKPOINTS = 3  # In one life, at most: however late the kill comes on a busy machine, work is left to disturb.


def take_in(settings: IntakeSettings, begun: Event) -> None:
    """What the killed process does: turn after turn, a checkpoint after each few rows and each few records."""
    record_feed.BATCH_RECORDS = 50
    left = iter(range(CHECKPOINTS))
    read_feed._keep = while_there_are(left, read_feed._keep)
    record_feed._record_batch = while_there_are(left, record_feed._record_batch)
    asyncio.run(_take_in(settings, begun))


def while_there_are(left: Iterator[int], act: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Act for each that is left; then wait for the end."""

    async def act_or_wait(*given: Any) -> Any:
        if next(left, None) is None:
            await asyncio.Event().wait()
        return await act(*given)

    return act_or_wait


async def _take_in(settings: IntakeSettings, begun: Event) -> None:
    async with open_runtime("intake", settings) as runtime:
        begun.set()
        while await ingest_once(runtime):
            pass


async def progress(admin: Any) -> tuple[Any, ...]:
    """How far the one feed is."""
    return tuple(await admin.fetchrow("SELECT status, bytes_done, records_done FROM intake.feed"))


async def live_and_die(processes: Any, settings: IntakeSettings, admin: Any, longer_seconds: float) -> None:
    """Start a process, let it get somewhere and a little further, and kill it."""
    begun, before = processes.Event(), await progress(admin)
    process = processes.Process(target=take_in, args=(settings, begun))
    process.start()
    try:
        assert await asyncio.to_thread(begun.wait, 120)
        while await progress(admin) == before and process.is_alive():
            await asyncio.sleep(0.002)
        await asyncio.sleep(longer_seconds)
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
    await expire_leases(admin)


async def test_killed_thirty_times_it_ends_with_the_same_facts_and_errors(
    undisturbed: dict[str, Any],
    department: Department,
    stepping: Any,
    admin: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spool, "PIECE_BYTES", 8 * 1024)
    feed_id, chance = await received(department), random.Random(20261128)
    given = stepping.settings.model_dump(exclude_unset=True)
    settings = IntakeSettings(**{**given, "feed_part_bytes": 1, "pool_size": 3})
    processes = forkserver()
    killed: Counter[str] = Counter()
    for turn in range(KILLS):
        if turn == KILLS // 2:
            await read_to_the_end(stepping, admin)
        await live_and_die(processes, settings, admin, chance.random() * LONGER_SECONDS)
        killed[(await progress(admin))[0]] += 1
    while await ingest_once(stepping):
        pass
    assert await outcome(admin, feed_id) == undisturbed
    assert killed["reading"] >= 5, killed
    assert killed["recording"] >= 5, killed


async def read_to_the_end(runtime: Any, admin: Any) -> None:
    """Go on by short turns until the recording has begun."""
    short = runtime.settings.model_copy(update={"feed_slice_seconds": 0.0})
    while (await progress(admin))[0] in ("received", "reading"):
        await ingest_once(dataclasses.replace(runtime, settings=short))
