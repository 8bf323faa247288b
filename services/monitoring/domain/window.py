"""The stretches of time a measure looks at (时间窗), computed once from the day of assessment."""

from calendar import isleap, monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from shared.policies.parameter_set import ParameterSet


class Window(StrEnum):
    """Which facts a measure looks at."""

    ACCOUNT = "account"
    """Income and its costs: twelve whole months before the month of `on`, or a yearly total that still stands."""
    MONTHS = "months"
    """The same twelve whole months by the day alone: a yearly total is there or not, as its last day is."""
    OUTLAY = "outlay"
    """Outlay and events: from the same first day up to `on`, or to the end of those months by `outlay_until`."""
    YEAR = "year_to_date"
    """1 January up to `on`."""
    STATE = "state"
    """Whatever holds on `on`."""


@dataclass(frozen=True, slots=True)
class Period:
    """Both days belong to it."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Windows:
    """The edges of all windows on one day; `totals_from` is the oldest day a standing yearly total may end."""

    on: date
    account: Period
    outlay: Period
    year: Period
    totals_from: date

    @property
    def earliest(self) -> date:
        """No fact before it can matter, but for states."""
        return min(self.account.first, self.totals_from)


def windows_on(on: date, parameters: ParameterSet) -> Windows:
    """The windows of a day; reads `outlay_until` and `total_stands_months`."""
    last = on.replace(day=1) - timedelta(days=1)
    account = Period(on.replace(year=on.year - 1, day=1), last)
    outlay_last = on if parameters.value("outlay_until") == "on" else last
    return Windows(
        on,
        account,
        Period(account.first, outlay_last),
        Period(date(on.year, 1, 1), on),
        first_day_standing(on, parameters.number("total_stands_months")),
    )


def first_day_standing(on: date, months: int) -> date:
    """The earliest day which, `months` months later, is not before `on` (a missing day is the month's last)."""
    ahead = on.year * 12 + on.month - 1 - months
    year, month = divmod(ahead, 12)
    if on.day <= monthrange(year, month + 1)[1]:
        return date(year, month + 1, on.day)
    year, month = divmod(ahead + 1, 12)
    return date(year, month + 1, 1)


def term_day(on: date) -> date:
    """The 31 August before the school year (学年) that `on` lies in; it starts on 1 September."""
    return date(on.year if on.month >= 9 else on.year - 1, 8, 31)


def age_on(birth: date, on: date) -> int:
    """Whole years (周岁); who was born on 29 February turns a year older on 1 March of other years."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def turning(birth: date, age: int) -> date:
    """The first day on which `age_on` answers `age`."""
    year = birth.year + age
    if (birth.month, birth.day) == (2, 29) and not isleap(year):
        return date(year, 3, 1)
    return birth.replace(year=year)


def month_before(on: date) -> date:
    return date(on.year - (on.month == 1), (on.month - 2) % 12 + 1, 1)


def next_month(on: date) -> date:
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)
