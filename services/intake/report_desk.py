"""Reports that arrive together are written together: a commit is most of what a report costs."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from services.intake.repository_reports import NewReport, Scope, submit_all

MOST_AT_ONCE = 64


@dataclass(slots=True)
class ReportDesk:
    """Writes reports, one statement at a time for each scope; what comes meanwhile waits for the next statement.

    Nobody waits for company: a report that comes alone is written alone, at once. A batch shares one scope, since
    row-level security knows one range a transaction, and one fate, but for what `_write` mends.
    """

    _waiting: dict[Scope, list[tuple[NewReport, asyncio.Future[bool]]]] = field(default_factory=dict)
    _writing: dict[Scope, asyncio.Task[None]] = field(default_factory=dict)

    async def submit(self, pool: asyncpg.Pool, new: NewReport) -> bool:
        """True once the report is stored; False if its key or the report itself is known already."""
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(new.scope, []).append((new, stored))
        if new.scope not in self._writing:
            self._writing[new.scope] = asyncio.create_task(self._drain(pool, new.scope))
        return await stored

    async def _drain(self, pool: asyncpg.Pool, scope: Scope) -> None:
        try:
            while waiting := self._waiting.pop(scope, []):
                batch, rest = waiting[:MOST_AT_ONCE], waiting[MOST_AT_ONCE:]
                if rest:
                    self._waiting[scope] = rest
                await self._write(pool, batch)
        finally:
            del self._writing[scope]

    async def _write(self, pool: asyncpg.Pool, batch: Sequence[tuple[NewReport, asyncio.Future[bool]]]) -> None:
        """Write a batch; if the database refuses it, one by one, so that a bad report fails alone."""
        try:
            stored = await submit_all(pool, [new for new, _ in batch])
        except asyncpg.DataError as error:
            if len(batch) > 1:
                for one in batch:
                    await self._write(pool, [one])
                return
            _fail(batch, error)
        except Exception as error:
            _fail(batch, error)
        else:
            _tell(batch, stored)


def _tell(batch: Sequence[tuple[NewReport, asyncio.Future[bool]]], stored: set[UUID]) -> None:
    for new, waiting in batch:
        if not waiting.done():  # Its client may have gone meanwhile; the report is kept all the same.
            waiting.set_result(new.report_id in stored)


def _fail(batch: Sequence[tuple[NewReport, asyncio.Future[bool]]], error: Exception) -> None:
    for _, waiting in batch:
        if not waiting.done():
            waiting.set_exception(error)
