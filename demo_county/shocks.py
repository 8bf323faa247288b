"""Shocks other than illness: accident, death, lost work, failed business, flood, late wages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from demo_county.calibration import Calibration
from demo_county.chance import Chance, age_band
from demo_county.fate import Cost, Fate, Loss
from demo_county.illness import YEARS, Illness
from demo_county.months import LENGTH

LATE_WAGE_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Shocks:
    """Draws what may befall a household besides illness."""

    calibration: Calibration
    illness: Illness

    def befall(self, fate: Fate, chance: Chance) -> None:
        """Add two years of shocks to `fate`; deaths come last because they end what others began."""
        for position in range(len(fate.household.persons)):
            if chance.happens(self.calibration.number("shocks.accident") * YEARS):
                self._accident(position, fate, chance)
        for worker in fate.usual.wages:
            self._lost_work(worker, fate, chance)
        self._business_failure(fate, chance)
        self._deaths(fate, chance)

    def flood(self, months: Sequence[int], fate: Fate, chance: Chance) -> None:
        """Damage in those of the village's flooded months that reach this household; relief comes later."""
        for month in months:
            if not chance.happens(self.calibration.number("shocks.flood_household")):
                continue
            damage = chance.amount(self.calibration.number("shocks.flood_cost"), 0.5)
            fate.costs.append(Cost("disaster", month, damage))
            fate.costs.append(Cost("disaster", month + 3, -0.35 * damage))
            if fate.usual.is_farm:
                fate.losses.append(Loss("disaster", None, month, 5, 0.3 + 0.6 * chance.random()))

    def _accident(self, position: int, fate: Fate, chance: Chance) -> None:
        month, c = chance.below(LENGTH), self.calibration
        level, cost = 1 + chance.below(2), c.number("shocks.accident_cost")
        stay = self.illness.stay(position, month, level, cost, chance)
        paid = 0.3 + 0.6 * chance.random() if chance.happens(c.number("shocks.accident_third_party")) else 0.0
        fate.treatments.append(replace(stay, third_party=paid, is_accident=True))
        if position in fate.household.workers:
            fate.losses.append(Loss("accident", position, month, 2 + chance.below(7), 1.0))
        if chance.happens(0.10):
            self.illness.disablement.befall(fate, position, month, chance)
        elif chance.happens(0.03):
            fate.deaths[position] = month

    def _lost_work(self, worker: int, fate: Fate, chance: Chance) -> None:
        c = self.calibration
        if chance.happens(c.number("shocks.job_loss") * YEARS):
            months = 1 + chance.count(c.number("shocks.job_loss_months") - 1) + 6 * chance.happens(0.15)
            fate.losses.append(Loss("job_loss", worker, chance.below(LENGTH), months, 1.0))
        if chance.happens(c.number("shocks.wage_arrears") * YEARS / len(fate.usual.wages)):
            start = chance.below(LENGTH)
            fate.losses.append(Loss("job_loss", worker, start, LATE_WAGE_MONTHS, 1.0))
            late = fate.usual.wages[worker] * LATE_WAGE_MONTHS / 12
            fate.costs.append(Cost("job_loss", start + LATE_WAGE_MONTHS + 2, -late))

    def _business_failure(self, fate: Fate, chance: Chance) -> None:
        if not fate.usual.business_revenue:
            return
        if chance.happens(self.calibration.number("shocks.business_failure") * YEARS):
            month = chance.below(LENGTH)
            wasted = fate.usual.business_cost * (0.5 + chance.random())
            fate.losses.append(Loss("business_failure", None, month, 8 + chance.below(10), 1.0))
            fate.costs.append(Cost("business_failure", month, wasted))

    def _deaths(self, fate: Fate, chance: Chance) -> None:
        rates = self.calibration.numbers("shocks.mortality_by_age")
        for position, person in enumerate(fate.household.persons):
            if chance.happens(rates[age_band(person.age)] * YEARS):
                fate.deaths.setdefault(position, chance.below(LENGTH))
        for position, month in fate.deaths.items():
            fate.costs.append(Cost("death", month, self.calibration.number("shocks.funeral_cost")))
            if position in fate.household.workers:
                fate.losses.append(Loss("death", position, month, LENGTH, 1.0))
