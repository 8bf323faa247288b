"""What a county could know of the demo county's households, from the written files, and since when."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from demo_county.departments import (
    DISABILITY_FILE,
    EARLIER_INCOME_FILE,
    EARLIER_MEDICAL_FILE,
    MEDICAL_FILES,
    ROSTER_FILE,
)
from demo_county.score import Files, Row
from demo_county.self_reports import SELF_REPORTS_FILE
from demo_county.signals import SIGNALS_FILE
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from shared.vocabulary.identity_number import parse_identity_number
from shared.vocabulary.money import parse_yuan

INCOMES = {
    "工资性收入": "income.wage",
    "生产经营性收入": "income.business_sales",
    "生产经营性支出": "cost.production",
    "财产性收入": "income.property",
    "转移性收入": "income.transfer_regular",
}
VISITS = {"住院": "inpatient", "门诊": "outpatient", "门诊慢特病": "chronic_outpatient"}
PUSHED_ON_DAY = 5  # Of the month after.


@dataclass(slots=True)
class Known:
    """A household as the county could know it; each fact, and each death, with the day it became known."""

    division: str = ""
    members: dict[str, Member] = field(default_factory=dict)
    deaths: dict[str, tuple[date, date]] = field(default_factory=dict)
    facts: list[tuple[date, Fact]] = field(default_factory=list)

    def by(self, day: date) -> HouseholdFacts:
        """What was known on the evening of `day`."""
        return HouseholdFacts(tuple(self._members(day)), tuple(fact for told, fact in self.facts if told <= day))

    def kinds_told(self, after: date, until: date) -> set[str]:
        """The kinds of fact that became known in (after, until]."""
        return {fact.kind for told, fact in self.facts if after < told <= until}

    def reported(self, after: date, until: date) -> list[str]:
        """The kinds of what the household itself told in (after, until]."""
        return [fact.kind for told, fact in self.facts if fact.source == "self_report" and after < told <= until]

    def has_news(self, after: date, until: date) -> bool:
        """Whether in (after, until] anything became known, or what was known before began to count."""
        return any(after < max(told, fact.occurred_on) <= until for told, fact in self.facts)

    def _members(self, day: date) -> Iterator[Member]:
        """Who was born, as a member whose death is known or as one who lives."""
        for member in self.members.values():
            told, died_on = self.deaths.get(member.key, (date.max, date.max))
            if member.birth_date is None or member.birth_date <= day:
                yield replace(member, status="deceased", died_on=died_on) if told <= day else member


def read_county(folder: Path, since: date) -> Mapping[str, Known]:
    """Every household whose roster rows are accepted; the roster is known from `since` on."""
    files, county = Files(folder), defaultdict[str, Known](Known)
    for row in files.rows(folder / ROSTER_FILE):
        _enter(county[row["户编号"]], row, files.number(row), since, files.until)
    for number, told, fact in _learned(folder, files):
        if (household := county.get(number)) is not None:
            household.facts.append((told, fact))
            if fact.kind == "event.death" and fact.member is not None:
                household.deaths[fact.member] = told, fact.occurred_on
    return county


def _enter(household: Known, row: Row, person: str, since: date, today: date) -> None:
    """A row of the roster: the member, and from the head's row the household."""
    household.division = row["行政区划代码"]
    birth = parse_identity_number(person, today).birth_date
    household.members[person] = Member(person, birth_date=birth)
    insured = "resident" if row["参加居民医保"] == "是" else "employee" if row["参加职工医保"] == "是" else "none"
    states = [Fact("state.insured", since, person, value=insured)]
    if row["与户主关系"] == "户主":
        states += _of_household(row, since)
    household.facts += [(since, each) for each in states]


def _of_household(row: Row, since: date) -> list[Fact]:
    group = "lifted_out" if row["户类型"] == "脱贫户" else "general"
    house = {"occupied": row["实际居住房屋等级"], "only": False}
    facts = [
        Fact("state.base_group", since, value=group),
        Fact("state.dwelling", since, value=row["住房等级"], attributes=house),
    ]
    return facts + (list(_incomes(row)) if row["收入年度"] else [])


def _incomes(row: Row) -> Iterator[Fact]:
    """A year's totals, which nobody has before the year is over."""
    first, last = date(int(row["收入年度"]), 1, 1), date(int(row["收入年度"]), 12, 31)
    for column, kind in INCOMES.items():
        fen = _fen(row[column])
        yield Fact(kind, last, period_from=first, period_to=last, amount_fen=fen, data_set="household_register")


def _learned(folder: Path, files: Files) -> Iterator[tuple[str, date, Fact]]:
    """Household, day it became known, and fact, file after file."""
    for row in files.rows(folder / EARLIER_INCOME_FILE):
        for fact in _incomes(row):
            yield row["户编号"], fact.occurred_on, fact
    for path in (folder / EARLIER_MEDICAL_FILE, *sorted(folder.glob(MEDICAL_FILES))):
        for row in files.rows(path):
            person = files.number(row)
            fact = _settlement(row, person)
            yield files.household_of.get(person, ""), _pushed(fact.occurred_on), fact
    for row in files.rows(folder / DISABILITY_FILE):
        person, day = files.number(row), date.fromisoformat(row["发证日期"])
        attributes = {"types": [row["残疾类别"]], "grade": row["残疾等级"]}
        for kind in ("state.disability", "event.disability_certified"):
            fact = Fact(kind, day, person, value=row["残疾等级"], attributes=attributes)
            yield files.household_of.get(person, ""), _pushed(day), fact
    for said in _lines(folder / SELF_REPORTS_FILE):
        day = date.fromisoformat(said["reported_on"])
        yield said["household_no"], day, Fact("event.hardship_report", day, source="self_report")
    for signal in _lines(folder / SIGNALS_FILE):
        yield signal["household_no"], date.fromisoformat(signal["known_on"]), _signalled(signal)


def _settlement(row: Row, person: str) -> Fact:
    return Fact(
        "expense.medical",
        date.fromisoformat(row["结算日期"]),
        person,
        gross_fen=_fen(row["医疗总费用"]),
        compliant_fen=_fen(row["合规自付"]),
        other_fen=_fen(row["目录外自付"]),
        visit=VISITS.get(row["就诊类别"]),
        stay=row["住院号"] or None,
    )


def _signalled(signal: Mapping[str, Any]) -> Fact:
    details = dict(signal["details"])
    amount, relief = details.pop("amount", None), details.pop("relief", details.pop("aid", None))
    return Fact(
        signal["kind"],
        date.fromisoformat(signal["occurred_on"]),
        signal["person"],
        amount_fen=None if amount is None else parse_yuan(amount),
        relief_fen=None if relief is None else parse_yuan(relief),
        value=details.pop("value", None),
        source=signal["source"],
        attributes=details,
    )


def _pushed(day: date) -> date:
    """When the month's file of that day arrives."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=PUSHED_ON_DAY)


def _fen(text: str) -> int:
    return parse_yuan(text.replace(",", ""))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
