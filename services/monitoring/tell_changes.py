"""Tell whose risk changed: alerts hears of it, reporters hear that they were assessed, the household remembers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from services.monitoring import repository_assessments as repository
from services.monitoring.announce import announce_progress, announce_risks
from services.monitoring.begin_run import Run
from services.monitoring.judge_household import Judged, judge, kinds_that_matter
from services.monitoring.repository_assessments import Remembered
from services.monitoring.tell_risk import risk_item
from shared.contracts.progress import ProgressItem
from shared.runtime import Runtime
from shared.trace import traced

EVIDENCE_DAYS = 396


async def tell_changes(
    connection: asyncpg.Connection, run: Run, loud: Sequence[Mapping[str, Any]], runtime: Runtime
) -> int:
    """Judge households whose outcome may be news, tell those of whom it is; how many."""
    if not loud:
        return 0
    judged = await _judge(connection, run, loud, runtime)
    told = [one for one in judged if one.is_told]
    await _tell(connection, run, told, runtime)
    await repository.remember(connection, [_remembered(one) for one in judged])
    return len(told)


async def _judge(
    connection: asyncpg.Connection, run: Run, loud: Sequence[Mapping[str, Any]], runtime: Runtime
) -> list[Judged]:
    answered = {row["household_id"]: row["answered"]["facts_version"] for row in loud if row["answered"]}
    kinds = await repository.newer_kinds(connection, run.reading.county, answered) if answered else {}
    judged = []
    for standing in loud:
        found = run.found(standing["outcome"])
        risk = found.risk
        newer = kinds_that_matter(run.reading.package, risk, kinds.get(standing["household_id"], ()))
        judged.append(judge(standing, found, risk, now=runtime.clock.now(), newer=newer))
    return judged


async def _tell(connection: asyncpg.Connection, run: Run, told: Sequence[Judged], runtime: Runtime) -> None:
    """Each under the trace of its report."""
    by_trace: dict[str | None, list[Judged]] = {}
    for one in told:
        reports = one.standing["waiting_reports"]
        by_trace.setdefault(reports[0].get("trace") if reports else None, []).append(one)
    for trace, some in by_trace.items():
        with traced(trace):
            await _tell_some(connection, run, some, runtime)


async def _tell_some(connection: asyncpg.Connection, run: Run, told: Sequence[Judged], runtime: Runtime) -> None:
    county, on, package = run.reading.county, run.reading.on, run.reading.package
    ids = [one.standing["household_id"] for one in told]
    evidence = await repository.evidence_of(connection, county, ids, on - timedelta(days=EVIDENCE_DAYS))
    items = [risk_item(one, package, evidence, on, runtime) for one in told]
    now = runtime.clock.now()
    await announce_risks(connection, items, policy_version=package.version, now=now)
    assessed = [
        ProgressItem(report_id=report["report_id"], stage="assessed", at=now)
        for one in told
        for report in one.standing["waiting_reports"]
    ]
    await announce_progress(connection, assessed, now=now, priority=0)


def _remembered(one: Judged) -> Remembered:
    return Remembered(
        household_id=one.standing["household_id"],
        risk=one.risk.as_json(),
        answered=one.answered.as_json() if one.answered else None,
        warned_at=one.warned_at,
    )
