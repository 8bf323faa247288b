"""Medical insurance (三重制度): who pays how much of one treatment. All amounts are integer fen."""

from dataclasses import dataclass
from typing import Literal

from demo_county.calibration import Calibration

VisitKind = Literal["住院", "门诊", "门诊慢特病"]
OUTPATIENT_RATE, OUTPATIENT_CAP = 0.50, 8_000
CHRONIC_RATE = 0.62


@dataclass(frozen=True, slots=True)
class Treatment:
    """One stay or visit: whose (position in the household), when, what it cost; `level` 0 primary, 2 tertiary.

    `third_party` is the share of what insurance leaves that somebody liable pays.
    """

    person: int
    month: int
    kind: VisitKind
    level: int
    gross: int
    outside_share: float
    third_party: float = 0.0
    is_accident: bool = False


@dataclass(frozen=True, slots=True)
class Bill:
    """A treatment paid for: gross is always the sum of the six parts."""

    treatment: Treatment
    basic: int
    critical: int
    assistance: int
    other: int
    self_compliant: int
    self_outside: int

    @property
    def self_paid(self) -> int:
        return self.self_compliant + self.self_outside


class Insurance:
    """The layers as one household meets them; critical illness adds up per person and calendar year."""

    def __init__(self, calibration: Calibration, is_formerly_poor: bool, gets_allowance: bool) -> None:
        self._rates = calibration.numbers("health.fund_rate")
        self._deductibles = calibration.numbers("health.deductible")
        group = int(is_formerly_poor)
        self._critical_from = int(calibration.numbers("health.critical_deductible")[group] * 100)
        self._critical_rate = calibration.numbers("health.critical_rate")[group]
        self._assistance = calibration.numbers("health.assistance_rate")[2 if gets_allowance else group]
        self._compliant_so_far: dict[tuple[int, int], int] = {}

    def pay(self, treatment: Treatment, year: int) -> Bill:
        """The bill of an insured person; treatments must come in order of time."""
        outside = int(treatment.gross * treatment.outside_share)
        inside = treatment.gross - outside
        basic = self._basic(treatment, inside)
        critical = self._critical(treatment, year, inside - basic)
        rest = inside - basic - critical
        assistance = int(rest * self._assistance) if treatment.kind == "住院" else 0
        return _with_third_party(treatment, basic, critical, assistance, rest - assistance, outside)

    def _basic(self, treatment: Treatment, inside: int) -> int:
        if treatment.kind == "门诊":
            return min(int(inside * OUTPATIENT_RATE), OUTPATIENT_CAP)
        if treatment.kind == "门诊慢特病":
            return int(inside * CHRONIC_RATE)
        over = inside - int(self._deductibles[treatment.level] * 100)
        return int(max(0, over) * self._rates[treatment.level])

    def _critical(self, treatment: Treatment, year: int, rest: int) -> int:
        key = treatment.person, year
        before = self._compliant_so_far.get(key, 0)
        self._compliant_so_far[key] = after = before + rest
        over = max(0, after - self._critical_from) - max(0, before - self._critical_from)
        return int(over * self._critical_rate)


def uninsured(treatment: Treatment) -> Bill:
    """The bill of somebody in no insurance: all of it is self-paid, and no department ever sees it."""
    return _with_third_party(treatment, 0, 0, 0, 0, treatment.gross)


def _with_third_party(
    treatment: Treatment, basic: int, critical: int, assistance: int, compliant: int, outside: int
) -> Bill:
    by_others = int(compliant * treatment.third_party)
    outside_by_others = int(outside * treatment.third_party)
    return Bill(
        treatment,
        basic,
        critical,
        assistance,
        by_others + outside_by_others,
        compliant - by_others,
        outside - outside_by_others,
    )
