"""The months the county lives through: 24 full months, the last one complete on the day `until`."""

from dataclasses import dataclass
from datetime import date, timedelta

LENGTH = 24


@dataclass(frozen=True, slots=True)
class Period:
    """24 consecutive months by their first days; the last 12 are the year that is scored and sent as files.

    The reporting year of incomes is the calendar year of `until` minus 12 months; it always lies inside.
    """

    until: date
    firsts: tuple[date, ...]

    @property
    def reporting_year(self) -> int:
        return self.until.year - 1

    @property
    def reporting_months(self) -> range:
        """Positions of January to December of the reporting year."""
        start = self.firsts.index(date(self.reporting_year, 1, 1))
        return range(start, start + 12)

    @property
    def last_year(self) -> range:
        """Positions of the last 12 months."""
        return range(LENGTH - 12, LENGTH)

    def label(self, month: int) -> str:
        """The month as YYYY-MM."""
        return self.firsts[month].isoformat()[:7]

    def compact(self, month: int) -> str:
        """The month as YYYYMM."""
        return self.label(month).replace("-", "")


def period_until(until: date) -> Period:
    """The 24 full months that end on or before `until`."""
    following = until + timedelta(days=1)
    end = following.year * 12 + following.month - 1
    return Period(until, tuple(date(n // 12, n % 12 + 1, 1) for n in range(end - LENGTH, end)))
