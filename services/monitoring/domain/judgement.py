"""A judgement (判定): the bare outcome, as the compiled text or the evaluator found it, and its presentation.

Whatever decides (states, severities, class, score) comes from the judge; here it is only put into words, so
that both judges' answers can be compared byte for byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.monitoring.domain.assessment import CLEAR, FIRED, UNKNOWN, Assessment, IndicatorResult
from services.monitoring.domain.indicator import Indicator
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.rendering import Measured, half_up, percent_half_up, shown, spoken
from services.monitoring.domain.window import windows_on
from shared.policies.parameter_set import ParameterSet
from shared.policies.unit import Unit
from shared.vocabulary.money import Fen
from shared.vocabulary.terms import Cause, Severity

SEVERITIES = {each.rank: each for each in Severity}


@dataclass(frozen=True, slots=True)
class Finding:
    """One indicator: fired (True), clear (False) or unknown, and what it was held against.

    `measured` is of the whole household, in fen if money; `choice` is the position of the threshold.
    """

    fired: bool | None
    severity: Severity | None
    measured: Measured | None
    choice: int | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything decided about one household; findings in the package's order."""

    class_code: str | None
    severity: Severity | None
    score: int
    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...]
    flags: tuple[str, ...]
    members_counted: int
    net_income_fen: Fen | None
    reference_income_fen: Fen | None
    rigid_outlay_fen: Fen | None


def assessment_from_row(
    package: PolicyPackage, row: Mapping[str, Any], parameters: ParameterSet, on: date
) -> Assessment:
    """The assessment that one row of the compiled text (or the row stored as JSON) means."""
    return presented(package, judgement_from_row(package, row), parameters, on)


def judgement_from_row(package: PolicyPackage, row: Mapping[str, Any]) -> Judgement:
    return Judgement(
        class_code=row["class_code"],
        severity=severity_of_rank(row["severity"]),
        score=row["score"],
        findings=tuple(_finding(row, index, each) for index, each in enumerate(package.indicators.values())),
        causes=_ordered_causes(package, row["causes"]),
        flags=tuple(each.name for index, each in enumerate(package.flags) if row["flags"] >> index & 1),
        members_counted=row["members_counted"],
        net_income_fen=row["net_income_fen"],
        reference_income_fen=row["reference_income_fen"],
        rigid_outlay_fen=row["rigid_outlay_fen"],
    )


def severity_of_rank(rank: int | None) -> Severity | None:
    """The severity whose rank is stored: 4 red down to 1 blue."""
    return None if rank is None else SEVERITIES.get(rank)


def _finding(row: Mapping[str, Any], index: int, indicator: Indicator) -> Finding:
    fired = bool(row["fired"] >> index & 1)
    unknown = bool(row["unknown"] >> index & 1)
    severity = None
    if fired and len(indicator.severities) > 1:
        severity = severity_of_rank(row[f"severity_{indicator.name}"])
    elif fired and indicator.severities:
        severity = indicator.severities[0].severity
    choice = 0 if indicator.thresholds else None
    if len(indicator.thresholds) > 1:
        choice = row[f"choice_{indicator.name}"]
    measured = row[f"measured_{indicator.measured}"] if indicator.measured else None
    return Finding(None if unknown else fired, severity, measured, choice)


def _ordered_causes(package: PolicyPackage, mask: int) -> tuple[Cause, ...]:
    """Causes in the package's order."""
    bits = {cause: 1 << index for index, cause in enumerate(Cause)}
    return tuple(dict.fromkeys(each.cause for each in package.causes if mask & bits[each.cause]))


def presented(package: PolicyPackage, judgement: Judgement, parameters: ParameterSet, on: date) -> Assessment:
    """Put a judgement into the words of the answer."""
    pairs = list(zip(package.indicators.values(), judgement.findings, strict=True))
    return Assessment(
        on=on,
        recommendation=judgement.class_code,
        recommendation_without_exclusions=judgement.class_code,
        severity=judgement.severity,
        score=judgement.score,
        window=windows_on(on, parameters).account,
        members_counted=judgement.members_counted,
        net_income_fen=judgement.net_income_fen,
        reference_income_fen=judgement.reference_income_fen,
        rigid_outlay_fen=judgement.rigid_outlay_fen,
        causes=judgement.causes,
        indicators=tuple(_result(each, finding, parameters, judgement.members_counted) for each, finding in pairs),
        flags=judgement.flags,
        unknown=tuple(each.name for each, finding in pairs if finding.fired is None),
        confidence_percent=_confidence(package, judgement, parameters),
        policy_version=package.version,
        parameters_used=tuple(parameters[name] for name in package.parameters_read),
    )


def _confidence(package: PolicyPackage, judgement: Judgement, parameters: ParameterSet) -> int:
    """Weight of the indicators that are known in the weight of all, percent."""
    weights = [parameters.number(name) for name in package.weight_parameters]
    pairs = zip(weights, judgement.findings, strict=True)
    return percent_half_up(sum(weight for weight, finding in pairs if finding.fired is not None), sum(weights))


def _result(indicator: Indicator, finding: Finding, parameters: ParameterSet, members: int) -> IndicatorResult:
    threshold = None if finding.choice is None else parameters[indicator.thresholds[finding.choice].parameter]
    measured = _measured(indicator, finding, members)
    unit = threshold.unit if threshold else _unit(indicator)
    margin = None
    if threshold is not None and measured is not None and isinstance(finding.measured, int):
        margin = _margin(indicator, finding.measured, int(threshold.value), members)
    state = UNKNOWN if finding.fired is None else FIRED if finding.fired else CLEAR
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
    """What is told to people; without its number a sentence falls back to the unknown one."""
    sentences = indicator.sentences
    template = {FIRED: sentences.fired, CLEAR: sentences.clear}.get(state, sentences.unknown)
    words = {"measured": measured, "threshold": limit, "margin": margin and margin.lstrip("-")}
    for name, word in words.items():
        spoken_word = "未知" if word is None else spoken(word, unit or Unit.TEXT)
        template = template.replace(f"{{{name}}}", spoken_word)
    return template
