"""What one service holds while it runs: pools, keys, clock, and the way to its peers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import asyncpg
import httpx

from shared.clock import Clock, SystemClock
from shared.db.key_check import check_keys
from shared.db.pool import open_pool
from shared.db.scope import transaction
from shared.messaging.subscription import register_peers
from shared.security.keys import Keyring, load_keys
from shared.settings import Settings
from shared.web.outbound_transport import OutboundTransport


@dataclass(slots=True)
class Waker:
    """Tells the service's workers, in this process or another, that a queue has something.

    Wakes are gathered for five milliseconds and sent as one NOTIFY outside any transaction: a NOTIFY inside would
    serialise the commits of the hot path. A wake may be lost; workers poll as well.
    """

    pool: asyncpg.Pool
    channel: str
    _waiting: set[str] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None

    def wake(self, *names: str) -> None:
        self._waiting.update(names)
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._waiting:
            await asyncio.sleep(0.005)
            names, self._waiting = self._waiting, set()
            try:
                await self.pool.execute("SELECT pg_notify($1, $2)", self.channel, ",".join(sorted(names)))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                return  # The database is away; the workers' poll will find the rows.

    async def close(self) -> None:
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)


@dataclass(slots=True)
class Runtime:
    """One service, running.

    `pool` acts under the service's role, whose rows are limited by the scope of each transaction; `worker_pool` under
    its worker's role, which sees all rows and serves no request. `stopping` is set when its worker is to stop: long
    work gives way at its next checkpoint.
    """

    service: str
    settings: Settings
    clock: Clock
    pool: asyncpg.Pool
    worker_pool: asyncpg.Pool
    directory_pool: asyncpg.Pool
    keys: Keyring
    http: httpx.AsyncClient
    waker: Waker
    database_url: str
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def open_runtime(
    service: str,
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Runtime]:
    """Open pools and clients of `service`, make its peers subscribers, and close all at the end."""
    clock = clock or SystemClock()
    url = settings.database_url_of(service)
    keys = load_keys(settings.data / "keys", service, demo=settings.demo)
    async with AsyncExitStack() as stack:

        async def pool(role: str, schema: str, dsn: str, size: int) -> asyncpg.Pool:
            opened = await open_pool(dsn, role=role, schema=schema, size=size)
            stack.push_async_callback(_close, opened)
            return opened

        app = await pool(f"fangpin_{service}", service, url, settings.pool_size)
        worker = await pool(f"fangpin_{service}_worker", service, url, settings.pool_size)
        directory = await pool("fangpin_directory", "directory", settings.database_url_of("directory"), 2)
        http = await stack.enter_async_context(_client(settings, transport))
        waker = Waker(worker, f"fangpin_{service}")
        stack.push_async_callback(waker.close)
        await check_keys(directory, settings.data / "keys", service)
        async with transaction(worker) as connection:
            await register_peers(connection, service, settings, clock.now())
        yield Runtime(service, settings, clock, app, worker, directory, keys, http, waker, url)


def _client(settings: Settings, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    """Peers are reached by `transport`, or by the network they share; subscribers outside only as the rule allows."""
    inside = transport or httpx.AsyncHTTPTransport()
    parts = (urlsplit(url) for url in (settings.intake_url, settings.monitoring_url, settings.alerts_url))
    peers = {f"{part.scheme}://{part.netloc}": inside for part in parts}
    return httpx.AsyncClient(mounts=peers, transport=OutboundTransport(settings.webhooks), trust_env=False)


async def _close(pool: asyncpg.Pool) -> None:
    """Close a pool in good time: a query that hangs must not hold up the shutdown."""
    try:
        await asyncio.wait_for(pool.close(), 5)
    except TimeoutError:
        pool.terminate()
