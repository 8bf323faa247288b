"""The clocks of an alert (时限): how long it may wait, in which unit, and by when that is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from services.alerts.domain.alert import Deadlines, Status
from services.alerts.domain.work_time import WorkCalendar


class ClockUnit(StrEnum):
    """What a length is counted in. `hours` run day and night of working days, `working_hours` at working hours.

    `days` are days of the calendar (自然日), the last of which is a working day; `working_days` are working days.
    """

    HOURS = "hours"
    WORKING_HOURS = "working_hours"
    DAYS = "days"
    WORKING_DAYS = "working_days"


@dataclass(frozen=True, slots=True)
class Length:
    """How long something may wait."""

    number: int
    unit: ClockUnit

    def after(self, start: datetime, calendar: WorkCalendar) -> datetime:
        """The deadline of what began at `start`."""
        return _after(self, start, calendar)


# Alerts of one message begin at one moment, mostly with the same clocks.
@lru_cache(maxsize=64)
def _after(length: Length, start: datetime, calendar: WorkCalendar) -> datetime:
    match length.unit:
        case ClockUnit.HOURS:
            return calendar.add_hours(start, length.number)
        case ClockUnit.WORKING_HOURS:
            return calendar.add_working_hours(start, length.number)
        case ClockUnit.DAYS:
            return calendar.add_days(start, length.number)
        case ClockUnit.WORKING_DAYS:
            # A package may say 0; the end of the next working day is the soonest there is.
            return calendar.add_working_days(start, max(length.number, 1))


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long until somebody acknowledges, and until the answer."""

    acknowledge: Length
    verify: Length


def deadlines(start: datetime, clocks: Clocks, calendar: WorkCalendar) -> Deadlines:
    """By when an alert that began at `start` must be acknowledged and verified."""
    return Deadlines(clocks.acknowledge.after(start, calendar), clocks.verify.after(start, calendar))


def next_step_at(status: Status, due: Deadlines, wait: Length, since: datetime, calendar: WorkCalendar) -> datetime:
    """When an alert climbs: at its deadline, or, where that was past at `since`, after the wait of its level.

    That is an acknowledgement clock, if the chain says nothing else: each level has the time the first one had.
    """
    deadline = due.acknowledge_by if status is Status.OPEN else due.verify_by
    return deadline if deadline > since else wait.after(since, calendar)
