"""A worker drains its queues when woken, survives what fails, and finishes what it holds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from time import perf_counter

import asyncpg
import pytest
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import REGISTRY

from shared.clock import SHANGHAI
from shared.runtime import Runtime
from shared.settings import Settings
from shared.worker import Task, Tick, Worker

SELDOM = timedelta(hours=1)
Running = Callable[..., object]


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    """A worker that runs, listens, and is stopped in good time."""
    task = asyncio.create_task(worker.run())
    await until(lambda: bool(worker._events) or bool(worker.ticks))
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, 5)


async def until(holds: Callable[[], object], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.005)


async def notify(url: str, *names: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_notify('fangpin_intake', $1)", ",".join(names))
    await connection.close()


async def listening(url: str) -> bool:
    connection = await asyncpg.connect(url)
    found = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN%fangpin_intake%' AND datname = "
        "current_database())"
    )
    await connection.close()
    return bool(found)


async def until_listening(url: str) -> None:
    async with asyncio.timeout(5):
        while not await listening(url):
            await asyncio.sleep(0.02)


class Counted:
    """A task that counts its runs, and says there is more as long as it is told."""

    def __init__(self, *results: int) -> None:
        self.runs = 0
        self.results = list(results)

    async def __call__(self, _: Runtime) -> int:
        self.runs += 1
        return self.results.pop(0) if self.results else 0


async def test_a_queue_is_drained_at_the_start_and_then_left_alone(small_settings: Settings) -> None:
    work = Counted(5, 3, 1)
    async with running(Worker("intake", small_settings, [Task("t", work, SELDOM)])):
        await until(lambda: work.runs >= 4)
        before = work.runs
        await asyncio.sleep(0.15)
        assert work.runs <= before + 1  # One more for the listener that has just begun.


async def test_a_notification_wakes_the_named_task_at_once(small_settings: Settings, small_url: str) -> None:
    work, other = Counted(), Counted()
    tasks = [Task("work", work, SELDOM), Task("other", other, SELDOM)]
    async with running(Worker("intake", small_settings, tasks)):
        await until_listening(small_url)
        await asyncio.sleep(0.1)
        before, quiet = work.runs, other.runs
        started = perf_counter()
        await notify(small_url, "work", "unknown")
        await until(lambda: work.runs > before)
        assert perf_counter() - started < 0.5
        assert other.runs == quiet


async def test_without_a_notification_the_clock_wakes(small_settings: Settings) -> None:
    work = Counted()
    async with running(Worker("intake", small_settings, [Task("t", work, timedelta(seconds=0.1))])):
        await until(lambda: work.runs >= 5, 3)


async def test_a_task_that_fails_is_counted_and_tried_again(small_settings: Settings) -> None:
    runs = 0

    async def fail_twice(_: Runtime) -> int:
        nonlocal runs
        runs += 1
        if runs <= 2:
            raise ZeroDivisionError
        return 0

    def failures() -> float:
        found = REGISTRY.get_sample_value("fangpin_task_failures_total", {"service": "intake", "task": "fails"})
        return found or 0

    before = failures()
    async with running(Worker("intake", small_settings, [Task("fails", fail_twice, timedelta(seconds=0.1))])):
        await until(lambda: runs >= 3)
    assert failures() == before + 2


async def test_a_task_that_fails_does_not_stop_the_others(small_settings: Settings) -> None:
    async def fail(_: Runtime) -> int:
        raise ZeroDivisionError

    work = Counted(*[1] * 50)
    tasks = [Task("fail", fail, timedelta(seconds=0.05)), Task("work", work, SELDOM)]
    async with running(Worker("intake", small_settings, tasks)):
        await until(lambda: work.runs > 50)


async def test_stopping_finishes_what_is_held_and_begins_nothing_new(small_settings: Settings) -> None:
    begun, finished = 0, 0
    holding = asyncio.Event()

    async def slow(_: Runtime) -> int:
        nonlocal begun, finished
        begun += 1
        holding.set()
        await asyncio.sleep(0.2)
        finished += 1
        return 1

    worker = Worker("intake", small_settings, [Task("slow", slow, SELDOM)])
    running_worker = asyncio.create_task(worker.run())
    await holding.wait()
    worker.stop()
    await asyncio.wait_for(running_worker, 5)
    assert (begun, finished) == (1, 1)


async def test_a_worker_stopped_before_it_ran_does_nothing(small_settings: Settings) -> None:
    work = Counted(1)
    worker = Worker("intake", small_settings, [Task("t", work)])
    worker.stop()
    await asyncio.wait_for(worker.run(), 5)
    assert work.runs == 0


async def test_a_lost_listener_is_replaced(small_settings: Settings, small_url: str) -> None:
    work = Counted()
    async with running(Worker("intake", small_settings, [Task("work", work, SELDOM)])):
        await until_listening(small_url)
        connection = await asyncpg.connect(small_url)
        killed = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%fangpin_intake%'"
            " AND datname = current_database()"
        )
        await connection.close()
        assert killed == 1
        before = work.runs
        await until(lambda: work.runs > before)  # It looks for what it may have missed.
        await until_listening(small_url)
        await asyncio.sleep(0.05)
        before = work.runs
        await notify(small_url, "work")
        await until(lambda: work.runs > before)


async def test_of_two_workers_one_runs_a_tick(small_settings: Settings) -> None:
    runs = 0

    async def slow(_: Runtime) -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.3)
        return 0

    soon = DateTrigger(datetime.now(SHANGHAI) + timedelta(seconds=0.5))
    workers = [Worker("intake", small_settings, [], [Tick("daily", slow, soon)]) for _ in range(2)]
    async with running(workers[0]), running(workers[1]):
        await asyncio.sleep(1.2)
    assert runs == 1


async def test_ticks_at_the_same_moment_do_not_wait_for_each_other(small_settings: Settings) -> None:
    done: list[str] = []

    def tick(name: str) -> Tick:
        async def run(runtime: Runtime) -> int:
            await asyncio.sleep(0.05)  # All have begun by now.
            await runtime.worker_pool.fetchval("SELECT 1")
            done.append(name)
            return 0

        return Tick(name, run, DateTrigger(datetime.now(SHANGHAI) + timedelta(seconds=0.3)))

    settings = small_settings.model_copy(update={"pool_size": 1})
    async with running(Worker("intake", settings, [], [tick(f"tick{n}") for n in range(3)])):
        await until(lambda: len(done) == 3)


async def test_a_tick_that_fails_leaves_its_lock(small_settings: Settings) -> None:
    runs = 0

    async def fail(_: Runtime) -> int:
        nonlocal runs
        runs += 1
        raise ZeroDivisionError

    async with running(Worker("intake", small_settings, [], [Tick("same", fail, IntervalTrigger(seconds=1))])):
        await until(lambda: runs >= 2)


@pytest.mark.parametrize("ticks", [True, False])
def test_part_of_a_worker_has_part_of_its_tasks(small_settings: Settings, ticks: bool) -> None:
    tasks = [Task("light", Counted()), Task("heavy", Counted(), heavy=True)]
    worker = Worker("intake", small_settings, tasks, [Tick("t", Counted(), DateTrigger())])
    part = worker.only(lambda task: task.heavy, ticks=ticks)
    assert ([task.name for task in part.tasks], len(part.ticks)) == (["heavy"], int(ticks))
