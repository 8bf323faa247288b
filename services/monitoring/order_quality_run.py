"""Order a check of a whole area: by a person, or for each county every night."""

from datetime import datetime, time
from uuid import UUID

import asyncpg

from services.monitoring import repository_quality_runs as repository
from services.monitoring import repository_rescreens as rescreens
from services.monitoring.check_villages import check_villages
from services.monitoring.schemas_quality import QualityRunView
from shared.clock import SHANGHAI
from shared.db.scope import transaction
from shared.errors import NotFound
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id

BULK, NIGHTLY = 9, "nightly"


class QualityRunNotFound(NotFound):
    code, title = "quality_run_not_found", "没有找到这次检查"


async def order_quality_run(
    connection: asyncpg.Connection, division: str, reason: str, caller: Principal, runtime: Runtime, request_id: str
) -> QualityRunView:
    """Let every household living in `division`, within the caller's range, be checked."""
    now = runtime.clock.now()
    run_id = new_id(now)
    lo, hi = code_range(division)
    own_lo, own_hi = code_range(caller.division)
    area = max(lo, own_lo), min(hi, own_hi)
    async with transaction(runtime.worker_pool) as worker:
        await repository.add(worker, run_id, division, area, reason=reason, by=caller.subject, now=now, priority=BULK)
        await audit(
            worker, caller, "quality.run", f"division:{division}", now=now, purpose=reason, request_id=request_id
        )
    return await quality_run(connection, run_id)


async def quality_run(connection: asyncpg.Connection, run_id: UUID) -> QualityRunView:
    """How far an order of the caller's range got."""
    row = await repository.find(connection, run_id)
    if row is None:
        raise QualityRunNotFound
    return QualityRunView(**row, state="running" if row["remaining"] else "finished")


async def check_nightly(runtime: Runtime) -> int:
    """Once a day, order a check of every county: time changes ages and pairs change elsewhere; how many counties."""
    now = runtime.clock.now()
    midnight = datetime.combine(runtime.clock.today(), time.min, SHANGHAI)
    async with transaction(runtime.worker_pool) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('monitoring.quality_nightly', 0))")
        ordered = await repository.ordered_since(connection, NIGHTLY, midnight)
        counties = [county for county in await rescreens.counties(connection) if f"{county}000000" not in ordered]
        for county in counties:
            division = f"{county}000000"
            await repository.add(
                connection,
                new_id(now),
                division,
                code_range(division),
                reason="每日数据质量检查",
                by=NIGHTLY,
                now=now,
                priority=BULK,
            )
            await check_villages(connection, county, runtime)
    return len(counties)
