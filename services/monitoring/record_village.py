"""Record what a village says of itself, and check it at once."""

import asyncpg

from services.monitoring import repository_findings as repository
from services.monitoring.check_villages import check_villages
from services.monitoring.register_desk import OutOfRange
from services.monitoring.repository_findings import FindingQuery
from services.monitoring.schemas_quality import VillageFigures, VillageFiguresTaken
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range, county_of, covers

MOST = 100


async def record_village(
    scoped: asyncpg.Connection, told: VillageFigures, caller: Principal, runtime: Runtime, request_id: str
) -> VillageFiguresTaken:
    """Only of villages in the caller's range; figures of an older day change nothing."""
    if not covers(caller.division, told.village):
        raise OutOfRange("只能填报本人区划内的村")
    now = runtime.clock.now()
    figures = told.model_dump(exclude={"village", "as_of"}, exclude_none=True)
    async with transaction(runtime.worker_pool) as connection:
        await repository.put_figures(
            connection,
            told.village,
            told.as_of,
            figures,
            by=caller.subject,
            by_name=caller.name,
            now=now,
        )
        await audit(connection, caller, "village.record", f"division:{told.village}", now=now, request_id=request_id)
        await check_villages(connection, county_of(told.village), runtime)
        query = FindingQuery(code_range(told.village))
        open_now = [
            each for each in await repository.findings(connection, query, None, MOST) if each["household_no"] is None
        ]
    return VillageFiguresTaken(village=told.village, as_of=told.as_of, open_findings=len(open_now))
