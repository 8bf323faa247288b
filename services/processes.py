"""Run apps and workers as processes do: until a signal comes, then finish what is in hand."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence

import uvicorn
from starlette.types import ASGIApp

from shared.logs import log
from shared.worker import Worker

GRACE_SECONDS = 25
# Requests leave few cycles behind: to look for them after every 700 objects costs more than they do.
YOUNG_OBJECTS = 20_000


def run(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `main`, on uvloop where there is one; its argument is set when the process shall stop."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_until_signal(main))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _until_signal(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await main(stop)


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handling, so that a process stops in one place."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _leave_alone_what_stays()


def _leave_alone_what_stays() -> None:
    """What a started process holds, it holds to its end: a collector that looks at it all stops every request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


async def serve(app: ASGIApp, host: str, port: int, stop: asyncio.Event) -> None:
    """Answer requests until `stop`; requests in hand are finished, streams are cut after the grace time."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = QuietServer(config)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


async def work(workers: Sequence[Worker], stop: asyncio.Event, *, parent: int | None = None) -> None:
    """Run workers until `stop`, or until the process `parent` is gone; each finishes the item it holds."""
    watch = asyncio.create_task(_stop_with(parent, stop)) if parent else None
    running = asyncio.gather(*(_keep(worker, stop) for worker in workers))
    await stop.wait()
    for worker in workers:
        worker.stop()
    try:
        await asyncio.wait_for(running, GRACE_SECONDS)
    except TimeoutError:
        log.warning("worker.grace_over")  # Its lease will run out, and another worker goes on.
    if watch is not None:
        watch.cancel()


async def _stop_with(parent: int, stop: asyncio.Event) -> None:
    while os.getppid() == parent:
        await asyncio.sleep(0.5)
    stop.set()


async def _keep(worker: Worker, stop: asyncio.Event) -> None:
    """Start the worker again if it cannot run, for instance because the database is away."""
    while not stop.is_set():
        try:
            await worker.run()
            return
        except OSError as error:
            log.warning("worker.restart", service=worker.service, error=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)
