"""Judge one household: what its risk is now, and whether there is something to tell."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.monitoring.domain.assessment import FIRED, Assessment
from services.monitoring.domain.evidence import kinds_behind
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.risk_found import RiskFound, fired_indicator
from services.monitoring.domain.warning import MOVED, Answered, Risk, Warning, decide


@dataclass(frozen=True, slots=True)
class Judged:
    """A household with the risk found now and what follows from it.

    `standing` is how it stood before.
    """

    standing: Mapping[str, Any]
    found: RiskFound
    risk: Risk
    warning: Warning
    answered: Answered | None
    is_told: bool
    warned_at: datetime | None


def judge(
    standing: Mapping[str, Any],
    found: RiskFound,
    risk: Risk,
    *,
    now: datetime,
    newer: Collection[str],
) -> Judged:
    """Compare a household's risk with how it stood.

    It is told when the risk changed, when a report waits, when a warning opens that none opened before, or when the
    household moved under an open one.
    """
    answered = Answered.from_json(standing["answered"]) if standing["answered"] else None
    reports = [report["report_id"] for report in standing["waiting_reports"]]
    warning = decide(risk, listed_as=standing["listed_as"], answered=answered, newer=newer, reports=reports)
    opens_anew = warning.opens and standing["warned_at"] is None
    has_moved = MOVED in (standing["risk"] or ())
    is_told = bool(reports) or opens_anew or has_moved or not risk.is_like(Risk.from_json(standing["risk"]))
    warned_at = now if opens_anew else standing["warned_at"]
    return Judged(standing, found, risk, warning, answered.after(risk) if answered else None, is_told, warned_at)


def risk_of(assessment: Assessment) -> Risk:
    """What people act on, out of an assessment."""
    fired = tuple(fired_indicator(each) for each in assessment.indicators if each.state == FIRED)
    return Risk(assessment.recommendation, assessment.severity, fired)


def kinds_that_matter(package: PolicyPackage, risk: Risk, kinds: Collection[str]) -> set[str]:
    """The fired indicators that rest on one of these kinds of fact."""
    if not kinds:
        return set()
    fired = (each.indicator for each in risk.fired)
    return {indicator for indicator in fired if kinds_behind(package, indicator).intersection(kinds)}
