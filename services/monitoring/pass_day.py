"""Pass the day (日常与定期筛查): time touches single households, and the calendar asks for whole counties."""

from collections.abc import AsyncIterator
from datetime import date

import asyncpg

from services.monitoring import repository_rescreens as repository
from services.monitoring.domain.calendar import Occurrence, occurrences
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.rescreen import BULK, screen_area
from services.monitoring.settings import MonitoringSettings
from shared.db.scope import transaction
from shared.runtime import Runtime

AT_A_TIME = 5_000
REASONS = {"time": "月初或参数生效，统计时段变动", "monthly": "每月例行筛查", "quarterly": "每季度集中筛查"}


async def pass_day(runtime: Runtime) -> int:
    """Make due whom time touched, and order what the calendar asks for; how many households that makes."""
    total = await _touch(runtime) + await _run_calendar(runtime)
    if total:
        runtime.waker.wake("assess")
        runtime.waker.wake("assess_ranges")
    return total


async def _touch(runtime: Runtime) -> int:
    """A fact or a membership begins or ends, or somebody has a birthday."""
    total, done = 0, AT_A_TIME
    while done == AT_A_TIME:
        async with transaction(runtime.worker_pool) as connection:
            done = await repository.mark_touched_by_time(
                connection, runtime.clock.today(), now=runtime.clock.now(), priority=BULK, limit=AT_A_TIME
            )
        total += done
    return total


async def _run_calendar(runtime: Runtime) -> int:
    today = runtime.clock.today()
    async with transaction(runtime.worker_pool) as connection:
        total = 0
        for each in [one async for one in _not_run_yet(connection, today, runtime)]:
            total += await _run(connection, each, runtime)
    return total


async def _not_run_yet(connection: asyncpg.Connection, today: date, runtime: Runtime) -> AsyncIterator[Occurrence]:
    ran = await repository.runs_since(connection, date(today.year - 1, 1, 1))
    settings = runtime.settings
    days = settings if isinstance(settings, MonitoringSettings) else MonitoringSettings()
    for county in await repository.counties(connection):
        package = (await policy_in_force(connection, county, today)).package
        for each in occurrences(
            package, county, today, monthly_day=days.monthly_rescreen_day, quarterly_day=days.quarterly_rescreen_day
        ):
            if (each.kind, each.county, each.day) not in ran:
                yield each


async def _run(connection: asyncpg.Connection, one: Occurrence, runtime: Runtime) -> int:
    """Order the rescreen unless another replica did; measures newer than a moved window need none."""
    now = runtime.clock.now()
    needed = one.kind != "time" or await repository.measured_before(connection, one.county, one.day)
    if not await repository.note_run(connection, one.kind, one.county, one.day, now):
        return 0
    if not needed:
        return 0
    ordered = await screen_area(
        connection, f"{one.county}000000", REASONS[one.kind], "calendar", now=now, priority=BULK
    )
    await repository.link_run(connection, one.kind, one.county, one.day, ordered.rescreen_id)
    return ordered.households
