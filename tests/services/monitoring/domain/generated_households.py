"""Households for property tests: members, facts and dates drawn to sit on and beside every edge.

Drawn from a seeded `Random`: a run of thousands is cheap, and a failure names the seed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from services.monitoring.domain.household import STATUSES, Fact, HouseholdFacts, Member
from services.monitoring.domain.measure import ABSENT_REASONS, SCHOOL_STAGES
from services.monitoring.domain.window import Windows, term_day

DAYS = (
    date(2026, 3, 15),
    date(2026, 1, 1),
    date(2025, 12, 31),
    date(2025, 8, 31),
    date(2025, 9, 1),
    date(2024, 2, 29),
    date(2025, 6, 30),
)

KEYS = ("甲", "乙", "丙", "丁")
LINES = {2024: 850_000, 2025: 900_000, 2026: 950_000}
LONG_SINCE = date(2019, 1, 1)
OUTLAYS = (0, 1, 99_999, 100_000, 500_000, 500_001, 1_000_000, 1_000_001, 3_000_000)
AGES = (0, 5, 6, 7, 12, 15, 16, 17, 35, 59, 60, 61, 80)

INCOMES = (
    "income.wage",
    "income.wage",
    "income.business_sales",
    "cost.production",
    "income.property",
    "income.transfer_regular",
    "cost.away_work",
    "stock.unsold_value",
    "cost.unsold",
    "income.transfer_one_off",
    "income.expected",
    "income.insurance_claim",
    "income.insurance_claim",
    "income.loan_principal",
    "income.land_compensation",
)
EXPENSES = ("expense.medical", "expense.education", "expense.rehabilitation", "expense.disaster", "expense.accident")
EVENTS = (
    "event.serious_illness",
    "event.disability_certified",
    "event.accident",
    "event.job_loss",
    "event.business_failure",
    "event.death",
    "event.dropout",
    "event.hardship_report",
    "event.disaster",
    "event.wage_drop",
    "event.water_failure",
    "event.housing_damage",
    "event.imprisonment",
    "event.measure",
    "event.hukou_change",
    "loss.asset",
)
ASSETS = ("loan.overdue", "asset.vehicle", "asset.dwelling_bought", "asset.company", "asset.deposit")
LABOURS = ("ordinary", "ordinary", "skilled", "weak", "lost", "none")
VISITS = ("inpatient", "outpatient", "chronic_outpatient")
STAYS = (None, None, "S1", "S2")
SOURCES = (
    ("department", "household_register"),
    ("department", "payroll"),
    ("department", None),
    ("visit", None),
    ("self_report", None),
    ("hotline", None),
)
STATES: dict[str, tuple[str | None, ...]] = {
    "state.base_group": ("general", "lifted_out", "别的", None),
    "state.monitored": ("marginal_at_risk", "sudden_hardship", "unstable_lifted_out", None),
    "state.assistance": ("dibao", "tekun", "other", None),
    "state.dwelling": ("A", "B", "C", "D", None),
    "state.water": (None,),
    "state.insured": ("resident", "employee", "none", None),
    "state.disability": ("x", "none"),
    "state.health": ("healthy", "chronic", "serious", None),
    "state.labour": ("ordinary", "skilled", "weak", "lost", "none", None),
    "state.school": (*SCHOOL_STAGES, None),
    "state.public_employee": ("true", "false", None),
    "state.authorisation": ("vehicles", "property", "businesses", "deposits", None),
}
OF_HOUSEHOLD = (
    "state.base_group",
    "state.monitored",
    "state.dwelling",
    "state.assistance",
    "state.water",
    "state.authorisation",
)
FLAGS = (True, False, None)
BROKEN = ("不详", "12.5", "", [1], None)
"""What a layout may have let through where a whole number was meant."""

ATTRIBUTES: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "income.insurance_claim": {"for": ("medical", "medical", "disaster", "accident", "asset_loss", None)},
    "income.transfer_regular": {"scheme": ("dibao", "basic_pension", "basic_pension_central", "subsidy", None)},
    "income.transfer_one_off": {"scheme": ("temporary_relief", "gift", "other", None)},
    "income.wage": {"away": FLAGS},
    "event.disaster": {"hazard": ("flood", "earthquake", "other", None)},
    "event.wage_drop": {"percent_basis": (2_999, 3_000, 3_001, 5_050, 10_000, *BROKEN)},
    "event.accident": {"detail": ("death", None)},
    "loan.overdue": {"days": (0, 1, 30, *BROKEN), "balance_fen": (0, 1, 1_000_000, None)},
    "asset.vehicle": {
        "value_fen": (0, 1, 5_000_000, 9_999_999, 10_000_000, *BROKEN),
        "purpose": ("private", "private", "operating", "disabled_use", None),
    },
    "asset.dwelling_bought": {"dwelling": ("commercial", "resettlement", "disaster_rebuild", None)},
    "asset.company": {"state": ("active", "dormant", "cancelled", "revoked", None)},
    "state.monitored": {"identified_on": ("2024-01-31", "2025-09-15", "2025-08-31", "2025-07-01", "不详", None)},
    "state.dwelling": {"occupied": ("A", "C", "D", "不详", None), "only": FLAGS},
    "state.disability": {"types": ([3], [4], [5], [3, 6], [], None), "grade": (1, 2, 3, 4, None)},
    "state.water": {
        "litres": (19, 20, 34, 35, 39, 40, *BROKEN),
        "minutes": (10, 11, 20, 21, None),
        "guarantee": (89, 90, 94, 95, None),
        "quality_ok": FLAGS,
    },
    "state.school": {
        "in_school": (True, False, False, None),
        "home_teaching": FLAGS,
        "absent_reason": (*ABSENT_REASONS, None),
    },
}


def overrides(random: Random, values: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Some parameters given other values."""
    return {name: random.choice(some) for name, some in values.items() if random.random() < 0.3}


class HouseholdMaker:
    """Makes households to be assessed on the day of the windows."""

    def __init__(self, random: Random, windows: Windows) -> None:
        self.random, self.windows = random, windows
        corners = (
            windows.account.first,
            windows.account.last,
            windows.outlay.last,
            windows.year.first,
            windows.totals_from,
            windows.on,
        )
        self.edges = [corner + timedelta(days=by) for corner in corners for by in (-1, 0, 1)]
        self.edges += [windows.on - timedelta(days=days) for days in (5, 40, 100, 200, 400, 700)]
        self.line = LINES[windows.on.year]

    def household(self) -> HouseholdFacts:
        """Mostly one about which all is known, close to a line; sometimes one about which anything is said."""
        if self.random.random() < 0.25:
            members = tuple(self._member(key) for key in KEYS[: self.random.randint(0, 4)])
            return HouseholdFacts(members, tuple(self._anything(members, 24)))
        return self._ordinary()

    def _ordinary(self) -> HouseholdFacts:
        members = [Member(key, birth_date=self._born()) for key in KEYS[: self.random.randint(1, 3)]]
        if self.random.random() < 0.3:
            members.append(self._member(KEYS[3]))
        facts = [*self._usual_states(members), *self._usual_money(members), *self._anything(members, 6)]
        self.random.shuffle(facts)
        return HouseholdFacts(tuple(members), tuple(facts))

    def _usual_states(self, members: list[Member]) -> list[Fact]:
        choice = self.random.choice
        home = {"occupied": choice("AAAAAABCD"), "only": choice((True, False))}
        water = {"litres": choice((60, 60, 20)), "minutes": 5, "guarantee": 97, "quality_ok": True}
        facts = [
            Fact("state.base_group", LONG_SINCE, value=choice(("general", "lifted_out"))),
            Fact("state.dwelling", LONG_SINCE, value=choice("AAAABCD"), attributes=home),
            Fact("state.water", LONG_SINCE, attributes=water),
        ]
        if choice((True, False, False)):
            facts += [self._of_kind("state.monitored", None), self._asset([None, members[0].key])]
        labours = choice((LABOURS, LABOURS, LABOURS, ("none", "lost")))
        for each in members:
            insured = choice(("resident",) * 8 + ("employee", "none"))
            health = choice(("healthy",) * 6 + ("chronic", "serious"))
            stage, in_school = choice(("primary", "junior", "senior")), choice((True, True, True, False))
            reason = choice(ABSENT_REASONS)
            school = {"in_school": in_school, "home_teaching": False, "absent_reason": reason}
            facts += [
                Fact("state.insured", LONG_SINCE, member=each.key, value=insured),
                Fact("state.health", LONG_SINCE, member=each.key, value=health),
                Fact("state.labour", LONG_SINCE, member=each.key, value=choice(labours)),
                Fact("state.school", LONG_SINCE, member=each.key, value=stage, attributes=school),
                Fact("state.public_employee", LONG_SINCE, member=each.key, value=choice(("false",) * 9 + ("true",))),
            ]
            facts += [self._of_kind("state.disability", each.key)] if self.random.random() < 0.2 else []
        return facts

    def _usual_money(self, members: list[Member]) -> list[Fact]:
        """Income at, under or over the line, and outlay or a loss of wages that may take it there."""
        choice = self.random.choice
        outlay = choice(OUTLAYS)
        over = choice((-200_000, 0, outlay, outlay, 4 * outlay)) + choice((-1, 0, 1))
        counted = sum(each.is_counted for each in members)
        kind = choice(("expense.medical", "expense.medical", *EXPENSES))
        day, key, first = choice((self.windows.on, choice(self.edges))), choice(members).key, members[0].key
        wages = max(self.line * counted + over, 0)
        facts = [
            Fact("income.wage", self.windows.account.last, choice((None, first)), amount_fen=wages),
            self._outlay(kind, day, key, outlay),
        ]
        if choice((True, False, False)):
            loss = choice(("event.job_loss", "event.wage_drop", "event.business_failure", "event.death"))
            facts.append(Fact(loss, self.windows.on, first, attributes=self._attributes(loss)))
        return facts

    def _outlay(self, kind: str, day: date, key: str, outlay: int) -> Fact:
        choice = self.random.choice
        return Fact(
            kind,
            day,
            key,
            amount_fen=outlay,
            relief_fen=choice((0, 0, 1)),
            gross_fen=outlay,
            compliant_fen=outlay,
            other_fen=choice((0, 1)),
            visit=choice(VISITS),
            stay=choice(STAYS),
        )

    def _anything(self, members: Any, most: int) -> list[Fact]:
        makers: tuple[Callable[[Any], Fact], ...] = (
            self._income,
            self._expense,
            self._expense,
            self._event,
            self._asset,
            self._state,
            self._state,
        )
        keys = [None, *(each.key for each in members)]
        return [self.random.choice(makers)(keys) for _ in range(self.random.randint(0, most))]

    def _member(self, key: str) -> Member:
        status = self.random.choice(("living", "living", *STATUSES))
        died_on = self.random.choice((None, *self.edges)) if status == "deceased" else None
        return Member(key, status, died_on, self._born())

    def _born(self) -> date:
        """A birthday on, before or after one of the days on which ages are asked."""
        day = self.random.choice((self.windows.on, term_day(self.windows.on), *self.edges))
        born = date(day.year - self.random.choice(AGES), day.month, min(day.day, 28))
        leap = date(born.year - born.year % 4, 2, 29)
        return self.random.choice((born, born + timedelta(days=self.random.choice((-1, 1, 2))), leap))

    def _amount(self) -> int | None:
        heads, by = self.random.randint(1, 4), self.random.choice((-1, 0, 1))
        whole = self.random.choice((*OUTLAYS, self.line * heads + by, self.random.randint(0, 12_000_000)))
        return None if self.random.random() < 0.08 else whole

    def _income(self, keys: list[str | None]) -> Fact:
        choice, day, kind = self.random.choice, self.random.choice(self.edges), self.random.choice(INCOMES)
        source, data_set = choice(SOURCES)
        is_total = self.random.random() < 0.5
        return Fact(
            kind,
            day,
            choice(keys),
            amount_fen=self._amount(),
            source=source,
            data_set=data_set,
            verified=choice(FLAGS),
            attributes=self._attributes(kind),
            period_from=day - timedelta(days=364) if is_total else None,
            period_to=day if is_total else None,
        )

    def _expense(self, keys: list[str | None]) -> Fact:
        choice, amount = self.random.choice, self._amount
        return Fact(
            choice(("expense.medical", *EXPENSES)),
            choice(self.edges),
            choice(keys),
            amount_fen=amount(),
            relief_fen=amount(),
            gross_fen=amount(),
            compliant_fen=amount(),
            other_fen=amount(),
            visit=choice((*VISITS, None)),
            stay=choice(STAYS),
            source=choice(SOURCES)[0],
        )

    def _event(self, keys: list[str | None]) -> Fact:
        choice, kind = self.random.choice, self.random.choice(EVENTS)
        amount = self._amount() if kind == "loss.asset" else None
        return Fact(
            kind,
            choice(self.edges),
            choice(keys),
            verified=choice((None, True, False)),
            amount_fen=amount,
            source=choice(SOURCES)[0],
            attributes=self._attributes(kind),
        )

    def _asset(self, keys: list[str | None]) -> Fact:
        choice, kind = self.random.choice, self.random.choice(ASSETS)
        amount = self._amount() if kind == "asset.deposit" else None
        ended = choice((None, None, None, *self.edges))
        return Fact(
            kind,
            choice(self.edges),
            choice(keys),
            ended_on=ended,
            amount_fen=amount,
            source=choice(SOURCES)[0],
            attributes=self._attributes(kind),
        )

    def _state(self, keys: list[str | None]) -> Fact:
        kind = self.random.choice(tuple(STATES))
        return self._of_kind(kind, None if kind in OF_HOUSEHOLD else self.random.choice(keys))

    def _of_kind(self, kind: str, key: str | None) -> Fact:
        choice = self.random.choice
        return Fact(
            kind,
            choice(self.edges),
            key,
            value=choice(STATES[kind]),
            ended_on=choice((None, None, *self.edges)),
            attributes=self._attributes(kind),
        )

    def _attributes(self, kind: str) -> dict[str, Any]:
        possible = ATTRIBUTES.get(kind, {})
        return {name: self.random.choice(some) for name, some in possible.items() if self.random.random() < 0.8}
