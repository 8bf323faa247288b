"""Fetch what a department's interface has (接口拉取): its rows become a feed like any that was sent.

A pull that is killed, or fails on a later page, has stored nothing; the next one asks again from the beginning, and
what came before is recognised: the same rows change nothing. Failures are tried again ever more slowly, until the
next regular time at the latest, and each is written down where the department and the county see it.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from services.intake import repository_connectors as repository
from services.intake.catalogue import layout_named, layouts, refresh_catalogue, title_of
from services.intake.domain.connector import Connector, period_asked
from services.intake.domain.feed import FeedMode
from services.intake.fetch_pages import Fetch, FetchFailed, fetch_pages
from services.intake.file_limits import settings_of
from services.intake.receive_feed import FeedOrder, ReceivedFeed, receive_feed
from services.intake.repository_connectors import CONNECTORS, RESTED
from services.intake.schedule import next_time
from services.intake.settings import IntakeSettings
from shared.db.scope import transaction
from shared.errors import FangpinError
from shared.logs import log
from shared.queue.backoff import delay
from shared.queue.claim import LeaseLost, extend, finish
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.web.outbound_transport import outbound_client

LEASE = timedelta(minutes=3)
SOON = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))
NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Turn:
    """One pull under way."""

    runtime: Runtime
    settings: IntakeSettings
    row: asyncpg.Record
    connector: Connector


async def pull_once(runtime: Runtime) -> int:
    """Ask the next due interface; 0 if none is due."""
    await refresh_catalogue(runtime.worker_pool)
    async with transaction(runtime.worker_pool) as connection:
        row = await repository.claim_connector(connection, runtime.clock.now(), LEASE)
    if row is None:
        return 0
    turn = Turn(runtime, settings_of(runtime), row, repository.connector_of(row))
    try:
        if turn.connector.layout not in layouts():
            await _rest(turn)
            return 1
        received = await _pull(turn)
    except LeaseLost:
        log.warning("pull.lease_lost", connector=turn.connector.name)
    except FetchFailed as failure:
        await _failed(turn, failure)
    except FangpinError as refused:
        await _failed(turn, FetchFailed(refused.code, refused.title, soon=False))
    else:
        await _succeeded(turn, received)
    return 1


async def _pull(turn: Turn) -> ReceivedFeed:
    runtime, connector, settings = turn.runtime, turn.connector, turn.settings
    layout, period = layout_named(connector.layout), period_asked(connector, runtime.clock.today())
    order = FeedOrder(layout, connector.division, period, FeedMode.PARTIAL, NDJSON)
    caller = Principal(f"connector:{connector.name}", "system", connector.division, department=layout.department)
    async with outbound_client(settings.connectors) as http:
        fetch = Fetch(
            http,
            connector,
            runtime.keys.open(turn.row["sealed_secret"], *repository.secret_place(connector.name)),
            period,
            runtime.clock,
            settings.connector_page_seconds,
            settings.connector_page_bytes,
            settings.connector_pages,
        )
        return await receive_feed(runtime, caller, order, _lines(turn, fetch), traceparent=None)


async def _lines(turn: Turn, fetch: Fetch) -> AsyncIterator[bytes]:
    """The rows as NDJSON; each page holds the lease on."""
    async for page in fetch_pages(fetch):
        async with transaction(turn.runtime.worker_pool) as connection:
            await extend(connection, CONNECTORS, (turn.connector.name,), turn.row["lease_token"], LEASE)
        for row in page.rows:
            yield json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


async def _succeeded(turn: Turn, received: ReceivedFeed) -> None:
    now = turn.runtime.clock.now()
    await _finish(
        turn,
        "last_feed_id = $1, succeeded_at = $2, due_at = $3, attempts = 0, failed_at = NULL, failure = NULL",
        (received.feed_id, now, next_time(turn.row["schedule"], now)),
    )


async def _failed(turn: Turn, failure: FetchFailed) -> None:
    now = turn.runtime.clock.now()
    log.warning("pull.failed", connector=turn.connector.name, code=failure.code, attempts=turn.row["attempts"])
    told = {"code": failure.code, "detail": failure.reason}
    again = _next_try(turn, failure, now)
    await _finish(turn, "failed_at = coalesce(failed_at, $1), failure = $2, due_at = $3", (now, told, again))


async def _rest(turn: Turn) -> None:
    """Nothing of a data set out of use is received, so nothing more is asked for until somebody sets it up anew."""
    now, title = turn.runtime.clock.now(), title_of(turn.connector.layout)
    log.warning("pull.rested", connector=turn.connector.name, layout=turn.connector.layout)
    told = {"code": RESTED, "detail": f"数据集“{title}”已停用，不再取数；要继续取数，请恢复数据集后重新设置本接口"}
    rest = "active = false, due_at = NULL, attempts = 0, failed_at = coalesce(failed_at, $1), failure = $2"
    await _finish(turn, rest, (now, told))


def _next_try(turn: Turn, failure: FetchFailed, now: datetime) -> datetime:
    """Soon and ever more slowly where that may help, but not later than the next regular time."""
    regular = next_time(turn.row["schedule"], now)
    if not failure.soon:
        return regular
    return min(regular, now + max(delay(turn.row["attempts"], SOON), failure.retry_after or timedelta(0)))


async def _finish(turn: Turn, set_sql: str, args: tuple[object, ...]) -> None:
    async with transaction(turn.runtime.worker_pool) as connection:
        key, token = (turn.connector.name,), turn.row["lease_token"]
        await finish(connection, CONNECTORS, key, token, set_sql=set_sql, args=args)
