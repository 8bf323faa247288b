"""Illness: ordinary stays, chronic and outpatient visits, and serious illnesses that come back for months."""

from dataclasses import dataclass

from demo_county.calibration import Calibration
from demo_county.chance import Chance, age_band
from demo_county.disablement import Disablement
from demo_county.fate import Cost, Fate, Loss
from demo_county.insurance import Treatment
from demo_county.months import LENGTH
from demo_county.people import Person

YEARS = LENGTH / 12
SIDE_COST = 0.04  # Travel, lodging and nursing of a serious illness, as a share of the bill.
CHRONIC_COST, OUTPATIENT_COST = 320.0, 260.0
OUTPATIENT_FLOOR = 100  # Cheaper visits are part of ordinary living and are not written to any file.


@dataclass(frozen=True, slots=True)
class Illness:
    """Draws the treatments of a household's members."""

    calibration: Calibration
    disablement: Disablement

    def befall(self, fate: Fate, chance: Chance) -> None:
        """Add two years of illness to `fate`."""
        for position, person in enumerate(fate.household.persons):
            self._ordinary(position, person, fate, chance)
            serious = self.calibration.numbers("health.serious_by_age")[age_band(person.age)]
            for _ in range(chance.count(serious * YEARS)):
                self._serious(position, fate, chance)

    def _ordinary(self, position: int, person: Person, fate: Fate, chance: Chance) -> None:
        c = self.calibration
        stays = c.numbers("health.stays_by_age")[age_band(person.age)] * YEARS
        if person.is_chronic:
            stays *= c.number("health.chronic_stay_factor")
            for _ in range(chance.count(c.number("health.chronic_visits") * YEARS)):
                fate.treatments.append(_visit(position, "门诊慢特病", CHRONIC_COST, chance))
        for _ in range(chance.count(stays)):
            level = chance.index(c.numbers("health.stay_level_shares"))
            cost = c.numbers("health.stay_cost_by_level")[level]
            fate.treatments.append(self.stay(position, chance.below(LENGTH), level, cost, chance))
        for _ in range(chance.count(c.number("health.outpatient_visits_over_100") * YEARS)):
            fate.treatments.append(_visit(position, "门诊", OUTPATIENT_COST, chance))

    def stay(self, position: int, month: int, level: int, mean_cost: float, chance: Chance) -> Treatment:
        """One stay in a hospital of that level."""
        cost = chance.amount(mean_cost, self.calibration.number("health.cost_median_share"))
        outside = self.calibration.numbers("health.outside_catalogue")[level] * 2 * chance.random()
        return Treatment(position, month, "住院", level, int(max(400.0, cost) * 100), outside)

    def _serious(self, position: int, fate: Fate, chance: Chance) -> None:
        """A serious illness (大病): several dear stays, lost work of patient and carer, sometimes worse."""
        start = month = chance.below(LENGTH)
        fate.serious.append((position, start))
        mean = self.calibration.number("health.serious_stay_cost")
        for _ in range(2 + chance.below(4)):
            if month < LENGTH:
                treatment = self.stay(position, month, 2 if chance.happens(0.75) else 1, mean, chance)
                fate.treatments.append(treatment)
                fate.costs.append(Cost("illness", month, treatment.gross / 100 * SIDE_COST))
            month += 1 + chance.below(2)
        _lose_work(position, start, fate, chance)
        if chance.happens(0.12):
            self.disablement.befall(fate, position, start, chance)
        elif chance.happens(0.15):
            fate.deaths[position] = min(month, LENGTH - 1)


def _lose_work(position: int, start: int, fate: Fate, chance: Chance) -> None:
    workers = fate.household.workers
    if position in workers:
        fate.losses.append(Loss("illness", position, start, 2 + chance.below(6), 1.0))
    carers = [w for w in workers if w != position]
    if carers:
        fate.losses.append(Loss("illness", chance.one_of(carers), start, 2 + chance.below(3), 0.35))


def _visit(position: int, kind: str, mean_cost: float, chance: Chance) -> Treatment:
    cost = max(OUTPATIENT_FLOOR + 1.0, chance.amount(mean_cost, 0.75))
    outside = 0.2 * chance.random()
    month = chance.below(LENGTH)
    if kind == "门诊":
        return Treatment(position, month, "门诊", 0, int(cost * 100), outside)
    return Treatment(position, month, "门诊慢特病", 0, int(cost * 100), outside)
