"""Working time (工作时间): which days are worked, at which hours, and when a deadline falls.

Days off (放假) and make-up days (调休上班) are handed in. Moments are aware; answers are in Asia/Shanghai.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)
# A list with more days off in a row is a mistake: the longest holiday there was had nine.
MOST_DAYS_OFF = 30


class NoWorkingTime(ValueError):
    """There is no working day in the next thirty days: nothing is sent rather than sent at night."""


class DayKind(StrEnum):
    """What a day is that is otherwise than the days of the week say."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"


@dataclass(frozen=True, slots=True)
class Hours:
    """A span of a day, from `start` to `end`."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which nobody is disturbed, from `start` until before `end`; they may pass midnight."""

    start: time
    end: time

    def holds(self, at: time) -> bool:
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


WORKING_HOURS = (Hours(time(8, 30), time(12)), Hours(time(14, 30), time(18)))
NIGHT = Quiet(time(21), time(8))


@dataclass(frozen=True, slots=True, eq=False)
class WorkCalendar:
    """The working days of one place: Monday to Friday, but for `days`; in years not `known` that is provisional.

    Each is equal to itself only, so that what was computed with it can be kept.
    """

    days: Mapping[date, DayKind]
    known: frozenset[int]
    hours: tuple[Hours, ...] = WORKING_HOURS

    def is_workday(self, on: date) -> bool:
        kind = self.days.get(on)
        return on.weekday() < 5 if kind is None else kind is DayKind.WORKDAY

    def is_provisional(self, on: date) -> bool:
        """Whether the holidays of that year are not published yet (暂定)."""
        return on.year not in self.known

    def is_working(self, moment: datetime) -> bool:
        """Whether it lies in working time; the last moment of a span still does, a deadline may fall on it."""
        local = moment.astimezone(SHANGHAI)
        at = local.time()
        return self.is_workday(local.date()) and any(span.start <= at <= span.end for span in self.hours)

    def first_working_moment(self, moment: datetime) -> datetime:
        """The moment itself in working time, else the beginning of the next span."""
        local = moment.astimezone(SHANGHAI)
        return next(max(local, start) for start, end in self._spans(local) if end >= local)

    def add_working_hours(self, moment: datetime, hours: float) -> datetime:
        """The moment after so many hours of working time; in two steps as in one."""
        local, left = moment.astimezone(SHANGHAI), timedelta(hours=hours)
        for start, end in self._spans(local):
            begins = max(local, start)
            if end - begins >= left and begins <= end:
                return begins + left
            left -= max(end - begins, timedelta())
        raise AssertionError("spans have no end")

    def add_hours(self, moment: datetime, hours: float) -> datetime:
        """The moment after so many hours, day and night, of working days, moved on into working time.

        They begin when somebody is at work: so "24 hours" end at the same time of the next working day, run over no
        holiday, and what comes on a Sunday has its time from Monday morning on.
        """
        local, left = self.first_working_moment(moment), timedelta(hours=hours)
        for day in self._workdays(local.date()):
            begins, end = max(local, _at(day, time.min)), _at(day + _DAY, time.min)
            if end - begins > left:
                return self.first_working_moment(begins + left)
            left -= end - begins
        raise AssertionError("days have no end")

    def add_working_days(self, moment: datetime, days: int) -> datetime:
        """The end of the `days`-th working day after that of the moment, which is not counted; from 1."""
        if days < 1:
            raise ValueError("a deadline of working days has at least one")
        following = self._workdays(moment.astimezone(SHANGHAI).date() + _DAY)
        return self._end_of(next(day for n, day in enumerate(following, start=1) if n == days))

    def add_days(self, moment: datetime, days: int) -> datetime:
        """The end of the `days`-th day after; if that is a day off, of the first working day behind it."""
        last = moment.astimezone(SHANGHAI).date() + days * _DAY
        return self._end_of(next(self._workdays(last)))

    def next_slot(self, moment: datetime, quiet: Quiet = NIGHT) -> datetime:
        """The first moment of a working day outside the quiet hours; NoWorkingTime, never the night by accident."""
        local = moment.astimezone(SHANGHAI)
        for day in self._workdays(local.date()):
            begins = max(local, _at(day, time.min))
            for candidate in (begins, max(begins, _at(day, quiet.end))):
                if candidate.date() == day and not quiet.holds(candidate.time()):
                    return candidate
        raise AssertionError("days have no end")

    def _spans(self, local: datetime) -> Iterator[tuple[datetime, datetime]]:
        for day in self._workdays(local.date()):
            yield from ((_at(day, span.start), _at(day, span.end)) for span in self.hours)

    def _workdays(self, first: date) -> Iterator[date]:
        """The working days from `first` on; NoWorkingTime if they stop."""
        day, off = first, 0
        while off < MOST_DAYS_OFF:
            if self.is_workday(day):
                yield day
            off = 0 if self.is_workday(day) else off + 1
            day += _DAY
        raise NoWorkingTime(f"no working day in the {MOST_DAYS_OFF} days before {day}")

    def _end_of(self, day: date) -> datetime:
        return _at(day, self.hours[-1].end)


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, SHANGHAI)
