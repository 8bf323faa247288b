"""Forget links and phones that open nothing any more."""

from services.alerts import repository_phone
from shared.db.scope import transaction
from shared.runtime import Runtime


async def forget_phones(runtime: Runtime) -> int:
    """Remove what has expired; how many rows."""
    async with transaction(runtime.worker_pool) as connection:
        return await repository_phone.drop_expired(connection, runtime.clock.now())
