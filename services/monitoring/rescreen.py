"""Rescreen (重新筛查): let households be assessed again, because somebody ordered it or because time went on."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring import repository_rescreens as repository
from services.monitoring import repository_waiting as waiting
from services.monitoring.domain.policy import load_policy
from services.monitoring.record_households import match_entries
from shared.db.scope import transaction
from shared.errors import NotFound
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id

BULK = 9
AT_A_TIME = 5_000


class RescreenNotFound(NotFound):
    code, title = "rescreen_not_found", "没有找到这次重新筛查"


@dataclass(frozen=True, slots=True)
class RescreenStatus:
    """How far a rescreen got: `remaining` households are still to be assessed."""

    rescreen_id: UUID
    division: str
    reason: str
    requested_at: datetime
    households: int
    remaining: int


async def order_rescreen(
    connection: asyncpg.Connection,
    division: str,
    reason: str,
    by: Principal,
    *,
    now: datetime,
    request_id: str | None = None,
) -> RescreenStatus:
    """Make every household living in `division` due, within the caller's range."""
    rescreen_id = new_id(now)
    lo, hi = code_range(division)
    count = await repository.mark_area_due(connection, rescreen_id, lo, hi, now=now, priority=BULK)
    await repository.add(connection, rescreen_id, division, count, reason, by.subject, now)
    await audit(
        connection,
        by,
        "rescreen.order",
        f"division:{division}",
        now=now,
        purpose=reason,
        request_id=request_id,
        detail={"households": count},
    )
    return RescreenStatus(rescreen_id, division, reason, now, count, count)


async def rescreen_status(connection: asyncpg.Connection, rescreen_id: UUID) -> RescreenStatus:
    """How far a rescreen of the caller's range got."""
    row = await repository.find(connection, rescreen_id)
    if row is None:
        raise RescreenNotFound
    return RescreenStatus(**row)


async def pass_day(runtime: Runtime) -> int:
    """Make due whom time touched: a month began, a parameter changed, a state ended."""
    total = 0
    while True:
        async with transaction(runtime.worker_pool) as connection:
            done = await repository.mark_touched_by_time(
                connection, runtime.clock.today(), now=runtime.clock.now(), priority=BULK, limit=AT_A_TIME
            )
        total += done
        if done < AT_A_TIME:
            break
    if total:
        runtime.waker.wake("assess")
    return total


async def activate_policy(runtime: Runtime) -> int:
    """Make every household due once after a policy version first appears; returns how many."""
    version = load_policy().version
    async with transaction(runtime.worker_pool) as connection:
        if not await repository.activate(connection, version, runtime.clock.now()):
            return 0
        done = await repository.mark_all_due(connection, now=runtime.clock.now(), priority=BULK)
    runtime.waker.wake("assess")
    return done


async def match_again(runtime: Runtime) -> int:
    """Match what waits although its person is known by now: rosters and observations may have crossed."""
    async with transaction(runtime.worker_pool) as connection:
        waited = await waiting.that_match(connection, 1000)
        await households.share_rosters(connection, [entry.division[:6] for entry in waited])
        await match_entries(connection, waited, runtime)
    if waited:
        runtime.waker.wake("assess")
    return len(waited)
