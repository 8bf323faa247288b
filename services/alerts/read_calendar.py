"""Read the work calendar (工作日历) of a place."""

from datetime import datetime

import asyncpg

from services.alerts.domain.work_time import WorkCalendar


async def read_calendar(connection: asyncpg.Connection, place: str, now: datetime) -> WorkCalendar:
    """The calendar of one place from this year on."""
    return WorkCalendar()
