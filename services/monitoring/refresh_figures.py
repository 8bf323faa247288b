"""Count the figures of the dashboard again where something changed, behind everybody's back and never in the way."""

import time
from dataclasses import dataclass

from services.monitoring import repository_figures as repository
from services.monitoring.domain.dashboard import Figure, is_county
from shared.db.scope import transaction
from shared.runtime import Runtime

# About 15,000 households: a tenth of a second, in which nobody waits for anything.
PLACES_AT_A_TIME = 50


@dataclass(slots=True)
class LastCount:
    """When this process counted last, by its monotonic clock."""

    counted_at: float = 0.0


LAST = LastCount()


async def refresh_figures(runtime: Runtime) -> int:
    """Count every place noted since the last time; facts that came are left to `refresh_coverage`.

    Always 0: what is noted meanwhile waits for the next tick, so that a flood of changes is counted now and then.
    """
    return await _refresh(runtime, facts=False)


async def refresh_coverage(runtime: Runtime) -> int:
    """Count every place where facts came: which data sets cover whom, and who was helped."""
    return await _refresh(runtime, facts=True)


async def _refresh(runtime: Runtime, *, facts: bool) -> int:
    while await _refresh_some(runtime, facts=facts):
        LAST.counted_at = time.monotonic()
    return 0


async def _refresh_some(runtime: Runtime, *, facts: bool) -> bool:
    """Count some places; whether there may be more. One counts at a time, or an older count could win."""
    async with transaction(runtime.worker_pool) as connection:
        if not await repository.try_lock(connection):
            return False
        touched = await repository.take_touched(connection, PLACES_AT_A_TIME, facts=facts)
        if not touched.villages:
            return False
        changed = await repository.count_again(connection, touched)
        if any(is_county(place) for place in touched.villages):
            changed.add(Figure.DATA_SET)  # How new its data are is noted as a change of the county.
        if changed:
            await repository.move_version(connection, runtime.clock.now(), touched.villages, changed)
        return True
