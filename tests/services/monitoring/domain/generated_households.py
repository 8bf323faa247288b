"""Households for property tests: members, facts and dates drawn to sit on and beside every edge.

Drawn from a seeded `Random`: a run of thousands is cheap, and a failure names the seed.
"""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from services.monitoring.domain.household import STATUSES, Fact, HouseholdFacts, Member
from services.monitoring.domain.window import Windows

DAYS = (
    date(2026, 3, 15),
    date(2026, 1, 1),
    date(2025, 12, 31),
    date(2025, 8, 31),
    date(2024, 2, 29),
    date(2025, 6, 30),
)
OVERRIDES = {
    "line_inclusive": ("true", "false"),
    "medical_inclusive": ("true", "false"),
    "medical_counts": ("compliant", "all_self_paid"),
    "outlay_until": ("on", "window_end"),
    "sudden_outlay_share": ("0", "0.2", "1"),
    "score_cap": ("30", "100"),
}

KEYS = ("甲", "乙", "丙", "丁")
LINES = {2024: 850_000, 2025: 900_000, 2026: 950_000}
LONG_SINCE = date(2019, 1, 1)
OUTLAYS = (0, 1, 500_000, 500_001, 1_000_000, 1_000_001, 3_000_000)
INCOMES = ("income.wage", "income.business_sales", "cost.production", "income.property", "income.transfer_regular")
OTHER_INCOMES = ("income.insurance_claim", "income.insurance_claim", "income.loan_principal")
EXPENSES = ("expense.medical", "expense.education", "expense.rehabilitation", "expense.disaster", "expense.accident")
EVENTS = ("event.disability_certified", "event.hardship_report", "event.job_loss")
SOURCES = (
    ("department", "household_register"),
    ("department", "payroll"),
    ("department", None),
    ("visit", None),
    ("self_report", None),
)
STATES: dict[str, tuple[str | None, ...]] = {
    "state.base_group": ("general", "lifted_out", "别的", None),
    "state.monitored": ("marginal_at_risk", "sudden_hardship", None),
    "state.assistance": ("dibao", "tekun", "other", None),
    "state.dwelling": ("A", "B", "C", "D", None),
    "state.insured": ("resident", "employee", "none", None),
    "state.disability": ("x",),
}
OF_HOUSEHOLD = ("state.base_group", "state.monitored", "state.dwelling", "state.assistance")


def overrides(random: Random) -> dict[str, str]:
    """Some parameters given other values."""
    return {name: random.choice(values) for name, values in OVERRIDES.items() if random.random() < 0.3}


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
            return HouseholdFacts(members, tuple(self._anything(members, 14)))
        return self._ordinary()

    def _ordinary(self) -> HouseholdFacts:
        members = [Member(key) for key in KEYS[: self.random.randint(1, 3)]]
        if self.random.random() < 0.3:
            members.append(self._member(KEYS[3]))
        facts = [*self._usual_states(members), *self._usual_money(members), *self._anything(members, 4)]
        self.random.shuffle(facts)
        return HouseholdFacts(tuple(members), tuple(facts))

    def _usual_states(self, members: list[Member]) -> list[Fact]:
        choice = self.random.choice
        insured = [
            Fact("state.insured", LONG_SINCE, member=each.key, value=choice(("resident",) * 8 + ("employee", "none")))
            for each in members
        ]
        home = {"occupied": choice("AAAAAABCD"), "only": choice((True, False))}
        return [
            Fact("state.base_group", LONG_SINCE, value=choice(("general", "lifted_out"))),
            Fact("state.dwelling", LONG_SINCE, value=choice("AAAABCD"), attributes=home),
            *insured,
        ]

    def _usual_money(self, members: list[Member]) -> list[Fact]:
        """Income at, under or over the line, and outlay that may take it there."""
        choice = self.random.choice
        outlay = choice(OUTLAYS)
        over = choice((-200_000, 0, outlay, outlay, 4 * outlay)) + choice((-1, 0, 1))
        counted = sum(each.is_counted for each in members)
        kind = choice(("expense.medical", "expense.medical", *EXPENSES))
        day = choice((self.windows.on, choice(self.edges)))
        return [
            Fact("income.wage", self.windows.account.last, amount_fen=max(self.line * counted + over, 0)),
            Fact(kind, day, amount_fen=outlay, relief_fen=0, compliant_fen=outlay, other_fen=choice((0, 1))),
        ]

    def _anything(self, members: Any, most: int) -> list[Fact]:
        makers: tuple[Callable[[Any], Fact], ...] = (self._income, self._expense, self._event, self._state)
        keys = [None, *(each.key for each in members)]
        return [self.random.choice(makers)(keys) for _ in range(self.random.randint(0, most))]

    def _member(self, key: str) -> Member:
        status = self.random.choice(("living", "living", *STATUSES))
        died_on = self.random.choice((None, *self.edges)) if status == "deceased" else None
        return Member(key, status, died_on)

    def _amount(self) -> int | None:
        heads, by = self.random.randint(1, 4), self.random.choice((-1, 0, 1))
        whole = self.random.choice((*OUTLAYS, self.line * heads + by, self.random.randint(0, 12_000_000)))
        return None if self.random.random() < 0.08 else whole

    def _income(self, keys: list[str | None]) -> Fact:
        choice, day = self.random.choice, self.random.choice(self.edges)
        source, data_set = choice(SOURCES)
        is_total = self.random.random() < 0.5
        purpose = choice(({}, {"for": "medical"}, {"for": "disaster"}, {"for": "accident"}, {"for": None}))
        return Fact(
            choice(INCOMES + OTHER_INCOMES),
            day,
            choice(keys),
            amount_fen=self._amount(),
            source=source,
            data_set=data_set,
            verified=choice((None, True, False)),
            attributes=purpose,
            period_from=day - timedelta(days=364) if is_total else None,
            period_to=day if is_total else None,
        )

    def _expense(self, keys: list[str | None]) -> Fact:
        choice, amount = self.random.choice, self._amount
        return Fact(
            choice(EXPENSES),
            choice(self.edges),
            choice(keys),
            amount_fen=amount(),
            relief_fen=amount(),
            compliant_fen=amount(),
            other_fen=amount(),
        )

    def _event(self, keys: list[str | None]) -> Fact:
        choice = self.random.choice
        return Fact(choice(EVENTS), choice(self.edges), choice(keys), verified=choice((None, True, False)))

    def _state(self, keys: list[str | None]) -> Fact:
        choice = self.random.choice
        kind = choice(tuple(STATES))
        return Fact(
            kind,
            choice(self.edges),
            None if kind in OF_HOUSEHOLD else choice(keys),
            value=choice(STATES[kind]),
            ended_on=choice((None, None, *self.edges)),
            attributes=self._attributes(kind),
        )

    def _attributes(self, kind: str) -> dict[str, Any]:
        choice = self.random.choice
        possible: dict[str, Any] = {}
        if kind == "state.dwelling":
            possible = {"occupied": choice(("A", "C", "D", "不详", None)), "only": choice((True, False, None))}
        elif kind == "state.disability":
            possible = {"types": choice(([4], [5], [4, 6], [], None)), "grade": choice((1, 2, 3, 4, None))}
        return {name: value for name, value in possible.items() if self.random.random() < 0.8}
