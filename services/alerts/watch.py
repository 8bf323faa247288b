"""Watch over alerts (看门狗): find what stands still, raise one alarm for each incident, say when it is over.

It does not use the queues it watches, and it runs in the process that serves requests as well as in the worker: a
worker that is dead is found too.
"""

import asyncio
from datetime import datetime, timedelta

import asyncpg

from services.alerts import repository_watch
from services.alerts.domain.trouble import PATIENCE, Trouble, detail_of_late, detail_of_silent, subject_of
from services.alerts.sound_alarm import sound_alarm
from shared.logs import log
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from shared.web.metrics import ALERTS_TROUBLE

# The tasks that must come, and how often.
WATCHED = {"escalate": timedelta(minutes=1)}
_EVERY_SECONDS = 60


async def watch(runtime: Runtime) -> int:
    """Look once; how many troubles stand."""
    now, pool = runtime.clock.now(), runtime.worker_pool
    found = await find_trouble(runtime)
    for trouble, detail in found.items():
        row = {"incident_id": new_id(now), "trouble": trouble, "detail": detail, "opened_at": now}
        await repository_watch.open_incident(pool, row)
    await repository_watch.close_incidents(pool, [str(trouble) for trouble in found], now)
    for incident in await repository_watch.take_untold(pool, now):
        await _tell(runtime, incident)
    return len(found)


async def find_trouble(runtime: Runtime) -> dict[Trouble, str]:
    """What stands still now, and how much of it; the gauges show the same."""
    now, found = runtime.clock.now(), dict[Trouble, str]()
    for trouble in Trouble:
        detail = await _detail(runtime, trouble, now)
        ALERTS_TROUBLE.labels(trouble).set(detail is not None)
        if detail is not None:
            found[trouble] = detail
    return found


async def measure_trouble(runtime: Runtime) -> None:
    """Set the gauges for a scrape."""
    await find_trouble(runtime)


async def keep_watch(runtime: Runtime) -> None:
    """Look every minute until cancelled."""
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        try:
            await watch(runtime)
        except Exception as error:
            # Whatever it is, the next look comes: nobody watches the watch.
            log.error("watch.failed", error=type(error).__name__, exc_info=True)


async def _detail(runtime: Runtime, trouble: Trouble, now: datetime) -> str | None:
    pool, patience = runtime.worker_pool, PATIENCE[trouble]
    if trouble is Trouble.TASKS:
        for name, every in WATCHED.items():
            await repository_watch.expect_beat(pool, name, every, now)
        silent = await repository_watch.find_silent(pool, now, patience)
        return detail_of_silent(silent) if silent else None
    late = await repository_watch.find_late(pool, trouble, now - patience)
    return detail_of_late(late) if late else None


async def _tell(runtime: Runtime, incident: asyncpg.Record) -> None:
    """Log it, and tell it outside; what no way out takes is told again the next time."""
    trouble, is_over = Trouble(incident["trouble"]), incident["closed_at"] is not None
    level = log.warning if is_over else log.critical
    level("watch.over" if is_over else "watch.alarm", trouble=trouble, detail=incident["detail"])
    subject = subject_of(trouble, is_over=is_over)
    if not await sound_alarm(runtime, incident["incident_id"], subject, incident["detail"], is_over=is_over):
        await repository_watch.give_back(runtime.worker_pool, incident["incident_id"], is_over=is_over)
