"""The days off as `chinesecalendar` ships them, up to the year whose list is published (国务院办公厅通知)."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar

from services.alerts.domain.work_time import DayKind

FIRST_YEAR = 2004


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A day that is otherwise than the days of the week say, and after what it is named."""

    on: date
    kind: DayKind
    name: str


@lru_cache
def known_days(year: int) -> tuple[NamedDay, ...] | None:
    """The days off and make-up days of a year; None if the package does not know the year."""
    first = date(year, 1, 1)
    try:
        found = [_named(first + timedelta(days=n)) for n in range((date(year + 1, 1, 1) - first).days)]
    except NotImplementedError:
        return None
    return tuple(day for day in found if day is not None)


def known_years() -> list[int]:
    """The years the package knows."""
    years = []
    year = FIRST_YEAR
    while known_days(year) is not None:
        years.append(year)
        year += 1
    return years


def _named(on: date) -> NamedDay | None:
    """The day if it has a name; an ordinary weekday or weekend has none."""
    is_off, holiday = chinese_calendar.get_holiday_detail(on)
    if holiday is None:
        return None
    name = chinese_calendar.Holiday(holiday).chinese
    return NamedDay(on, DayKind.HOLIDAY, name) if is_off else NamedDay(on, DayKind.WORKDAY, f"{name}调休上班")
