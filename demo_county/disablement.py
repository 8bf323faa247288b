"""Becoming disabled (新增残疾): lasting loss of earnings, and a certificate that comes months later."""

from dataclasses import dataclass
from datetime import timedelta

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.fate import Fate, Loss
from demo_county.months import LENGTH, Period
from demo_county.population import certificate

EARNINGS_LOST = 0.6
SHORTEST_DELAY_DAYS, SPREAD_DAYS = 60, 200


@dataclass(frozen=True, slots=True)
class Disablement:
    """Makes a member disabled for good."""

    calibration: Calibration
    period: Period

    def befall(self, fate: Fate, position: int, month: int, chance: Chance) -> None:
        """Most earnings are gone from `month` on; a certificate due after the last day is not yet there."""
        if position in fate.household.workers:
            fate.losses.append(Loss("disability", position, month, LENGTH, EARNINGS_LOST))
        delay = timedelta(days=SHORTEST_DELAY_DAYS + chance.below(SPREAD_DAYS))
        issued = self.period.firsts[month] + delay
        if issued <= self.period.until and fate.household.persons[position].certificate is None:
            fate.certificates[position] = certificate(self.calibration, issued, chance)
