"""The calendar of rescreens (筛查日历): which days ask for a whole county to be assessed again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.reading import last_change_for_all


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A day of one kind in a county: time (windows or parameters moved), monthly (每月例行) or quarterly (每季度)."""

    kind: str
    county: str
    day: date


def occurrences(
    package: PolicyPackage, county: str, today: date, *, monthly_day: int, quarterly_day: int
) -> Iterator[Occurrence]:
    """The newest day of each kind that has come; those of an earlier month are not made up, the next covers them."""
    yield Occurrence("time", county, last_change_for_all(package, county, today))
    if today.day >= monthly_day:
        yield Occurrence("monthly", county, today.replace(day=monthly_day))
    if today.month % 3 == 1 and today.day >= quarterly_day:
        yield Occurrence("quarterly", county, today.replace(day=quarterly_day))
