"""Check the quality of data: households whose data changed, and ranges of an order for a whole area."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg

from services.monitoring import repository_quality as repository
from services.monitoring import repository_quality_runs as runs
from services.monitoring.domain.quality_finding import Settlement, settle
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.quality_book import quality_book
from services.monitoring.repository_quality import Extent
from services.monitoring.repository_quality_due import DUE
from shared.db.scope import transaction
from shared.logs import log
from shared.policies import ParameterUnknown
from shared.queue.claim import LeaseLost, claim, finish
from shared.regions.name_places import name_places
from shared.runtime import Runtime

BATCH = 2_000
LEASE = timedelta(minutes=2)
LINE = "monitoring_line"
# A household is checked once it has been assessed, since assessments answer some of the checks.
ASSESSED = """
NOT EXISTS (SELECT FROM household h WHERE h.household_id = quality_due.household_id AND h.due_at <= $1)
"""


async def check_due(runtime: Runtime) -> int:
    """Claim households whose data changed, and check them; how many (0: nothing is due)."""
    async with transaction(runtime.worker_pool) as connection:
        rows = await claim(
            connection,
            DUE,
            now=runtime.clock.now(),
            limit=BATCH,
            lease=LEASE,
            returning="household_id, lease_token",
            extra=ASSESSED,
        )
        extents = await repository.claimed_extents(connection, [row["household_id"] for row in rows])
    for extent in extents:
        async with transaction(runtime.worker_pool) as connection:
            seen = await repository.versions(connection, extent.ids or ())
            await check(connection, extent, runtime)
            await repository.checked(connection, seen, rows[0]["lease_token"])
    return len(rows)


async def check_ranges(runtime: Runtime) -> int:
    """Claim a range of an order, and check it; how many households (0: nothing is due)."""
    async with transaction(runtime.worker_pool) as connection:
        claimed = await claim(
            connection, runs.RANGES, now=runtime.clock.now(), limit=1, lease=LEASE, returning=runs.COLUMNS
        )
    if not claimed:
        return 0
    try:
        await _check_range(dict(claimed[0]), runtime)
    except LeaseLost:
        log.warning("quality.lease_lost", county=claimed[0]["county"], first=claimed[0]["first_household"])
    return int(claimed[0]["households"])


async def _check_range(claimed: Mapping[str, Any], runtime: Runtime) -> None:
    extent = Extent(claimed["county"], claimed["first_household"], claimed["last_household"])
    async with transaction(runtime.worker_pool) as connection:
        opened, settled = await check(connection, extent, runtime)
        await finish(
            connection,
            runs.RANGES,
            (claimed["run_id"], claimed["county"], claimed["first_household"]),
            claimed["lease_token"],
            set_sql="due_at = NULL, finished_at = $1, opened = $2, mended = $3",
            args=(runtime.clock.now(), opened, len(settled.mended)),
        )


async def check(connection: asyncpg.Connection, extent: Extent, runtime: Runtime) -> tuple[int, Settlement]:
    """Check households as of today: open what is doubtful, close what was mended; how many were opened."""
    book, on, now = quality_book(), runtime.clock.today(), runtime.clock.now()
    await repository.plan_for_checks(connection)
    in_force = await policy_in_force(connection, extent.county, on)
    code = f"{extent.county}000000"
    place = (await name_places(runtime.directory_pool, [code], on))[code]
    found = await repository.fired(connection, book, extent, on, place, _line(in_force))
    says, silent = await repository.noted(connection, in_force.package, book.noted, extent)
    settlement = settle([*found, *says], await repository.standing(connection, extent), frozenset(silent))
    opened = await repository.write(connection, book, settlement, on=on, now=now)
    await repository.follow_moves(connection, extent)
    return opened, settlement


def _line(in_force: Any) -> int | None:
    """The county's line today; a county without one leaves the check that needs it unanswered."""
    try:
        return int(in_force.parameters.number(LINE))
    except ParameterUnknown:
        return None
