"""Watch the promises of freshness (催报): what is late, missing or failing is said once, and taken back when mended.

Monitoring knows by itself that late data is unknown; this is for the people who can send it.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import asyncpg

from services.intake import repository_notices as repository
from services.intake.catalogue import is_known_to, layouts, refresh_catalogue, title_of
from services.intake.domain.notice import Notice, NoticeKind, notice_of, promises
from services.intake.publish_observations import SOURCE
from shared.clock import SHANGHAI
from shared.contracts.envelope import Event
from shared.contracts.intake import DATA_NOTICE
from shared.db.scope import transaction
from shared.messaging.outbox import enqueue
from shared.runtime import Runtime

# An interface that is down for an hour is nobody's business; one that refuses us is, at once.
FAILING_AFTER = timedelta(hours=6)
MOST_ITEMS = 500


async def watch_freshness(runtime: Runtime) -> int:
    """Open and close notices; how many changed. Run twice it changes nothing."""
    now, today = runtime.clock.now(), runtime.clock.today()
    await refresh_catalogue(runtime.worker_pool)
    async with transaction(runtime.worker_pool) as connection:
        await repository.lock_notices(connection)
        due = {notice.key: notice for notice in [*await _late(connection, today), *await _failing(connection, now)]}
        open_ = {_key(row): row for row in await repository.open_notices(connection)}
        opened = await repository.open_(connection, [due[key] for key in sorted(due.keys() - open_.keys())], now)
        mended = [open_[key]["notice_id"] for key in sorted(open_.keys() - due.keys())]
        closed = await repository.close(connection, mended, now)
        await _say(connection, [*opened, *closed], now)
    runtime.waker.wake("relay")
    return len(opened) + len(closed)


async def _late(connection: asyncpg.Connection, today: date) -> list[Notice]:
    begun: dict[str, date] = {}
    came: dict[tuple[str, str], date] = {}
    for row in await repository.last_received(connection):
        first, last = (row[name].astimezone(SHANGHAI).date() for name in ("first_at", "last_at"))
        begun[row["division"]] = min(first, begun.get(row["division"], first))
        came[row["layout"], row["division"]] = last
    owed = (p for p in promises(layouts().values(), begun, came) if is_known_to(p.division, p.layout.name))
    found = (notice_of(p, begun[p.division], today) for p in owed)
    return [notice for notice in found if notice is not None]


async def _failing(connection: asyncpg.Connection, now: datetime) -> list[Notice]:
    rows = await repository.failing_connectors(connection, now - FAILING_AFTER)
    return [_failure(row) for row in rows]


def _failure(row: asyncpg.Record) -> Notice:
    name, layout = row["name"], row["layout"]
    detail = f"“{title_of(layout)}”的对接接口 {name} 取数失败：{row['failure']['detail']}"
    return Notice(NoticeKind.FAILING, layout, row["department"], row["division"], detail, connector=name)


def _key(row: asyncpg.Record) -> tuple[str, str, str, str]:
    return row["kind"], row["layout"], row["division"], row["connector"]


async def _say(connection: asyncpg.Connection, rows: Iterable[asyncpg.Record], now: datetime) -> None:
    items = [_item(row) for row in rows]
    for first in range(0, len(items), MOST_ITEMS):
        event = Event.make(SOURCE, DATA_NOTICE, "freshness", {"items": items[first : first + MOST_ITEMS]}, now)
        await enqueue(connection, event, aggregate="notice")


def _item(row: asyncpg.Record) -> dict[str, object]:
    return {
        "notice_id": str(row["notice_id"]),
        "kind": row["kind"],
        "state": "open" if row["closed_at"] is None else "closed",
        "data_set": row["layout"],
        "title": title_of(row["layout"]),
        "department": row["department"],
        "division": row["division"],
        "detail": row["detail"],
    }
