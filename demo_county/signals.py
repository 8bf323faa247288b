"""What other departments, visitors and the village learn (部门信号, 干部走访), each with the day it becomes known.

Late and incomplete on purpose: some events nobody passes on, the rest with a delay. The kinds are those of the
vocabulary of facts. Sheets and reports with files of their own are not repeated here (departments.py,
self_reports.py). All 24 months are told alike: visits and pushes did not begin with the year that is scored.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.life import Life
from demo_county.months import LENGTH, Period

SIGNALS_FILE = "department_signals.ndjson"
TERMS = {3: 6, 9: 6}  # Fees of a school term fall due in March and September, for six months.
RELIEF_DAYS = 90


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing learned of a household, or of one of its members; amounts are decimal yuan."""

    household_no: str
    person: str | None
    kind: str
    department: str
    occurred_on: date
    known_on: date
    source: Literal["department", "visit", "self_report"] = "department"
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signals:
    """Draws what becomes known of a life, with chances of its own, so that the life stays as it was."""

    calibration: Calibration
    period: Period

    def of(self, life: Life, chance: Chance) -> Iterator[Signal]:
        """Everything learned of one household in its 24 months, not in order of time."""
        yield from self._members(life)
        yield from self._illnesses(life, chance)
        yield from self._accidents(life, chance)
        yield from self._losses(life, chance)
        yield from self._disasters(life, chance)
        yield from self._deaths(life, chance)
        yield from self._school_fees(life)
        yield from self._visits(life, chance)
        yield from self._own_words(life, chance)

    def _members(self, life: Life) -> Iterator[Signal]:
        """Who can work and who is chronically ill, known from the start."""
        first = self.period.firsts[0]
        for person in life.household.persons:
            able = {"value": "ordinary" if person.can_work else "none"}
            number = person.identity_number
            yield Signal(life.household.number, number, "state.labour", "人社", first, first, details=able)
            if person.is_chronic:
                ill = {"value": "chronic"}
                yield Signal(life.household.number, number, "state.health", "卫健", first, first, details=ill)

    def _illnesses(self, life: Life, chance: Chance) -> Iterator[Signal]:
        for position, month in life.fate.serious:
            yield from self._event(life, position, month, "signals.serious_illness", "卫健", chance)

    def _accidents(self, life: Life, chance: Chance) -> Iterator[Signal]:
        for treatment in life.fate.treatments:
            if treatment.is_accident:
                yield from self._event(life, treatment.person, treatment.month, "signals.accident", "公安", chance)

    def _losses(self, life: Life, chance: Chance) -> Iterator[Signal]:
        for loss in life.fate.losses:
            if loss.cause == "job_loss":
                yield from self._event(life, loss.worker, loss.start, "signals.job_loss", "人社", chance)
            elif loss.cause == "business_failure":
                yield from self._event(life, None, loss.start, "signals.business_failure", "农业农村", chance)

    def _disasters(self, life: Life, chance: Chance) -> Iterator[Signal]:
        """The event with what its damage costs, as the list made house by house says; relief when it is paid.

        Counties ask for household, hazard and loss at once after the event, so the cost does not wait for the relief.
        """
        relief = {c.month - 3: -c.amount for c in life.fate.costs if c.cause == "disaster" and c.amount < 0}
        for cost in life.fate.costs:
            if cost.cause != "disaster" or cost.amount <= 0 or cost.month >= LENGTH:
                continue
            for event in self._event(life, None, cost.month, "signals.disaster", "应急", chance):
                yield replace(event, details={"hazard": "flood"})
                outlay = replace(
                    event, kind="expense.disaster", details={"amount": _yuan(cost.amount), "relief": "0.00"}
                )
                yield outlay
                paid = {"amount": "0.00", "relief": _yuan(relief.get(cost.month, 0.0))}
                yield replace(outlay, known_on=event.occurred_on + timedelta(days=RELIEF_DAYS), details=paid)

    def _deaths(self, life: Life, chance: Chance) -> Iterator[Signal]:
        for position, month in life.fate.deaths.items():
            yield from self._event(life, position, month, "signals.death", "公安", chance)

    def _school_fees(self, life: Life) -> Iterator[Signal]:
        month_cost = self.calibration.number("living.student_cost")
        for person in life.household.persons:
            if not person.is_student:
                continue
            for first in self.period.firsts:
                if first.month in TERMS:
                    paid = {"amount": _yuan(month_cost * TERMS[first.month]), "aid": "0.00"}
                    told = first + timedelta(days=30)
                    number, key = life.household.number, person.identity_number
                    yield Signal(number, key, "expense.education", "教育", first, told, details=paid)

    def _visits(self, life: Life, chance: Chance) -> Iterator[Signal]:
        """A visit each quarter: it may find a household that cannot pay, and it may err."""
        sees, errs = self.calibration.number("signals.visit_sees"), self.calibration.number("signals.visit_errs")
        for month in range(LENGTH)[2::3]:
            in_want = any(life.books.unmet[month - 2 : month + 1])
            if chance.happens(sees if in_want else errs):
                yield self._hardship(life, self._day(month, chance), "visit")

    def _own_words(self, life: Life, chance: Chance) -> Iterator[Signal]:
        """The report of a household whose need is over: self_reports.py writes those of the last weeks only."""
        start, stop = life.truth.from_month, life.truth.to_month
        if start is None or stop is None or not chance.happens(self.calibration.number("reports.true_share")):
            return
        lasted = [month for month in range(LENGTH) if start <= self.period.label(month) <= stop]
        yield self._hardship(life, self._day(chance.one_of(lasted), chance), "self_report")

    def _hardship(self, life: Life, day: date, source: Literal["visit", "self_report"]) -> Signal:
        return Signal(life.household.number, None, "event.hardship_report", "乡村振兴", day, day, source=source)

    def _event(
        self, life: Life, position: int | None, month: int, share: str, department: str, chance: Chance
    ) -> Iterator[Signal]:
        """The event, if its department hears of it at all; `share` names how often it does."""
        if month >= LENGTH or not chance.happens(self.calibration.number(share)):
            return
        day = self._day(month, chance)
        told = day + timedelta(days=chance.count(self.calibration.number("signals.delay_days")))
        person = None if position is None else life.household.persons[position].identity_number
        yield Signal(life.household.number, person, f"event.{share.removeprefix('signals.')}", department, day, told)

    def _day(self, month: int, chance: Chance) -> date:
        return self.period.firsts[month] + timedelta(days=chance.below(28))


def _yuan(amount: float) -> str:
    return f"{max(0.0, amount):.2f}"
