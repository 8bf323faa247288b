"""Working days (工作日): Monday to Friday, but for holidays, and with the weekends that are worked instead (调休)."""

from collections.abc import Collection
from datetime import date, timedelta

_SATURDAY = 5


def is_working_day(day: date, holidays: Collection[date], extra: Collection[date]) -> bool:
    return day in extra or (day.weekday() < _SATURDAY and day not in holidays)


def working_days_after(start: date, days: int, holidays: Collection[date], extra: Collection[date]) -> date:
    """The last of `days` working days that follow a day."""
    day, left = start, days
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day, holidays, extra)
    return day
