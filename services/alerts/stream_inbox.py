"""Stream an officer's inbox (SSE): what he missed after the last id he saw, then whatever comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
from fastapi.sse import ServerSentEvent

from services.alerts import repository_lists
from services.alerts.schemas import InboxItem
from services.alerts.view_inbox import view_letter
from shared.db.pool import plain_url
from shared.db.scope import scoped
from shared.runtime import Runtime
from shared.security.principal import Principal

_AT_ONCE = 100
# NOTIFY only wakes, and may be lost: the table is asked this often anyway.
_POLL_SECONDS = 1.0


class Bell:
    """Rings when some inbox got something; one listening connection for all streams of a process."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._listeners = 0
        self._connection: asyncpg.Connection | None = None
        self._connecting = asyncio.Lock()

    @asynccontextmanager
    async def listening(self, runtime: Runtime) -> AsyncIterator["Bell"]:
        """Listen while the block runs. A broken connection leaves the poll."""
        self._listeners += 1
        try:
            await self._connect(runtime)
            yield self
        finally:
            self._listeners -= 1
            await self._disconnect_if_idle()

    async def wait(self, seconds: float) -> None:
        """Wait for a ring, at most so long."""
        try:
            await asyncio.wait_for(self._rung.wait(), seconds)
        except TimeoutError:
            return

    async def _connect(self, runtime: Runtime) -> None:
        async with self._connecting:
            if self._connection is not None and not self._connection.is_closed():
                return
            try:
                self._connection = connection = await asyncpg.connect(plain_url(runtime.database_url))
                await connection.add_listener(runtime.waker.channel, self._heard)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                self._connection = None

    async def _disconnect_if_idle(self) -> None:
        if self._listeners == 0 and self._connection is not None:
            connection, self._connection = self._connection, None
            connection.terminate()

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if "inbox" in str(payload).split(","):
            self._rung.set()
            self._rung = asyncio.Event()


async def stream_inbox(
    runtime: Runtime, caller: Principal, officer_no: str, after: int | None, bell: Bell, lasting: timedelta
) -> AsyncIterator[ServerSentEvent]:
    """The officer's items after `after` (None: from now on), for a bounded time; the client then comes again.

    No connection is held between two looks. Every look acts in the caller's scope.
    """
    async with bell.listening(runtime):
        end = asyncio.get_running_loop().time() + lasting.total_seconds()
        seen = after if after is not None else await _last(runtime, caller, officer_no)
        yield ServerSentEvent(comment="connected", retry=3000)
        while asyncio.get_running_loop().time() < end:
            items = await _look(runtime, caller, officer_no, seen)
            for item in items:
                seen = item.item_no
                yield ServerSentEvent(id=str(seen), event="alert", data=item)
            if len(items) < _AT_ONCE:
                await bell.wait(_POLL_SECONDS)


async def _last(runtime: Runtime, caller: Principal, officer_no: str) -> int:
    async with scoped(runtime.pool, caller.division, officer_no=officer_no) as connection:
        return await repository_lists.last_item_no(connection, officer_no)


async def _look(runtime: Runtime, caller: Principal, officer_no: str, seen: int) -> list[InboxItem]:
    async with scoped(runtime.pool, caller.division, officer_no=officer_no) as connection:
        rows = await repository_lists.inbox_after(connection, officer_no, seen, _AT_ONCE)
    return [view_letter(row, caller) for row in rows]
