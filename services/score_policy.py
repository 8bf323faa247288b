"""Scores the policy in force against the demo county's truth: month by month, from what had become known by then.

It reads the written files only; nothing of the truth enters a service.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

from demo_county.manifest import read_manifest
from demo_county.score import Figures, Files
from services.known_county import Known, read_county
from services.monitoring.domain.assessment import FIRED
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.parameter_change import check_rows, read_table
from services.monitoring.domain.policy import PolicyPackage, load_policy
from services.monitoring.domain.policy_overlay import Change, Publication, with_publications
from services.monitoring.domain.warning import FiredIndicator, Risk, decide
from shared.errors import Unprocessable

FILES_ARE_IN = 6  # Day of the month on which the files of the month before have come.


class DraftRefused(Unprocessable):
    code: ClassVar[str] = "draft_refused"
    title: ClassVar[str] = "政策草案有误"


def policy_practice(folder: Path, draft: Sequence[Change] | None = None) -> Figures:
    """One visit to each household for which a warning opens at least once in the scored year.

    With a draft: as if its values had held all the year, as a what-if takes them.
    """
    days = _assessment_days(folder)
    files, county = Files(folder), read_county(folder, days[0] - timedelta(days=365))
    counties = {f"{household.division[:6]}000000" for household in county.values()}
    package = load_policy() if draft is None else _with(draft, counties, days[0])
    warned = {number for number, household in county.items() if _is_ever_warned(household, days, package)}
    return Figures(len(warned), len(warned & files.in_need), len(files.in_need))


def drafted(sheet: Path) -> list[Change]:
    """The changes a sheet asks for; a bad row refuses it."""
    checked = check_rows(read_table(sheet.read_bytes()), load_policy().parameters, today=date.min)
    if errors := [error for row in checked for error in row.errors]:
        told = "；".join(f"{each.where}：{each.message}，{each.expected}" for each in errors)
        raise DraftRefused(told)
    return [row.change for row in checked if row.change]


def _with(draft: Sequence[Change], counties: Collection[str], on: date) -> PolicyPackage:
    """The package if these counties had decided so by that day."""
    decided = (Publication("draft", each, each, on, tuple(draft)).standing_on(on) for each in sorted(counties))
    return with_publications(load_policy(), tuple(decided))


def _assessment_days(folder: Path) -> list[date]:
    """After each month of the scored year, once its files are in."""
    firsts = [date(int(month[:4]), int(month[4:]), 1) for month in read_manifest(folder).months]
    return [(first + timedelta(days=31)).replace(day=FILES_ARE_IN) for first in firsts]


def _is_ever_warned(household: Known, days: list[date], package: PolicyPackage) -> bool:
    before = date.min
    for day in days:
        if household.has_news(before, day) and _opens(household, day, before, package):
            return True
        before = day
    return False


def _opens(household: Known, day: date, before: date, package: PolicyPackage) -> bool:
    """Whether a warning opens on that day, by the rule the service uses."""
    facts = household.by(day)
    assessment = evaluate(package, package.parameters_for(household.division, day), facts, day)
    fired = tuple(
        FiredIndicator(each.id, each.severity, each.measured, each.threshold)
        for each in assessment.indicators
        if each.state == FIRED
    )
    reports = [each.kind for each in facts.facts if each.source == "self_report" and each.occurred_on > before]
    risk = Risk(assessment.recommendation, assessment.severity, fired)
    return decide(risk, listed_as=None, answered=None, newer=(), reports=reports).opens
