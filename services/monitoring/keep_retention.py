"""Keep no fact about a person longer than its data set says (保存期限): each night, county by county.

Nothing goes that an indicator still looks at: what holds, and what a window of today reaches back to. Assessments
keep what they said; one made again as of a day before that is made of what is left.
"""

from collections import Counter
from collections.abc import Sequence

import asyncpg

from services.monitoring import repository_rescreens as places
from services.monitoring import repository_retention as repository
from services.monitoring.domain.retention import Retention, retention
from services.monitoring.domain.window import windows_on
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.repository_retention import Gone
from shared.db.scope import transaction
from shared.logs import log
from shared.policies import ParameterUnknown
from shared.runtime import Runtime
from shared.security.audit import audit

FACTS_A_STEP = 20_000
ACTOR = "monitoring.retention"


async def keep_retention(runtime: Runtime) -> int:
    """Delete all facts whose time is over; how many. In steps, so that no lock lasts."""
    async with transaction(runtime.worker_pool) as connection:
        counties = await places.counties(connection)
    return sum([await _keep_county(runtime, county) for county in counties])


async def _keep_county(runtime: Runtime, county: str) -> int:
    """A county whose policy lacks a window's value keeps everything: nobody knows what it may not."""
    async with transaction(runtime.worker_pool) as connection:
        try:
            kept = await _retention(connection, county, runtime)
        except ParameterUnknown as unknown:
            log.warning("retention_skipped", county=county, reason=str(unknown))
            return 0
    total, after = Counter[str](), 0
    while True:
        async with transaction(runtime.worker_pool) as connection:
            last = await repository.last_of_stretch(connection, county, after, FACTS_A_STEP)
            if last is None:
                break
            total.update(await _step(connection, county, kept, after, last, runtime))
        after = last
    if total.total():
        log.info("retention_kept", county=county, **total)
    return total.total()


async def _retention(connection: asyncpg.Connection, county: str, runtime: Runtime) -> Retention:
    in_force = await policy_in_force(connection, county, runtime.clock.today())
    return retention(in_force.package, windows_on(in_force.on, in_force.parameters))


async def _step(
    connection: asyncpg.Connection, county: str, kept: Retention, after: int, last: int, runtime: Runtime
) -> Counter[str]:
    """One stretch, with an audit row if anything of it went."""
    gone = await repository.drop_facts(connection, county, kept, after, last)
    if gone:
        await audit(
            connection,
            ACTOR,
            "facts.deleted",
            f"division:{county}000000",
            now=runtime.clock.now(),
            detail=_detail(gone),
        )
    return Counter(
        {"superseded": sum(each.superseded for each in gone), "expired": sum(each.expired for each in gone)}
    )


def _detail(gone: Sequence[Gone]) -> dict[str, dict[str, int]]:
    return {each.data_set: {"superseded": each.superseded, "expired": each.expired} for each in gone}
