"""Explain a household's assessment: the stored one, or a replay as of a day, as known at a moment."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import asyncpg

from services.monitoring import repository_assessments as assessments
from services.monitoring import repository_freshness as freshness
from services.monitoring import repository_readings as repository
from services.monitoring.domain.assessment import Assessment, IndicatorResult
from services.monitoring.domain.compiler import assessment_from_row, compile_policy
from services.monitoring.domain.explanation import explain
from services.monitoring.domain.policy import PolicyPackage, load_policy
from services.monitoring.domain.rendering import per_head_yuan
from services.monitoring.domain.staleness import StaleDataSet, doubts
from services.monitoring.hold_batch import ENGINE_VERSION
from services.monitoring.read_household import CAUSE, CLASS, find_household
from services.monitoring.schemas import AssessmentView, IndicatorView
from services.monitoring.settings import MonitoringSettings
from shared.clock import SHANGHAI
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.principal import Principal
from shared.vocabulary.money import yuan

AMOUNT = "amount"


# Before this there was no line to compare with, and no fact.
FIRST_DAY = date(2014, 1, 1)


class DayOutOfRange(Unprocessable):
    code, title = "day_out_of_range", "评估日期超出范围"


@dataclass(frozen=True, slots=True)
class Answer:
    """An assessment with where it comes from; `doubts`: what stale data left open, in sentences by indicator."""

    assessment: Assessment
    origin: str
    known_at: datetime
    engine_version: str
    facts_version: int | None
    stale: tuple[StaleDataSet, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)


async def explain_assessment(
    connection: asyncpg.Connection,
    household_no: str,
    caller: Principal,
    runtime: Runtime,
    *,
    as_of: date | None,
    known_at: datetime | None,
) -> AssessmentView:
    """What the policy says of a household, in the fields the caller's post sees.

    Without a day and a moment the stored row is explained; with one of them the policy runs again on the facts as
    they were known. `known_at` alone asks for that day in Shanghai.
    """
    household = await find_household(connection, household_no)
    package = load_policy()
    replays = as_of is not None or known_at is not None
    if replays or household["policy_version"] != package.version:
        answer = await _replay(connection, household, package, runtime, as_of=as_of, known_at=known_at)
    else:
        answer = await _stored(connection, household, package, runtime)
    return _view(answer, household_no, package, field_classes(caller))


async def _stored(
    connection: asyncpg.Connection, household: Mapping[str, Any], package: PolicyPackage, runtime: Runtime
) -> Answer:
    """The row that stands; what only stale data vouches for is shown as unknown."""
    on = household["on_date"]
    parameters = package.parameters_for(household["county"].ljust(12, "0"), on)
    stale = await _stale(connection, household["county"], package, runtime)
    row = _Row(household["measured"])
    doubtful = doubts(package, assessment_from_row(package, row, parameters, on), stale)
    assessment = assessment_from_row(package, _overlaid(row, package, doubtful), parameters, on)
    return Answer(
        assessment,
        "stored",
        household["known_at"],
        household["engine_version"],
        household["assessed_version"],
        stale,
        doubtful,
    )


async def _replay(
    connection: asyncpg.Connection,
    household: Mapping[str, Any],
    package: PolicyPackage,
    runtime: Runtime,
    *,
    as_of: date | None,
    known_at: datetime | None,
) -> Answer:
    """The compiled policy over the facts of a day as known at a moment. Staleness is of today, so none is shown."""
    today = runtime.clock.today()
    moment = known_at or await connection.fetchval("SELECT clock_timestamp()")
    on = as_of or _day_of(known_at, runtime)
    if not FIRST_DAY <= on <= today:
        error = FieldError("query/as_of", "day_out_of_range", "不在可推算的日期内", f"{FIRST_DAY} 至 {today}")
        raise DayOutOfRange("评估日期有误", errors=[error])
    parameters = package.parameters_for(household["county"].ljust(12, "0"), on)
    policy = compile_policy(package)
    binds = policy.bind(
        county=household["county"],
        household_ids=[household["household_id"]],
        on=on,
        known_at=moment,
        parameters=parameters,
    )
    [row] = (await assessments.evaluate(connection, policy.households_sql, binds)).values()
    version = await repository.facts_version_at(connection, household["household_id"], household["county"], moment)
    assessment = assessment_from_row(package, row, parameters, on)
    return Answer(assessment, "replay", moment, ENGINE_VERSION, version)


def _day_of(known_at: datetime | None, runtime: Runtime) -> date:
    """The day in Shanghai of a moment that is past; otherwise today."""
    if known_at is None or known_at >= runtime.clock.now():
        return runtime.clock.today()
    return known_at.astimezone(SHANGHAI).date() if known_at.year > FIRST_DAY.year else date.min


async def _stale(
    connection: asyncpg.Connection, county: str, package: PolicyPackage, runtime: Runtime
) -> tuple[StaleDataSet, ...]:
    settings = runtime.settings
    limits = settings.stale_after_days if isinstance(settings, MonitoringSettings) else {}
    newest, today = await freshness.newest_by_data_set(connection, county), runtime.clock.today()
    return tuple(
        StaleDataSet(name, newest.get(name))
        for name in package.data_sets
        if name in limits and (name not in newest or (today - newest[name]).days > limits[name])
    )


class _Row(dict[str, Any]):
    """A stored row of the compiled statement; a column it does not have is null."""

    def __missing__(self, name: str) -> None:
        return None


def _overlaid(row: _Row, package: PolicyPackage, doubtful: Collection[str]) -> _Row:
    """The row with what stale data cannot vouch for turned into unknown."""
    mask = sum(1 << index for index, name in enumerate(package.indicators) if name in doubtful)
    return _Row({**row, "unknown": row["unknown"] | mask, "fired": row["fired"] & ~mask})


def _view(answer: Answer, household_no: str, package: PolicyPackage, classes: frozenset[str]) -> AssessmentView:
    one, amounts = answer.assessment, AMOUNT in classes
    sees_class = CLASS in classes
    return AssessmentView(
        household_no=household_no,
        origin=answer.origin,
        on=one.on,
        known_at=answer.known_at,
        policy_version=one.policy_version,
        engine_version=answer.engine_version,
        facts_version=answer.facts_version,
        recommendation=one.recommendation if sees_class else None,
        recommendation_label=package.label(one.recommendation) if sees_class and one.recommendation else None,
        severity=one.severity,
        score=one.score if sees_class else None,
        causes=[str(cause) for cause in one.causes] if CAUSE in classes else None,
        members_counted=one.members_counted,
        indicators=[_indicator(each, package, amounts, answer.doubts.get(each.id)) for each in one.indicators],
        flags=list(one.flags),
        unknown=list(one.unknown),
        stale=[each.name for each in answer.stale],
        confidence=one.confidence_percent / 100,
        window={"from": one.window.first, "to": one.window.last},
        explanation="".join(
            [
                explain(one, package) if amounts else _without_amounts(one, package, sees_class),
                *answer.doubts.values(),
            ]
        ),
        parameters_used={each.name: each.as_data() for each in one.parameters_used} if amounts else None,
        **_amounts(one, amounts),
    )


def _amounts(one: Assessment, shown: bool) -> dict[str, str | None]:
    per_head = {
        "net_income_per_capita_yuan": one.net_income_fen,
        "reference_income_per_capita_yuan": one.reference_income_fen,
    }
    found = {name: per_head_yuan(fen, one.members_counted) for name, fen in per_head.items()}
    outlay = None if one.rigid_outlay_fen is None else yuan(one.rigid_outlay_fen)
    return {**found, "rigid_outlay_yuan": outlay} if shown else dict.fromkeys([*found, "rigid_outlay_yuan"])


def _indicator(each: IndicatorResult, package: PolicyPackage, amounts: bool, doubt: str | None) -> IndicatorView:
    """An indicator in the fields the post sees; what stale data left open is said to be so, not to be unknown."""
    shown = {
        name: getattr(each, name) if amounts else None
        for name in ("measured", "threshold", "margin", "unit", "decided_by")
    }
    return IndicatorView(
        id=each.id,
        label=package.indicators[each.id].label_zh,
        state=each.state,
        cause=each.cause,
        severity=each.severity,
        sentence=doubt or (each.sentence if amounts else _plain(each, package)),
        **shown,
    )


_STATES: Mapping[str, str] = {"fired": "是", "clear": "否", "unknown": "不清楚"}


def _plain(each: IndicatorResult, package: PolicyPackage) -> str:
    """An indicator in words, for posts that see no amounts."""
    return f"{package.indicators[each.id].label_zh}：{_STATES[each.state]}。"


def _without_amounts(one: Assessment, package: PolicyPackage, sees_class: bool) -> str:
    fired = "、".join(package.indicators[each.id].label_zh for each in one.indicators if each.state == "fired")
    causes = "、".join(cause.zh for cause in one.causes)
    parts = [
        f"建议由县级核定为{package.label(one.recommendation)}。" if sees_class and one.recommendation else "",
        f"发现：{fired}。" if fired else "没有发现风险指标。",
        f"风险类型：{causes}。" if causes else "",
    ]
    return "".join(parts)
