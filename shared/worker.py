"""A worker: tasks that drain queues, woken by a NOTIFY or by the clock, and ticks that come with the calendar."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from shared.clock import SHANGHAI, Clock
from shared.db.pool import plain_url
from shared.logs import log
from shared.runtime import Runtime, open_runtime
from shared.settings import Settings
from shared.web.metrics import TASK_FAILURES

Run = Callable[[Runtime], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Task:
    """A queue to drain: `run` does some of it and returns how much (0: nothing due).

    `heavy` tasks run in a process of their own in the all-in-one mode.
    """

    name: str
    run: Run
    every: timedelta = timedelta(seconds=1)
    heavy: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """Work that comes with the calendar; idempotent, so that any number of replicas may run it."""

    name: str
    run: Run
    trigger: BaseTrigger


@dataclass(slots=True)
class Worker:
    """Runs the tasks and ticks of one service until it is cancelled; the item in hand is finished first."""

    service: str
    settings: Settings
    tasks: Sequence[Task]
    ticks: Sequence[Tick] = ()
    transport: httpx.AsyncBaseTransport | None = None
    clock: Clock | None = None
    _events: dict[str, asyncio.Event] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def only(self, keep: Callable[[Task], bool], *, ticks: bool) -> "Worker":
        """The same worker with some of its tasks."""
        tasks = [task for task in self.tasks if keep(task)]
        return Worker(self.service, self.settings, tasks, self.ticks if ticks else (), self.transport, self.clock)

    def stop(self) -> None:
        """Let each task finish what it holds, then return from `run`."""
        self._stopping.set()
        for event in self._events.values():
            event.set()

    async def run(self) -> None:
        self._events.update({task.name: asyncio.Event() for task in self.tasks})
        async with open_runtime(self.service, self.settings, transport=self.transport, clock=self.clock) as runtime:
            runtime.stopping = self._stopping
            scheduler = self._scheduler(runtime)
            scheduler.start()
            listener = asyncio.create_task(self._listen(runtime))
            try:
                await asyncio.gather(*(self._drain(runtime, task) for task in self.tasks), self._stopping.wait())
            finally:
                scheduler.shutdown(wait=False)
                listener.cancel()
                await asyncio.gather(listener, return_exceptions=True)

    def _scheduler(self, runtime: Runtime) -> AsyncIOScheduler:
        scheduler = AsyncIOScheduler(
            timezone=SHANGHAI, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for task in self.tasks:
            scheduler.add_job(self._set, IntervalTrigger(seconds=task.every.total_seconds()), args=[task.name])
        for tick in self.ticks:
            scheduler.add_job(self._tick, tick.trigger, args=[runtime, tick])
        return scheduler

    async def _set(self, name: str) -> None:
        self._events[name].set()

    async def _drain(self, runtime: Runtime, task: Task) -> None:
        event = self._events[task.name]
        while not self._stopping.is_set():
            event.clear()
            if not await self._run(runtime, task.name, task.run):
                await event.wait()

    async def _run(self, runtime: Runtime, name: str, run: Run) -> int:
        """Run once; a failure is logged and counted, and the next tick tries again."""
        try:
            return await run(runtime)
        except Exception as error:
            TASK_FAILURES.labels(self.service, name).inc()
            log.error("worker.failed", service=self.service, task=name, error=type(error).__name__, exc_info=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 0.5)
            return 0

    async def _tick(self, runtime: Runtime, tick: Tick) -> None:
        key = f"{self.service}.{tick.name}"
        try:
            # A connection of its own: ticks that held the pool's would wait for each other at midnight.
            connection = await asyncpg.connect(plain_url(runtime.database_url))
            try:
                if await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", key):
                    await self._run(runtime, tick.name, tick.run)
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("worker.tick_skipped", service=self.service, tick=tick.name, error=type(error).__name__)

    async def _listen(self, runtime: Runtime) -> None:
        """Hold a LISTEN connection, and make a new one whenever it is lost."""
        while True:
            closed = asyncio.Event()
            try:
                connection = await asyncpg.connect(plain_url(runtime.database_url))
                connection.add_termination_listener(lambda _, done=closed: done.set())
                await connection.add_listener(runtime.waker.channel, self._woken)
                for event in self._events.values():
                    event.set()
                try:
                    await closed.wait()
                finally:
                    connection.terminate()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pass
            await asyncio.sleep(0.5)

    def _woken(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        """Set the tasks named; "relay" names relay_urgent too."""
        for name in str(payload).split(","):
            for task, event in self._events.items():
                if task == name or task.startswith(f"{name}_"):
                    event.set()
