"""Scores the policy in force against the demo county's truth: month by month, from what had become known by then.

It reads the written files only; nothing of the truth enters a service.
"""

from datetime import date, timedelta
from pathlib import Path

from demo_county.manifest import read_manifest
from demo_county.score import Figures, Files
from services.known_county import Known, read_county
from services.monitoring.domain.assessment import FIRED
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.warning import FiredIndicator, Risk, decide

FILES_ARE_IN = 6  # Day of the month on which the files of the month before have come.


def policy_practice(folder: Path) -> Figures:
    """One visit to each household for which a warning opens at least once in the scored year."""
    days = _assessment_days(folder)
    files, county = Files(folder), read_county(folder, days[0] - timedelta(days=365))
    warned = {number for number, household in county.items() if _is_ever_warned(household, days)}
    return Figures(len(warned), len(warned & files.in_need), len(files.in_need))


def _assessment_days(folder: Path) -> list[date]:
    """After each month of the scored year, once its files are in."""
    firsts = [date(int(month[:4]), int(month[4:]), 1) for month in read_manifest(folder).months]
    return [(first + timedelta(days=31)).replace(day=FILES_ARE_IN) for first in firsts]


def _is_ever_warned(household: Known, days: list[date]) -> bool:
    before = date.min
    for day in days:
        if household.has_news(before, day) and _opens(household, day, before):
            return True
        before = day
    return False


def _opens(household: Known, day: date, before: date) -> bool:
    """Whether a warning opens on that day, by the rule the service uses."""
    package, facts = load_policy(), household.by(day)
    assessment = evaluate(package, package.parameters_for(household.division, day), facts, day)
    fired = tuple(
        FiredIndicator(each.id, each.severity, each.measured, each.threshold)
        for each in assessment.indicators
        if each.state == FIRED
    )
    reports = [each.kind for each in facts.facts if each.source == "self_report" and each.occurred_on > before]
    risk = Risk(assessment.recommendation, assessment.severity, fired)
    return decide(risk, listed_as=None, answered=None, newer=(), reports=reports).opens
