"""Usual income (正常年景收入): what a household earns in a year in which nothing happens."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.people import Household

RETIREMENT = 60
SMALLEST_ALLOWANCE, LARGEST_ALLOWANCE = 0.15, 0.5  # Shares of the usual income of those who get one.


@dataclass(frozen=True, slots=True)
class UsualIncome:
    """Yuan a year; `wages` by position of the worker in the household."""

    wages: Mapping[int, float]
    business_revenue: float
    business_cost: float
    is_farm: bool
    property_income: float
    transfers: float

    @property
    def net(self) -> float:
        """Household net income (家庭纯收入) of a usual year."""
        business = self.business_revenue - self.business_cost
        return sum(self.wages.values()) + business + self.property_income + self.transfers


def per_head(calibration: Calibration, rank: float) -> float:
    """Verified net income a head at `rank` of the curve, in yuan; see calibration.toml for what it is not."""
    shares = calibration.numbers("income.curve_shares")
    ratios = calibration.numbers("income.curve_ratios")
    right = min(bisect_right(shares, rank), len(shares) - 1)
    part = (rank - shares[right - 1]) / (shares[right] - shares[right - 1])
    ratio = ratios[right - 1] + part * (ratios[right] - ratios[right - 1])
    return calibration.number("income.mean_per_head") * ratio


def usual_income(household: Household, calibration: Calibration, chance: Chance) -> UsualIncome:
    """Split the household's place on the curve into the four kinds of income."""
    total = per_head(calibration, household.income_rank) * len(household.persons)
    transfers = _transfers(household, total, calibration, chance)
    property_income = total * calibration.number("income.property_share") * 2 * chance.random()
    earned = max(0.0, total - transfers - property_income)
    workers = household.workers
    if not workers:  # The grown-up children elsewhere send the rest (赡养费).
        return UsualIncome({}, 0.0, 0.0, False, property_income, transfers + earned)
    business = earned * _business_share(calibration, chance)
    weights = [0.5 + chance.random() for _ in workers]
    wages = {w: (earned - business) * x / sum(weights) for w, x in zip(workers, weights, strict=True)}
    cost = business * calibration.number("income.business_cost_ratio") * (0.5 + chance.random())
    is_farm = chance.happens(0.75)
    return UsualIncome(wages, business + cost, cost, is_farm, property_income, transfers)


def _transfers(household: Household, total: float, calibration: Calibration, chance: Chance) -> float:
    pensioners = sum(p.age >= RETIREMENT for p in household.persons)
    pensions = pensioners * calibration.number("income.pension") + calibration.number("income.land_subsidy")
    if household.gets_allowance:
        pensions += total * (SMALLEST_ALLOWANCE + (LARGEST_ALLOWANCE - SMALLEST_ALLOWANCE) * chance.random())
    return min(pensions, total)


def _business_share(calibration: Calibration, chance: Chance) -> float:
    """The part of earnings that comes from the household's own farm or shop."""
    draw = chance.random()
    without = calibration.number("income.share_without_business")
    if draw < without:
        return 0.0
    if draw < without + calibration.number("income.share_mainly_business"):
        return 0.6 + 0.4 * chance.random()
    return 0.2 + 0.3 * chance.random()
