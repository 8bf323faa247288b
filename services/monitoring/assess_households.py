"""Assess the households that are due, append what changed, and tell alerts whose risk changed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring import repository_assessments as repository
from services.monitoring.announce import announce_progress, announce_risks
from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.policy import load_policy, next_change_on
from services.monitoring.domain.warning import Risk
from services.monitoring.hold_batch import Batch, hold_batch, run_policy
from services.monitoring.judge_household import Judged, judge, kinds_that_matter, risk_of
from services.monitoring.repository_assessments import Finished, NewAssessment
from services.monitoring.repository_households import plan_afresh
from services.monitoring.tell_risk import report_only_item, risk_item
from shared.contracts.progress import ProgressItem
from shared.db.scope import transaction
from shared.logs import log
from shared.policies import ParameterUnknown
from shared.runtime import Runtime
from shared.trace import traced

# What a batch holds locked is over in a quarter of a second, so that whoever calls for help is not kept waiting.
BATCH = 300
LEASE = timedelta(seconds=30)
RETRY_WITHOUT_PARAMETERS = timedelta(hours=1)


async def assess_due(runtime: Runtime) -> int:
    """Claim a batch of due households and assess it; returns how many (0: nothing is due).

    Each county's part is one transaction. Whoever lost its lease meanwhile rolls back: another worker has it.
    """
    async with transaction(runtime.worker_pool) as connection:
        token, by_county = await repository.claim_due(connection, now=runtime.clock.now(), limit=BATCH, lease=LEASE)
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
    await plan_afresh(connection)
    batch = await hold_batch(connection, county, ids, token, runtime.clock.today())
    judged = await _judge(connection, batch, await run_policy(connection, batch), runtime)
    standing_now = await _append(connection, batch, judged)
    await _tell(connection, batch, [one for one in judged if one.is_told], runtime)
    await _finish(connection, batch, judged, standing_now)


async def _judge(
    connection: asyncpg.Connection, batch: Batch, rows: Mapping[int, Mapping[str, Any]], runtime: Runtime
) -> list[Judged]:
    answered = {i: row["answered"]["facts_version"] for i, row in batch.standing.items() if row["answered"]}
    kinds = await repository.newer_kinds(connection, batch.run.county, answered) if answered else {}
    judged = []
    for i, row in rows.items():
        standing = batch.standing[i]
        assessment = None if batch.stands(standing, row) else batch.worded(row)
        risk = risk_of(assessment) if assessment else Risk.from_json(standing["risk"])
        newer = kinds_that_matter(batch.package, risk, kinds.get(i, ()))
        judged.append(judge(standing, row, assessment, risk, now=runtime.clock.now(), newer=newer))
    return judged


async def _append(connection: asyncpg.Connection, batch: Batch, judged: Sequence[Judged]) -> dict[int, int]:
    """Append the assessments that say something new; the assessment_id that stands for each household now."""
    new = [
        made
        for one in judged
        if one.assessment and (made := _new(one, one.assessment)).digest != one.standing["digest"]
    ]
    stands = {one.standing["household_id"]: one.standing["assessment_id"] for one in judged}
    return stands | await repository.append(connection, new, batch.run)


def _new(one: Judged, assessment: Assessment) -> NewAssessment:
    return NewAssessment(
        household_id=one.standing["household_id"],
        recommendation=assessment.recommendation,
        severity=assessment.severity.rank if assessment.severity else None,
        score=assessment.score,
        confidence_percent=assessment.confidence_percent,
        measured=one.row,
        digest=assessment.decision_digest(),
        facts_version=one.standing["facts_version"],
    )


async def _tell(connection: asyncpg.Connection, batch: Batch, told: Sequence[Judged], runtime: Runtime) -> None:
    """Tell alerts the changed risks, and intake which reports were assessed, each under the trace of its report."""
    by_trace: dict[str | None, list[Judged]] = {}
    for one in told:
        reports = one.standing["waiting_reports"]
        by_trace.setdefault(reports[0].get("trace") if reports else None, []).append(one)
    for trace, some in by_trace.items():
        with traced(trace):
            await _tell_some(connection, batch, some, runtime)


async def _tell_some(connection: asyncpg.Connection, batch: Batch, told: Sequence[Judged], runtime: Runtime) -> None:
    shown_since = batch.run.on - timedelta(days=396)
    ids = [one.standing["household_id"] for one in told]
    evidence = await repository.evidence_of(connection, batch.run.county, ids, shown_since) if ids else {}
    items = [
        risk_item(one, one.assessment or batch.worded(one.row), batch.package, evidence, batch.run.on, runtime)
        for one in told
    ]
    now = runtime.clock.now()
    await announce_risks(connection, items, policy_version=batch.package.version, now=now)
    assessed = [
        ProgressItem(report_id=report["report_id"], stage="assessed", at=now)
        for one in told
        for report in one.standing["waiting_reports"]
    ]
    await announce_progress(connection, assessed, now=now, priority=0)


async def _finish(
    connection: asyncpg.Connection, batch: Batch, judged: Sequence[Judged], assessment_ids: Mapping[int, int]
) -> None:
    run = batch.run
    ends = await repository.expiries(connection, run.county, batch.ids, run.on)
    for_all = next_change_on(batch.package, run.on, division=run.county.ljust(12, "0"))
    finished = [
        Finished(
            household_id=i,
            assessment_id=assessment_ids[i],
            recommendation=one.risk.recommendation,
            severity=one.risk.severity.rank if one.risk.severity else None,
            score=one.row["score"],
            next_change_on=min(for_all, ends.get(i, for_all)),
            risk=one.risk.as_json(),
            answered=one.answered.as_json() if one.answered else None,
            warned_at=one.warned_at,
        )
        for one in judged
        for i in [one.standing["household_id"]]
    ]
    await repository.finish(connection, finished)


async def put_off(connection: asyncpg.Connection, ids: Sequence[int], token: UUID, runtime: Runtime) -> None:
    """A place without its parameters cannot be assessed; the reports from there reach a person all the same."""
    standing = await repository.hold(connection, ids, token)
    waiting = [row for row in standing.values() if row["waiting_reports"]]
    package = load_policy()
    items = [report_only_item(row, package, runtime) for row in waiting]
    await announce_risks(connection, items, policy_version=package.version, now=runtime.clock.now())
    await repository.put_off(connection, ids, token, runtime.clock.now() + RETRY_WITHOUT_PARAMETERS)
