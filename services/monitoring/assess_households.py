"""Assess the households that are due, append what changed, and tell alerts whose risk changed."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from services.monitoring import repository_assessments as repository
from services.monitoring import repository_screening as sets
from services.monitoring.announce import announce_risks
from services.monitoring.begin_run import begin_run
from services.monitoring.domain import screening
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.screening import Chosen
from services.monitoring.measure_households import measure_households
from services.monitoring.tell_changes import tell_changes
from services.monitoring.tell_risk import report_only_item
from shared.db.scope import transaction
from shared.logs import log
from shared.policies import ParameterUnknown
from shared.queue.claim import LeaseLost
from shared.runtime import Runtime

# What a batch holds locked is over in a quarter of a second, so that whoever calls for help is not kept waiting.
AT_ONCE, BATCH = 2, 500
LEASE = timedelta(seconds=30)
RETRY_WITHOUT_PARAMETERS = timedelta(hours=1)


async def assess_due(runtime: Runtime, *, patience: timedelta | None = None) -> int:
    """Claim batches of due households and assess them beside each other; returns how many (0: nothing is due).

    With `patience`, of households that only bulk made due, none that waited less than that long.
    """
    return sum(await asyncio.gather(*(_assess_batch(runtime, patience) for _ in range(AT_ONCE))))


async def _assess_batch(runtime: Runtime, patience: timedelta | None) -> int:
    """Each county's part is one transaction. Whoever lost its lease meanwhile rolls back: another worker has it."""
    async with transaction(runtime.worker_pool) as connection:
        token, by_county = await repository.claim_due(
            connection, now=runtime.clock.now(), limit=BATCH, lease=LEASE, patience=patience
        )
    if token is None:
        return 0
    for county, ids in by_county.items():
        try:
            async with transaction(runtime.worker_pool) as connection:
                await assess(connection, county, ids, token, runtime)
        except ParameterUnknown as unknown:
            log.error("assess.parameter_unknown", county=county, detail=unknown.detail)
            async with transaction(runtime.worker_pool) as connection:
                await put_off(connection, ids, token, runtime)
    runtime.waker.wake("relay")
    return sum(map(len, by_county.values()))


async def assess(
    connection: asyncpg.Connection, county: str, ids: Sequence[int], token: UUID, runtime: Runtime
) -> None:
    """Assess claimed households of one county as of today, by everything known now; raises LeaseLost."""
    if await sets.hold(connection, ids, token) < len(ids):
        raise LeaseLost
    await sets.plan_for_few(connection)
    chosen = Chosen(min(ids), max(ids), tuple(sorted(ids)))
    run = await begin_run(connection, county, runtime.clock.today())
    await measure_households(connection, run, chosen)
    judged = screening.judging(run.reading, chosen, sets.FIRST_WHEN_DUE)
    written = await sets.write_due(connection, judged, chosen, run.written_under, token)
    await tell_changes(connection, run, written.loud, runtime)


async def put_off(connection: asyncpg.Connection, ids: Sequence[int], token: UUID, runtime: Runtime) -> None:
    """A place without its parameters cannot be assessed; the reports from there reach a person all the same."""
    standing = await repository.hold(connection, ids, token)
    waiting = [row for row in standing.values() if row["waiting_reports"]]
    package = load_policy()
    items = [report_only_item(row, package, runtime) for row in waiting]
    await announce_risks(connection, items, policy_version=package.version, now=runtime.clock.now())
    await repository.put_off(connection, ids, token, runtime.clock.now() + RETRY_WITHOUT_PARAMETERS)
