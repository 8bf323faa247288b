"""Puts a judgement into the words of the answer.

Whatever decides (states, severities, class, score) comes from the judge; here it is only put into words, so
that both judges' answers can be compared byte for byte.
"""

from dataclasses import dataclass
from datetime import date

from services.monitoring.domain.assessment import (
    CLEAR,
    FIRED,
    UNKNOWN,
    Assessment,
    ExclusionResult,
    IndicatorResult,
    NoteResult,
)
from services.monitoring.domain.exclusion import Exclusion
from services.monitoring.domain.finding import ExclusionFinding, Finding, Judgement
from services.monitoring.domain.indicator import Indicator
from services.monitoring.domain.note import Note
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.rendering import Measured, half_up, percent_half_up, shown, spoken
from services.monitoring.domain.window import windows_on
from shared.policies.parameter_set import ParameterSet
from shared.policies.share import BASIS
from shared.policies.unit import Scalar, Unit

REQUEST = "request"
"""Who decided a value that came with a request."""


def presented(package: PolicyPackage, judgement: Judgement, parameters: ParameterSet, on: date) -> Assessment:
    """Put a judgement into the words of the answer."""
    pairs = list(zip(package.indicators.values(), judgement.findings, strict=True))
    return Assessment(
        on=on,
        recommendation=judgement.class_code,
        recommendation_without_exclusions=judgement.class_code_without_exclusions,
        severity=judgement.severity,
        score=judgement.score,
        window=windows_on(on, parameters).account,
        members_counted=judgement.members_counted,
        net_income_fen=judgement.net_income_fen,
        reference_income_fen=judgement.reference_income_fen,
        forward_income_basis=judgement.forward_income_basis,
        rigid_outlay_fen=judgement.rigid_outlay_fen,
        causes=judgement.causes,
        indicators=tuple(result_of(each, finding, parameters, judgement.members_counted) for each, finding in pairs),
        exclusions=_exclusions(package, judgement, parameters),
        flags=judgement.flags,
        quality_flags=judgement.quality_flags,
        civil_affairs=_hints(package, judgement),
        removal_blockers=judgement.removal_blockers,
        unknown=tuple(each.name for each, finding in pairs if finding.fired is None),
        confidence_percent=_confidence(package, judgement, parameters),
        policy_version=package.version,
        parameters_used=tuple(parameters[name] for name in _names_used(package, parameters)),
    )


def _names_used(package: PolicyPackage, parameters: ParameterSet) -> list[str]:
    """What the assessment read, and what a request gave whether read or not."""
    given = {name for name, each in parameters.items() if each.decided_by == REQUEST}
    return sorted({*package.parameters_read, *given})


def _exclusions(
    package: PolicyPackage, judgement: Judgement, parameters: ParameterSet
) -> tuple[ExclusionResult, ...]:
    terms = package.exclusion_terms
    suddenly = terms is not None and parameters.value(terms.exempt_on_sudden) is True and bool(judgement.sudden)
    note = terms.note if terms is not None and suddenly else None
    pairs = zip(package.exclusions, judgement.exclusions, strict=True)
    return tuple(
        ExclusionResult(each.name, _state(found.fired), found.exempt, _reason(each, found, note))
        for each, found in pairs
    )


def _reason(exclusion: Exclusion, found: ExclusionFinding, note: str | None) -> str | None:
    if not found.fired:
        return None
    return (note or exclusion.exempt) if found.exempt else exclusion.fired


def _hints(package: PolicyPackage, judgement: Judgement) -> tuple[NoteResult, ...]:
    told = (each for each in package.civil_affairs if each.name in judgement.civil_affairs)
    return tuple(NoteResult(each.name, each.label_zh, _numbers(package, each, judgement)) for each in told)


def _numbers(package: PolicyPackage, note: Note, judgement: Judgement) -> dict[str, str | None]:
    return {name: _noted(package, value, judgement.noted[value]) for name, value in note.numbers.items()}


def _noted(package: PolicyPackage, name: str, value: Measured | None) -> str | None:
    if value is None:
        return None
    type_ = package.types[name]
    return shown(half_up(int(value), BASIS) if type_.in_basis else value, type_.unit)


def _confidence(package: PolicyPackage, judgement: Judgement, parameters: ParameterSet) -> int:
    """Weight of the indicators that are known in the weight of all, percent."""
    weights = [parameters.number(name) for name in package.weight_parameters]
    pairs = zip(weights, judgement.findings, strict=True)
    return percent_half_up(sum(weight for weight, finding in pairs if finding.fired is not None), sum(weights))


def result_of(indicator: Indicator, finding: Finding, parameters: ParameterSet, members: int) -> IndicatorResult:
    """What one indicator found, in words, with its number and its line."""
    threshold = _threshold(indicator, finding, parameters)
    measured = _measured(indicator, finding, members)
    unit = threshold.unit if threshold else _unit(indicator)
    margin = None
    if threshold is not None and threshold.unit.is_numeric and measured is not None:
        margin = _margin(indicator, int(finding.measured or 0), int(threshold.value), members)
    state = _state(finding.fired)
    limit = None if threshold is None else threshold.unit.write(threshold.value)
    return IndicatorResult(
        id=indicator.name,
        state=state,
        cause=indicator.cause,
        severity=finding.severity,
        measured=measured,
        threshold=limit,
        margin=margin,
        unit=None if unit is None else unit.value,
        decided_by=None if threshold is None else threshold.decided_by,
        sentence=_sentence(indicator, state, unit, measured, limit, margin),
    )


def _state(fired: bool | None) -> str:
    return UNKNOWN if fired is None else FIRED if fired else CLEAR


@dataclass(frozen=True, slots=True)
class _Line:
    """What an indicator is held against, and who decided it."""

    value: Scalar
    unit: Unit
    decided_by: str


def _threshold(indicator: Indicator, finding: Finding, parameters: ParameterSet) -> _Line | None:
    if indicator.rules is not None:
        decided_by = parameters[indicator.rules].decided_by
        return None if finding.line is None else _Line(finding.line, Unit.CNY, decided_by)
    if finding.choice is None:
        return None
    name = indicator.thresholds[finding.choice].parameter
    return _Line(parameters.value(name), parameters[name].unit, parameters[name].decided_by)


def _unit(indicator: Indicator) -> Unit | None:
    return None if indicator.measured_type is None else indicator.measured_type.unit


def _measured(indicator: Indicator, finding: Finding, members: int) -> str | None:
    unit = _unit(indicator)
    if finding.measured is None or unit is None:
        return None
    if not indicator.per_person:
        return shown(finding.measured, unit)
    return shown(half_up(int(finding.measured), members), unit) if members else None


def _margin(indicator: Indicator, measured: int, threshold: int, members: int) -> str:
    """Measured minus threshold, exact before it is rounded."""
    heads = members if indicator.per_person else 1
    return shown(half_up(measured - threshold * heads, heads), Unit.CNY if _is_money(indicator) else Unit.NUMBER)


def _is_money(indicator: Indicator) -> bool:
    unit = _unit(indicator)
    return unit is not None and unit.is_money


def _sentence(
    indicator: Indicator, state: str, unit: Unit | None, measured: str | None, limit: str | None, margin: str | None
) -> str:
    """What is told to people; a state without its number may have a sentence of its own."""
    sentences = indicator.sentences
    if state != UNKNOWN and measured is None and sentences.without is not None:
        return sentences.without
    template = {FIRED: sentences.fired, CLEAR: sentences.clear}.get(state, sentences.unknown)
    words = {"measured": measured, "threshold": limit, "margin": margin and margin.lstrip("-")}
    for name, word in words.items():
        spoken_word = "未知" if word is None else spoken(word, unit or Unit.TEXT)
        template = template.replace(f"{{{name}}}", spoken_word)
    return template
