"""The hidden cash flow (现金流): each month's earnings, needs, savings and debts of one household.

It knows nothing of monitoring lines, thresholds or classes: it only asks whether the household gets by.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.fate import Cause, Fate
from demo_county.incomes import UsualIncome
from demo_county.insurance import Bill
from demo_county.months import LENGTH, Period
from demo_county.people import Household

# Shares of a year by calendar month, January first.
WAGE_SEASON = (0.058, 0.034, 0.091, 0.091, 0.091, 0.090, 0.090, 0.091, 0.091, 0.091, 0.091, 0.091)
HARVEST = (0.05, 0.02, 0.02, 0.02, 0.03, 0.06, 0.06, 0.08, 0.20, 0.26, 0.14, 0.06)
SOWING = (0.02, 0.06, 0.16, 0.18, 0.14, 0.10, 0.08, 0.08, 0.06, 0.06, 0.04, 0.02)
EVEN = (1 / 12,) * 12

MONTHLY_INTEREST = 0.003  # Most debts are to relatives, who ask for none.
REPAYMENT_MONTHS = 60
RESERVE_NEEDS = 2.0  # With less than this many basic needs in hand, a household spends on basics only.


@dataclass(slots=True)
class Flows:
    """Yuan by month: what comes in by kind, what must go out, and what each cause took away."""

    wages: list[float]
    revenue: list[float]
    cost: list[float]
    steady: float
    extra: list[float]
    lost: dict[Cause, list[float]]

    def pay(self, cause: Cause, month: int, amount: float) -> None:
        """Something must be paid, or comes in if negative."""
        self.extra[month] += amount
        self.book(cause, month, amount)

    def book(self, cause: Cause, month: int, amount: float) -> None:
        """Remember what the cause took away."""
        if cause not in self.lost:
            self.lost[cause] = [0.0] * LENGTH
        self.lost[cause][month] += amount

    def balance(self, month: int) -> float:
        """What the month leaves before living."""
        earned = self.wages[month] + self.revenue[month] + self.steady
        return earned - self.cost[month] - self.extra[month]

    def net_income(self, months: Sequence[int]) -> float:
        """Net income over those months; help, damages and medical bills are no income."""
        return sum(self.wages[m] + self.revenue[m] - self.cost[m] + self.steady for m in months)


@dataclass(frozen=True, slots=True)
class Books:
    """A household's two years: `unmet` says in which months basic needs or debts due could not be paid."""

    flows: Flows
    usual: UsualIncome
    unmet: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Means:
    """What a household has to live on besides income, in yuan.

    `needs` are basic needs by month, `ordinary` what it spends in an ordinary one, `limit` what it can
    reasonably borrow in all.
    """

    needs: Sequence[float]
    ordinary: float
    saved: float
    owed: float
    limit: float


@dataclass(frozen=True, slots=True)
class CashFlow:
    """Lives the 24 months of a household."""

    calibration: Calibration
    period: Period

    def live(self, fate: Fate, bills: Sequence[Bill], chance: Chance) -> Books:
        """Walk through the months with what befell the household."""
        flows = self._flows(fate, bills, chance)
        return _walk(flows, fate, self._means(fate, chance))

    def _means(self, fate: Fate, chance: Chance) -> Means:
        c, year = self.calibration, fate.usual.net
        spread = c.number("living.savings_spread")
        in_debt = chance.happens(c.number("living.debt_share"))
        return Means(
            needs=self._needs(fate),
            ordinary=year / 12 * c.number("living.usual_share"),
            saved=year / 12 * c.number("living.savings_months") * chance.lognormvariate(0.0, spread),
            owed=year * (0.2 + chance.random()) if in_debt else 0.0,
            limit=year * c.number("living.borrowing_share") * (0.6 + 0.8 * chance.random()),
        )

    def _needs(self, fate: Fate) -> list[float]:
        """Basic needs of those alive, by month; zero when nobody is."""
        one = self.calibration.number("living.basic_need")
        further = self.calibration.number("living.further_member")
        alive = (fate.alive(month) for month in range(LENGTH))
        return [one * (1 + further * (n - 1)) if n else 0.0 for n in alive]

    def _flows(self, fate: Fate, bills: Sequence[Bill], chance: Chance) -> Flows:
        flows = self._usual_flows(fate.usual, chance)
        _apply_losses(flows, fate, self.period)
        for cost in fate.costs:
            if cost.month < LENGTH:
                flows.pay(cost.cause, cost.month, cost.amount)
        for bill in bills:
            cause: Cause = "accident" if bill.treatment.is_accident else "illness"
            flows.pay(cause, bill.treatment.month, bill.self_paid / 100)
        self._schooling(fate.household, flows)
        return flows

    def _usual_flows(self, usual: UsualIncome, chance: Chance) -> Flows:
        wage, spread = sum(usual.wages.values()), self.calibration.number("shocks.yield_spread")
        sales, spending = (HARVEST, SOWING) if usual.is_farm else (EVEN, EVEN)
        seasons = [first.month - 1 for first in self.period.firsts]
        yields = {f.year: max(0.0, chance.gauss(1.0, spread)) for f in self.period.firsts if f.month == 1}
        years = [yields.get(first.year, 1.0) for first in self.period.firsts]
        return Flows(
            wages=[wage * WAGE_SEASON[s] for s in seasons],
            revenue=[usual.business_revenue * sales[s] * y for s, y in zip(seasons, years, strict=True)],
            cost=[usual.business_cost * spending[s] for s in seasons],
            steady=(usual.property_income + usual.transfers) / 12,
            extra=[0.0] * LENGTH,
            lost={},
        )

    def _schooling(self, household: Household, flows: Flows) -> None:
        cost = self.calibration.number("living.student_cost") * sum(p.is_student for p in household.persons)
        if cost:
            flows.extra = [amount + cost for amount in flows.extra]
            flows.lost["schooling"] = [cost] * LENGTH


def _apply_losses(flows: Flows, fate: Fate, period: Period) -> None:
    for loss in fate.losses:
        for month in range(loss.start, min(loss.start + loss.months, LENGTH)):
            if loss.worker is None:
                gone = flows.revenue[month] * loss.share
                flows.revenue[month] -= gone
            else:
                season = WAGE_SEASON[period.firsts[month].month - 1]
                gone = min(flows.wages[month], fate.usual.wages.get(loss.worker, 0.0) * season * loss.share)
                flows.wages[month] -= gone
            flows.book(loss.cause, month, gone)


def _walk(flows: Flows, fate: Fate, means: Means) -> Books:
    """Month by month: earn, pay what must be paid, live as the purse allows, borrow, or go without.

    What cannot be paid stays owed beyond the limit, so that a debt nobody should carry shows as months unmet.
    """
    unmet, saved, owed = [], means.saved, means.owed
    for month, basic in enumerate(means.needs):
        repaid = owed / REPAYMENT_MONTHS
        saved += flows.balance(month) - repaid - owed * MONTHLY_INTEREST
        owed -= repaid
        ordinary = max(basic, means.ordinary)
        saved -= ordinary if saved - ordinary > RESERVE_NEEDS * basic else basic
        short = max(0.0, -saved)
        unmet.append(basic > 0 and short > max(0.0, means.limit - owed))
        owed += short
        saved += short
    return Books(flows, fate.usual, tuple(unmet))
