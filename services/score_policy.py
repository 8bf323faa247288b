"""Scores the policy in force against the demo county's truth: month by month, from what had become known by then.

It reads the written files only; nothing of the truth enters a service. A county does not begin to watch on the
first day of the scored year: the year before is lived through too. Whoever is warned in it is visited, and the
visitor sees what is true on that day: households in need go on the list and stay there while they are in need, the
others are answered "no risk", after which only news opens a warning.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar

from demo_county.manifest import read_manifest
from demo_county.score import Files, Need, Scored, figures_of
from services.known_county import Known, read_county
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.parameter_change import check_rows, read_table
from services.monitoring.domain.policy import PolicyPackage, load_policy
from services.monitoring.domain.policy_overlay import Change, Publication, with_publications
from services.monitoring.domain.warning import Answered, Risk, decide
from services.monitoring.judge_household import kinds_that_matter, risk_of
from shared.errors import Unprocessable
from shared.vocabulary.terms import Outcome

FILES_ARE_IN = 6  # Day of the month on which the files of the month before have come.
MONTHS = 12


class DraftRefused(Unprocessable):
    code: ClassVar[str] = "draft_refused"
    title: ClassVar[str] = "政策草案有误"


def policy_practice(folder: Path, draft: Sequence[Change] | None = None) -> Scored:
    """One visit to each household that is on the list or warned of in the scored year.

    With a draft: as if its values had held all the time, as a what-if takes them.
    """
    days = _assessment_days(folder)
    files, county = Files(folder), read_county(folder, days[0])
    counties = {f"{household.division[:6]}000000" for household in county.values()}
    watch = Watch(load_policy() if draft is None else _with(draft, counties, days[0]), days)
    running, cold = set(), set()
    for number, household in county.items():
        told = watch.of(household, files.needs.get(number))
        running |= {number} if told.running else set()
        cold |= {number} if told.from_cold else set()
    return Scored(figures_of(files, running), figures_of(files, cold))


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
    """After each month of the year before and of the scored year, once its files are in."""
    firsts = [date(int(month[:4]), int(month[4:]), 1) for month in read_manifest(folder).months]
    months = [*(first.replace(year=first.year - 1) for first in firsts), *firsts]
    return [(first + timedelta(days=31)).replace(day=FILES_ARE_IN) for first in months]


@dataclass(slots=True)
class Told:
    """Whether the scored year warns of a household: after a year of watching, and without one."""

    running: bool = False
    from_cold: bool = False


class Watch:
    """A policy that watches households over two years, by the rule that opens warnings in the service."""

    def __init__(self, package: PolicyPackage, days: Sequence[date]) -> None:
        self._package, self._days = package, days
        self._first_scored = days[-MONTHS]
        self._parameters_of = cache(lambda county, day: package.parameters_for(f"{county}000000", day))
        self._values_of = cache(self._values)

    def of(self, household: Known, need: Need | None) -> Told:
        told, answered, answered_on, before = Told(), None, date.min, date.min
        for day in self._days:
            if not self._is_due(household, before, day):
                continue
            risk, reports = self._risk(household, day), household.reported(before, day)
            newer = kinds_that_matter(self._package, risk, household.kinds_told(answered_on, day)) if answered else ()
            opens = decide(risk, listed_as=None, answered=answered, newer=newer, reports=reports).opens
            answered = answered.after(risk) if answered else None
            if day >= self._first_scored:
                told.running |= opens
                told.from_cold |= decide(risk, listed_as=None, answered=None, newer=(), reports=reports).opens
            elif opens and need is not None and need.is_felt(day):
                told.running = True
            elif opens:
                answered, answered_on = Answered(Outcome.NO_RISK, 0, risk), day
            before = day
            if told.running and told.from_cold:
                break
        return told

    def _is_due(self, household: Known, before: date, day: date) -> bool:
        """As in the service: by facts, by parameters, and on the day of the yearly rescreen."""
        if day == self._first_scored or household.has_news(before, day):
            return True
        county = household.division[:6]
        return before > date.min and self._values_of(county, before) != self._values_of(county, day)

    def _values(self, county: str, day: date) -> Mapping[str, object]:
        return {name: each.value for name, each in self._parameters_of(county, day).items()}

    def _risk(self, household: Known, day: date) -> Risk:
        parameters = self._parameters_of(household.division[:6], day)
        return risk_of(evaluate(self._package, parameters, household.by(day), day))
