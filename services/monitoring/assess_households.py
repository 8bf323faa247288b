"""Assess the households that are due, append what changed, and tell alerts whose risk changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring import repository_assessments as repository
from services.monitoring import repository_households as households
from services.monitoring.announce import announce_progress, announce_risks
from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.compiler import assessment_from_row, compile_policy
from services.monitoring.domain.policy import PolicyPackage, load_policy, next_change_on
from services.monitoring.judge_household import Judged, judge, kinds_that_matter
from services.monitoring.repository_assessments import Finished, NewAssessment, Run
from services.monitoring.tell_risk import report_only_item, risk_item
from shared.contracts.progress import ProgressItem
from shared.db.scope import transaction
from shared.logs import log
from shared.policies import ParameterSet, ParameterUnknown
from shared.runtime import Runtime

ENGINE_VERSION = "1"
BATCH = 500
# What a crash holds up, reports among it, is held no longer than this; a batch takes well under a second.
LEASE = timedelta(seconds=20)
RETRY_WITHOUT_PARAMETERS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Batch:
    """Claimed households of one county, locked, with how they stood."""

    run: Run
    token: UUID
    standing: Mapping[int, Mapping[str, Any]]
    package: PolicyPackage
    parameters: ParameterSet

    @property
    def ids(self) -> list[int]:
        return list(self.standing)


async def assess_due(runtime: Runtime) -> int:
    """Claim a batch of due households and assess it; returns how many (0: nothing is due).

    Each county's part is one transaction. Whoever lost its lease meanwhile rolls back: another worker has it.
    """
    async with transaction(runtime.worker_pool) as connection:
        token, by_county = await repository.claim_due(
            connection, now=runtime.clock.now(), limit=BATCH, lease=LEASE
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
    """Assess claimed households of one county as of today, by everything known now."""
    batch = await _begin(connection, county, ids, token, runtime.clock.today())
    assessments = await _run_policy(connection, batch)
    judged = await _judge(connection, batch, assessments, runtime)
    await repository.append(connection, [_new(one) for one in judged if one.is_new], batch.run)
    await _tell(connection, batch, [one for one in judged if one.is_told], runtime)
    await _finish(connection, batch, judged)


async def _begin(
    connection: asyncpg.Connection, county: str, ids: Sequence[int], token: UUID, on: date
) -> Batch:
    package = load_policy()
    parameters = package.parameters_for(county.ljust(12, "0"), on)
    standing = await repository.hold(connection, ids, token)
    known_at = await households.database_time(connection)
    return Batch(Run(county, on, known_at, package.version, ENGINE_VERSION), token, standing, package, parameters)


async def _run_policy(
    connection: asyncpg.Connection, batch: Batch
) -> dict[int, tuple[dict[str, Any], Assessment]]:
    """The compiled statement over the batch, and each of its rows as an assessment."""
    policy, run = compile_policy(batch.package), batch.run
    binds = policy.bind(
        county=run.county, household_ids=batch.ids, on=run.on, known_at=run.known_at, parameters=batch.parameters
    )
    rows = await repository.evaluate(connection, policy.households_sql, binds)
    return {i: (row, assessment_from_row(batch.package, row, batch.parameters, run.on)) for i, row in rows.items()}


async def _judge(
    connection: asyncpg.Connection, batch: Batch, assessments: Mapping[int, tuple[dict[str, Any], Assessment]],
    runtime: Runtime,
) -> list[Judged]:
    answered = {i: row["answered"]["facts_version"] for i, row in batch.standing.items() if row["answered"]}
    kinds = await repository.newer_kinds(connection, batch.run.county, answered) if answered else {}
    return [
        judge(
            batch.standing[i], row, assessment, now=runtime.clock.now(),
            newer=kinds_that_matter(batch.package, assessment, kinds.get(i, set())),
        )
        for i, (row, assessment) in assessments.items()
    ]


def _new(one: Judged) -> NewAssessment:
    assessment = one.assessment
    return NewAssessment(
        household_id=one.standing["household_id"], recommendation=assessment.recommendation,
        severity=assessment.severity.rank if assessment.severity else None, score=assessment.score,
        confidence_percent=assessment.confidence_percent, measured=dict(one.row), digest=one.digest,
        facts_version=one.standing["facts_version"],
    )


async def _tell(connection: asyncpg.Connection, batch: Batch, told: Sequence[Judged], runtime: Runtime) -> None:
    """Tell alerts the changed risks, and intake which reports were assessed."""
    shown_since = batch.run.on - timedelta(days=396)
    ids = [one.standing["household_id"] for one in told]
    evidence = await repository.evidence_of(connection, batch.run.county, ids, shown_since) if ids else {}
    items = [risk_item(one, batch.package, evidence, batch.run.on, runtime) for one in told]
    now = runtime.clock.now()
    await announce_risks(connection, items, policy_version=batch.package.version, now=now)
    assessed = [
        ProgressItem(report_id=report["report_id"], stage="assessed", at=now)
        for one in told for report in one.standing["waiting_reports"]
    ]
    await announce_progress(connection, assessed, now=now, priority=0)


async def _finish(connection: asyncpg.Connection, batch: Batch, judged: Sequence[Judged]) -> None:
    run = batch.run
    ends = await repository.expiries(connection, run.county, batch.ids, run.on)
    for_all = next_change_on(batch.package, run.on, division=run.county.ljust(12, "0"))
    finished = [
        Finished(
            household_id=one.standing["household_id"], recommendation=one.risk.recommendation,
            severity=one.risk.severity.rank if one.risk.severity else None, score=one.assessment.score,
            next_change_on=min([for_all, *ends.get(one.standing["household_id"], ())]),
            risk=one.risk.as_json(), answered=one.answered.as_json() if one.answered else None,
            warned_at=one.warned_at,
        )
        for one in judged
    ]
    await repository.finish(connection, finished, batch.token)


async def put_off(connection: asyncpg.Connection, ids: Sequence[int], token: UUID, runtime: Runtime) -> None:
    """A place without its parameters cannot be assessed; the reports from there reach a person all the same."""
    standing = await repository.hold(connection, ids, token)
    waiting = [row for row in standing.values() if row["waiting_reports"]]
    package = load_policy()
    items = [report_only_item(row, package, runtime) for row in waiting]
    await announce_risks(connection, items, policy_version=package.version, now=runtime.clock.now())
    await repository.put_off(connection, ids, token, runtime.clock.now() + RETRY_WITHOUT_PARAMETERS)
