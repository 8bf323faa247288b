"""Read the work calendar (工作日历) of places. Until the county's calendar is kept, Monday to Friday are worked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.alerts.domain.work_time import WorkCalendar


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars of some places."""

    of_place: Mapping[str, WorkCalendar]

    def at(self, place: str) -> WorkCalendar:
        return self.of_place[place]


async def read_calendars(connection: asyncpg.Connection, places: Iterable[str], now: datetime) -> Calendars:
    """The calendars of `places` from this year on."""
    return Calendars({place: WorkCalendar({}, frozenset()) for place in places})
