"""Rescreen (重新筛查): let the households of an area be assessed again, by whoever ordered it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring import repository_rescreens as repository
from services.monitoring import repository_resumptions
from services.monitoring import repository_waiting as waiting
from services.monitoring.domain.policy import load_policy
from services.monitoring.match_waiting import match_entries
from shared.db.scope import transaction
from shared.errors import Conflict, NotFound
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id

BULK = 9


class RescreenNotFound(NotFound):
    code, title = "rescreen_not_found", "没有找到这次重新筛查"


class RescreenOver(Conflict):
    code, title = "rescreen_over", "重新筛查已经结束"


class RescreenNotCancelled(Conflict):
    code, title = "rescreen_not_cancelled", "重新筛查没有取消"


@dataclass(frozen=True, slots=True)
class RescreenStatus:
    """How far a rescreen got: `remaining` households were not assessed yet, or never are once it is cancelled.

    `changed` assessments were appended, and `told` households' risks were told to alerts.
    """

    rescreen_id: UUID
    division: str
    reason: str
    requested_at: datetime
    households: int
    remaining: int
    changed: int = 0
    told: int = 0
    cancelled_at: datetime | None = None

    @property
    def state(self) -> Literal["running", "finished", "cancelled"]:
        if self.remaining and self.cancelled_at is not None:
            return "cancelled"
        return "running" if self.remaining else "finished"


async def order_rescreen(
    connection: asyncpg.Connection,
    division: str,
    reason: str,
    by: Principal,
    *,
    now: datetime,
    request_id: str | None = None,
) -> RescreenStatus:
    """Let every household living in `division` be assessed again, within the caller's range."""
    ordered = await screen_area(connection, division, reason, by.subject, now=now, priority=BULK)
    await _audit(connection, "rescreen.order", ordered, by, now, request_id, reason)
    return ordered


async def screen_area(
    connection: asyncpg.Connection,
    division: str,
    reason: str,
    by: str,
    *,
    now: datetime,
    priority: int = BULK,
    range_size: int = repository.HOUSEHOLDS_A_RANGE,
) -> RescreenStatus:
    """Cut the households living in `division` into ranges, due now; wake "assess_ranges" after the commit."""
    rescreen_id = new_id(now)
    lo, hi = code_range(division)
    count = await repository.count_area(connection, lo, hi)
    await repository.add(connection, rescreen_id, division, count, reason, by, now)
    await repository.cut_into_ranges(connection, rescreen_id, lo, hi, now=now, priority=priority, size=range_size)
    return RescreenStatus(rescreen_id, division, reason, now, count, count)


async def rescreen_status(connection: asyncpg.Connection, rescreen_id: UUID) -> RescreenStatus:
    """How far a rescreen of the caller's range got."""
    row = await repository.find(connection, rescreen_id)
    if row is None:
        raise RescreenNotFound
    return RescreenStatus(**row)


async def cancel_rescreen(
    connection: asyncpg.Connection, rescreen_id: UUID, by: Principal, *, now: datetime, request_id: str | None = None
) -> RescreenStatus:
    """Let no further range begin; what was assessed stays. Cancelling again changes nothing."""
    standing = await rescreen_status(connection, rescreen_id)
    if standing.state == "finished":
        raise RescreenOver("这次重新筛查已经全部完成，不能再取消")
    if standing.state == "running":
        await repository.cancel(connection, rescreen_id, by.subject, now)
        await _audit(connection, "rescreen.cancel", standing, by, now, request_id, standing.reason)
    return await rescreen_status(connection, rescreen_id)


async def resume_rescreen(
    connection: asyncpg.Connection, rescreen_id: UUID, by: Principal, *, now: datetime, request_id: str | None = None
) -> RescreenStatus:
    """Take up a cancelled rescreen where it stopped: what was assessed is not assessed again."""
    standing = await rescreen_status(connection, rescreen_id)
    if standing.state == "finished":
        raise RescreenOver("这次重新筛查已经全部完成，无需继续")
    if not await repository_resumptions.resume(connection, rescreen_id, now):
        raise RescreenNotCancelled("这次重新筛查正在进行，无需继续")
    await _audit(connection, "rescreen.resume", standing, by, now, request_id, standing.reason)
    return await rescreen_status(connection, rescreen_id)


async def _audit(
    connection: asyncpg.Connection,
    action: str,
    status: RescreenStatus,
    by: Principal,
    now: datetime,
    request_id: str | None,
    reason: str,
) -> None:
    await audit(
        connection,
        by,
        action,
        f"division:{status.division}",
        now=now,
        purpose=reason,
        request_id=request_id,
        detail={"rescreen_id": str(status.rescreen_id), "households": status.remaining},
    )


async def activate_policy(runtime: Runtime) -> int:
    """Let every household be assessed once after a policy version first appears; returns how many."""
    version = load_policy().version
    async with transaction(runtime.worker_pool) as connection:
        if not await repository.activate(connection, version, runtime.clock.now()):
            return 0
        ordered = [
            await screen_area(connection, f"{county}000000", "政策版本更新", "release", now=runtime.clock.now())
            for county in await repository.counties(connection)
        ]
    runtime.waker.wake("assess_ranges")
    return sum(each.households for each in ordered)


async def match_again(runtime: Runtime) -> int:
    """Match what waits although its person is known by now: rosters and observations may have crossed."""
    async with transaction(runtime.worker_pool) as connection:
        waited = await waiting.that_match(connection, 1000)
        await households.share_rosters(connection, [entry.division[:6] for entry in waited])
        await match_entries(connection, waited, runtime)
    if waited:
        runtime.waker.wake("assess")
    return len(waited)
