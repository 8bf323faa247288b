"""The risk found (发现的风险): what of an outcome asks something of people, and nothing else of it put into words."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.monitoring.domain.assessment import IndicatorResult
from services.monitoring.domain.judgement import findings_fired, ordered_causes, severity_of_rank
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.presentation import result_of
from services.monitoring.domain.stored_outcome import row_of_outcome
from services.monitoring.domain.warning import FiredIndicator, Risk
from shared.policies.parameter_set import ParameterSet
from shared.vocabulary.terms import Cause, Severity


@dataclass(frozen=True, slots=True)
class RiskFound:
    """Class, severity, score and causes of an outcome, with the indicators that fired."""

    recommendation: str | None
    severity: Severity | None
    score: int
    causes: tuple[Cause, ...]
    fired: tuple[IndicatorResult, ...]

    @property
    def risk(self) -> Risk:
        """What people act on."""
        return Risk(self.recommendation, self.severity, tuple(map(fired_indicator, self.fired)))


def risk_found(package: PolicyPackage, outcome: Sequence[int], parameters: ParameterSet) -> RiskFound:
    """Read it from a stored outcome: one household in a thousand fires more than three of twenty indicators."""
    row = row_of_outcome(package, outcome)
    fired = findings_fired(package, row)
    return RiskFound(
        row["class_code"],
        severity_of_rank(row["severity"]),
        row["score"],
        ordered_causes(package, row["causes"]),
        tuple(result_of(each, finding, parameters, row["members_counted"]) for each, finding in fired),
    )


def fired_indicator(result: IndicatorResult) -> FiredIndicator:
    return FiredIndicator(result.id, result.severity, result.measured, result.threshold)
