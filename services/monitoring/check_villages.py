"""Check what villages say of themselves (村级信息) against each other and against their households."""

import asyncpg

from services.monitoring import repository_quality as repository
from services.monitoring.quality_book import quality_book
from shared.runtime import Runtime


async def check_villages(connection: asyncpg.Connection, county: str, runtime: Runtime) -> int:
    """Open what is doubtful of the county's villages, close what was mended; how many are open or accepted."""
    book, on, now = quality_book(), runtime.clock.today(), runtime.clock.now()
    fired = await repository.fired_villages(connection, book, county)
    return await repository.settle_villages(connection, book, county, fired, on=on, now=now)
