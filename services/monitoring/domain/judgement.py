"""Reads a judgement (判定) from a row of the compiled text, or from the row stored as JSON."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.finding import ExclusionFinding, Finding, Judgement
from services.monitoring.domain.indicator import Indicator
from services.monitoring.domain.note import Note
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.presentation import presented
from shared.policies.parameter_set import ParameterSet
from shared.vocabulary.terms import Cause, Severity

SEVERITIES = {each.rank: each for each in Severity}
MOST_CAUSES = 5
MASK_BITS = 62
"""How many entries one mask of the compiled row holds."""


def assessment_from_row(
    package: PolicyPackage, row: Mapping[str, Any], parameters: ParameterSet, on: date
) -> Assessment:
    """The assessment that one row of the compiled text (or the row stored as JSON) means."""
    return presented(package, judgement_from_row(package, row), parameters, on)


def judgement_from_row(package: PolicyPackage, row: Mapping[str, Any]) -> Judgement:
    return Judgement(
        class_code=row["class_code"],
        class_code_without_exclusions=row["class_code_without_exclusions"],
        blocked=bool(row["blocked"]),
        severity=severity_of_rank(row["severity"]),
        score=row["score"],
        findings=tuple(_finding(row, index, each) for index, each in enumerate(package.indicators.values())),
        exclusions=tuple(_exclusion(row, index) for index in range(len(package.exclusions))),
        sudden=row["sudden"],
        causes=ordered_causes(package, row["causes"]),
        flags=_told(package.flags, row, "flags"),
        quality_flags=_told(package.quality_flags, row, "quality"),
        civil_affairs=_told(package.civil_affairs, row, "civil"),
        removal_blockers=_told(package.removal_blockers, row, "removal"),
        noted={value: row[f"noted_{value}"] for each in package.notes for value in each.numbers.values()},
        members_counted=row["members_counted"],
        net_income_fen=row["net_income_fen"],
        reference_income_fen=row["reference_income_fen"],
        forward_income_basis=row["forward_income_basis"],
        rigid_outlay_fen=row["rigid_outlay_fen"],
    )


def findings_fired(package: PolicyPackage, row: Mapping[str, Any]) -> Iterator[tuple[Indicator, Finding]]:
    """The indicators that fired, in the package's order."""
    for index, each in enumerate(package.indicators.values()):
        if is_set(row, "fired", index):
            yield each, _finding(row, index, each)


def severity_of_rank(rank: int | None) -> Severity | None:
    """The severity whose rank is stored: 4 red down to 1 blue."""
    return None if rank is None else SEVERITIES.get(rank)


def is_set(row: Mapping[str, Any], mask: str, index: int) -> bool:
    """Whether the entry `index` is in a mask of a compiled row; a long list has further words `<mask>_1`, …"""
    word, bit = divmod(index, MASK_BITS)
    return bool(row[f"{mask}_{word}" if word else mask] >> bit & 1)


def _told(notes: tuple[Note, ...], row: Mapping[str, Any], mask: str) -> tuple[str, ...]:
    return tuple(each.name for index, each in enumerate(notes) if is_set(row, mask, index))


def _exclusion(row: Mapping[str, Any], index: int) -> ExclusionFinding:
    unknown = is_set(row, "exclusions_unknown", index)
    fired = is_set(row, "exclusions_fired", index)
    return ExclusionFinding(None if unknown else fired, is_set(row, "exclusions_exempt", index))


def _finding(row: Mapping[str, Any], index: int, indicator: Indicator) -> Finding:
    fired, unknown = is_set(row, "fired", index), is_set(row, "unknown", index)
    severity = None
    if fired and indicator.varies_in_severity:
        severity = severity_of_rank(row[f"severity_{indicator.name}"])
    elif fired and indicator.severities:
        severity = indicator.severities[0].severity
    choice = 0 if indicator.thresholds else None
    if indicator.varies_in_threshold:
        choice = row[f"choice_{indicator.name}"]
    state = None if unknown else fired
    if indicator.rules:
        measured, line = row[f"measured_{indicator.name}"], row[f"threshold_{indicator.name}"]
        return Finding(state, severity, measured, choice, line)
    measured = row[f"measured_{indicator.measured}"] if indicator.measured else None
    return Finding(state, severity, measured, choice)


def ordered_causes(package: PolicyPackage, mask: int) -> tuple[Cause, ...]:
    """Causes in the package's order, at most five."""
    bits = {cause: 1 << index for index, cause in enumerate(Cause)}
    return tuple(dict.fromkeys(each.cause for each in package.causes if mask & bits[each.cause]))[:MOST_CAUSES]
