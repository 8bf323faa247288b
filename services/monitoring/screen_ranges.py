"""Screen ranges of a rescreen: households of one county in order, measured where needed, only changes written."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg

from services.monitoring import repository_households as households
from services.monitoring import repository_rescreens as repository
from services.monitoring import repository_screening as sets
from services.monitoring.begin_run import begin_run
from services.monitoring.domain import screening
from services.monitoring.domain.screening import MOST_NUMBERS_A_HOUSEHOLD, Chosen
from services.monitoring.measure_households import measure_households
from services.monitoring.tell_changes import tell_changes
from shared.db.scope import transaction
from shared.logs import log
from shared.policies import ParameterUnknown
from shared.queue.claim import LeaseLost, claim, finish, postpone
from shared.runtime import Runtime
from shared.vocabulary.division import code_range

AT_ONCE, RANGES_A_TURN = 2, 8
LEASE = timedelta(minutes=1)
RETRY_WITHOUT_PARAMETERS = timedelta(hours=1)
COLUMNS = "rescreen_id, county, first_household, last_household, households, lease_token"


async def screen_ranges(runtime: Runtime) -> int:
    """Claim ranges and screen them, each over a connection of its own; how many households (0: nothing is due)."""
    return sum(await asyncio.gather(*(_screen_some(runtime) for _ in range(AT_ONCE))))


async def _screen_some(runtime: Runtime) -> int:
    """One after the other, so that nobody waits for whoever has the larger range; few, so that a stop is soon."""
    total = 0
    for _ in range(RANGES_A_TURN):
        if not (done := await _screen_one(runtime)):
            break
        total += done
    return total


async def _screen_one(runtime: Runtime) -> int:
    async with transaction(runtime.worker_pool) as connection:
        claimed = await claim(
            connection, repository.RANGES, now=runtime.clock.now(), limit=1, lease=LEASE, returning=COLUMNS
        )
    if not claimed:
        return 0
    await screen(dict(claimed[0]), runtime)
    return int(claimed[0]["households"])


async def screen(claimed: Mapping[str, Any], runtime: Runtime) -> None:
    """Screen a claimed range; whoever lost the lease meanwhile has written nothing."""
    try:
        await _measure(claimed, runtime)
        async with transaction(runtime.worker_pool) as connection:
            await _judge(connection, claimed, runtime)
    except ParameterUnknown as unknown:
        log.error("rescreen.parameter_unknown", county=claimed["county"], detail=unknown.detail)
        async with transaction(runtime.worker_pool) as connection:
            until = runtime.clock.now() + RETRY_WITHOUT_PARAMETERS
            await postpone(connection, repository.RANGES, _key(claimed), claimed["lease_token"], until)
    except LeaseLost:
        log.warning("rescreen.lease_lost", county=claimed["county"], first=claimed["first_household"])
    runtime.waker.wake("relay")


async def _measure(claimed: Mapping[str, Any], runtime: Runtime) -> None:
    """In a transaction of its own, which holds no household: what is measured stands whoever judges it."""
    async with transaction(runtime.worker_pool) as connection:
        area = await _prepare(connection, claimed)
        run = await begin_run(connection, claimed["county"], runtime.clock.today())
        chosen = await _chosen(connection, claimed, area)
        if chosen is not None:
            await measure_households(connection, run, chosen, area=area)


async def _judge(connection: asyncpg.Connection, claimed: Mapping[str, Any], runtime: Runtime) -> None:
    area = await _prepare(connection, claimed)
    run = await begin_run(connection, claimed["county"], runtime.clock.today())
    chosen, changed, told = await _chosen(connection, claimed, area), 0, 0
    if chosen is not None:
        await households.count_later(connection)
        judged = screening.judging(run.reading, chosen, sets.FIRST_IN_AREA)
        written = await sets.write_area(connection, judged, chosen, run.written_under, area)
        changed, told = written.appended, await tell_changes(connection, run, written.loud, runtime)
        if changed:
            await sets.note_villages(connection, chosen, area)
    await finish(
        connection,
        repository.RANGES,
        _key(claimed),
        claimed["lease_token"],
        set_sql="due_at = NULL, finished_at = $1, changed = $2, told = $3",
        args=(runtime.clock.now(), changed, told),
    )


async def _prepare(connection: asyncpg.Connection, claimed: Mapping[str, Any]) -> tuple[str, str]:
    await sets.plan_for_sets(connection)
    lo, hi = code_range(await repository.division_of(connection, claimed["rescreen_id"]))
    return lo, hi


async def _chosen(connection: asyncpg.Connection, claimed: Mapping[str, Any], area: tuple[str, str]) -> Chosen | None:
    """The range itself if it holds few others, else its households one by one; None if nobody lives there."""
    first, last = claimed["first_household"], claimed["last_household"]
    if last - first < MOST_NUMBERS_A_HOUSEHOLD * claimed["households"]:
        return Chosen(first, last)
    ids = await repository.households_between(connection, claimed["county"], first, last, area)
    return Chosen(first, last, tuple(ids)) if ids else None


def _key(claimed: Mapping[str, Any]) -> tuple[Any, ...]:
    return claimed["rescreen_id"], claimed["county"], claimed["first_household"]
