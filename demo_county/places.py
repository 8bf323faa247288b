"""Where the households live: how many in each village, and which villages the water reached."""

from collections.abc import Sequence

from demo_county.calibration import Calibration
from demo_county.chance import Chance
from demo_county.months import LENGTH, Period

Village = tuple[str, str]
FLOOD_SEASON = (6, 7, 8)


def share_out(villages: Sequence[Village], households: int, seed: int) -> list[tuple[Village, int]]:
    """Villages in order of code with their number of households; sizes differ as villages' sizes do."""
    ordered = sorted(villages)
    chance = Chance(f"{seed}/villages")
    weights = [chance.amount(1.0, 0.85) for _ in ordered]
    total, given, reached, shares = sum(weights), 0, 0.0, []
    for village, weight in zip(ordered, weights, strict=True):
        reached += weight
        upto = round(households * reached / total)
        shares.append((village, upto - given))
        given = upto
    return shares


def flooded_months(village: str, period: Period, calibration: Calibration, seed: int) -> tuple[int, ...]:
    """The months in which a flood or storm (洪涝) hit the village; only the wet season has any."""
    chance = Chance(f"{seed}/floods/{village}")
    monthly = calibration.number("shocks.villages_flooded") / len(FLOOD_SEASON)
    wet = (m for m in range(LENGTH) if period.firsts[m].month in FLOOD_SEASON)
    return tuple(m for m in wet if chance.happens(monthly))


def township_of(village: str) -> str:
    return village[:9] + "000"


def county_of(village: str) -> str:
    return village[:6] + "000000"
