"""Show an assessment in the fields a caller's post sees: with amounts and sentences, or in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.monitoring.domain.assessment import Assessment, ExclusionResult, IndicatorResult
from services.monitoring.domain.evidence import facts_behind, label_of
from services.monitoring.domain.explanation import explain
from services.monitoring.domain.near_miss import almost_fired, almost_percent, almost_said
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.rendering import per_head_yuan
from services.monitoring.domain.staleness import StaleDataSet
from services.monitoring.domain.window import Windows, windows_on
from services.monitoring.read_household import CAUSE, CLASS
from services.monitoring.schemas import (
    AssessmentView,
    DecidedView,
    EvidenceView,
    ExclusionView,
    IndicatorView,
    NoteView,
)
from shared.policies import ParameterSet
from shared.vocabulary.money import yuan

AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Answer:
    """An assessment with where it comes from; `doubts`: what stale data left open, in sentences by indicator;
    `doubts_said`: the same in few sentences.

    `decided` is the stored assessment that a replay is held against, `decision` the outcome it would be stored
    with; `facts` are those of the day, newest first.
    """

    assessment: Assessment
    package: PolicyPackage
    parameters: ParameterSet
    digest: bytes
    origin: str
    known_at: datetime
    engine_version: str
    facts_version: int | None
    facts: Sequence[Mapping[str, Any]]
    stale: tuple[StaleDataSet, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict)
    doubts_said: Sequence[str] = ()
    decision: Sequence[int] = ()
    decided: Mapping[str, Any] | None = None


def show_assessment(answer: Answer, household_no: str, classes: frozenset[str]) -> AssessmentView:
    """An answer in the fields of these classes; without amounts there are no numbers in its sentences either."""
    one, package, amounts = answer.assessment, answer.package, AMOUNT in classes
    sees_class = CLASS in classes
    almost = almost_fired(one, almost_percent(answer.parameters))
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
        recommendation_without_exclusions=one.recommendation_without_exclusions if sees_class else None,
        severity=one.severity,
        score=one.score if sees_class else None,
        causes=[str(cause) for cause in one.causes] if CAUSE in classes else None,
        members_counted=one.members_counted,
        indicators=[_indicator(each, answer, amounts) for each in one.indicators],
        exclusions=[_exclusion(each, package) for each in one.exclusions] if amounts else None,
        flags=list(one.flags),
        quality_flags=list(one.quality_flags),
        civil_affairs=[NoteView(**each.as_data()) for each in one.civil_affairs] if amounts else None,
        removal_blockers=list(one.removal_blockers) if sees_class else None,
        unknown=list(one.unknown),
        almost_fired=[each.id for each in almost] if amounts else None,
        stale=[each.name for each in answer.stale],
        confidence=one.confidence_percent / 100,
        window={"from": one.window.first, "to": one.window.last},
        explanation="".join(
            [
                explain(one, package, doubted=answer.doubts)
                if amounts
                else _without_amounts(one, package, sees_class),
                *([almost_said(almost, package)] if amounts else []),
                *answer.doubts_said,
            ]
        ),
        parameters_used={each.name: each.as_data() for each in one.parameters_used} if amounts else None,
        digest=answer.digest.hex() if amounts else None,
        decided=_decided(answer),
        **_amounts(one, amounts),
    )


def _told(answer: Answer) -> str:
    return explain(answer.assessment, answer.package, doubted=answer.doubts)


def _decided(answer: Answer) -> DecidedView | None:
    """The stored assessment of then, and whether the replay decides the same."""
    if answer.decided is None:
        return None
    told = {name: answer.decided[name] for name in ("known_at", "policy_version", "engine_version", "facts_version")}
    agrees = answer.decided["outcome"] == answer.decision
    return DecidedView(on=answer.decided["on_date"], agrees=agrees, **told)


def _exclusion(each: ExclusionResult, package: PolicyPackage) -> ExclusionView:
    label = next(one.label_zh for one in package.exclusions if one.name == each.id)
    return ExclusionView(id=each.id, label=label, state=each.state, exempt=each.exempt, reason=each.reason)


def _amounts(one: Assessment, shown: bool) -> dict[str, str | None]:
    told = {
        "net_income_per_capita_yuan": per_head_yuan(one.net_income_fen, one.members_counted),
        "reference_income_per_capita_yuan": per_head_yuan(one.reference_income_fen, one.members_counted),
        "forward_income_per_capita_yuan": one.forward_income_per_head(),
        "rigid_outlay_yuan": None if one.rigid_outlay_fen is None else yuan(one.rigid_outlay_fen),
    }
    return told if shown else dict.fromkeys(told)


def _indicator(each: IndicatorResult, answer: Answer, amounts: bool) -> IndicatorView:
    """An indicator in the fields the post sees; what stale data left open is said to be so, not to be unknown."""
    shown = {
        name: getattr(each, name) if amounts else None
        for name in ("measured", "threshold", "margin", "unit", "decided_by")
    }
    package = answer.package
    doubt = answer.doubts.get(each.id)
    return IndicatorView(
        id=each.id,
        label=package.indicators[each.id].label_zh,
        state=each.state,
        cause=each.cause,
        severity=each.severity,
        sentence=doubt or (each.sentence if amounts else _plain(each, package)),
        evidence=[_evidence(fact) for fact in facts_behind(package, each.id, answer.facts, _windows(answer))],
        **shown,
    )


def _windows(answer: Answer) -> Windows:
    return windows_on(answer.assessment.on, answer.parameters)


def _evidence(fact: Mapping[str, Any]) -> EvidenceView:
    told = {name: fact[name] for name in ("kind", "occurred_on", "source", "department", "recorded_at")}
    return EvidenceView(label=label_of(fact["kind"]), **told)


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
