"""One household's life: who they are, what befell them, who paid, how they got by, and the truth about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from demo_county.calibration import Calibration
from demo_county.cash_flow import Books, CashFlow
from demo_county.chance import Chance
from demo_county.disablement import Disablement
from demo_county.fate import Fate
from demo_county.illness import Illness
from demo_county.incomes import UsualIncome, usual_income
from demo_county.insurance import Bill, Insurance, uninsured
from demo_county.months import Period
from demo_county.people import Household
from demo_county.population import Population
from demo_county.shocks import Shocks
from demo_county.truth import Truth, judge


@dataclass(frozen=True, slots=True)
class Life:
    """A household with its 24 months; bills are in order of time."""

    household: Household
    usual: UsualIncome
    fate: Fate
    bills: tuple[Bill, ...]
    books: Books
    truth: Truth


@dataclass(slots=True)
class Lives:
    """Draws lives one after another; nothing of one life depends on another but the identity numbers."""

    calibration: Calibration
    period: Period
    county: str
    seed: int
    population: Population = field(init=False)
    illness: Illness = field(init=False)
    shocks: Shocks = field(init=False)
    cash_flow: CashFlow = field(init=False)

    def __post_init__(self) -> None:
        self.population = Population(self.calibration, self.county, self.seed, self.period.until)
        self.illness = Illness(self.calibration, Disablement(self.calibration, self.period))
        self.shocks = Shocks(self.calibration, self.illness)
        self.cash_flow = CashFlow(self.calibration, self.period)

    def live(self, serial: int, division: str, flooded: Sequence[int], chance: Chance) -> Life:
        """The life of household number `serial` in a village that was flooded in those months."""
        household = self.population.household(serial, division, chance)
        usual = usual_income(household, self.calibration, chance)
        fate = Fate(household, usual)
        self._befall(fate, flooded, chance)
        bills = self._bills(fate)
        books = self.cash_flow.live(fate, bills, chance)
        shortest = int(self.calibration.number("living.unmet_months"))
        truth = judge(household.number, books, self.period, shortest)
        return Life(household, usual, fate, bills, books, truth)

    def _befall(self, fate: Fate, flooded: Sequence[int], chance: Chance) -> None:
        self.illness.befall(fate, chance)
        self.shocks.befall(fate, chance)
        self.shocks.flood(flooded, fate, chance)
        fate.settle()

    def _bills(self, fate: Fate) -> tuple[Bill, ...]:
        household = fate.household
        insurance = Insurance(self.calibration, household.is_formerly_poor, household.gets_allowance)
        return tuple(
            insurance.pay(t, self.period.firsts[t.month].year)
            if household.persons[t.person].is_insured
            else uninsured(t)
            for t in fate.treatments
        )
