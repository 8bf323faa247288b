"""Read the work calendar (工作日历) of places: the nation's days off, the lists imported, the county's own days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from services.alerts import repository_calendar
from services.alerts.domain.work_time import SHANGHAI, DayKind, WorkCalendar
from services.alerts.known_days import known_days
from services.alerts.repository import Row
from shared.vocabulary.division import AFTER_EVERYTHING, lineage_of

NATION, NATION_HI = "000000000000", AFTER_EVERYTHING
PACKAGE, STATE_COUNCIL, COUNTY = "chinesecalendar", "state_council", "county"
# The package may know years that nobody has written down yet: those deadlines run into.
_YEARS_AHEAD = 3


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day as it stands in a place, and who says so."""

    on: date
    kind: DayKind
    name: str
    source: str


@dataclass(frozen=True, slots=True)
class Calendars:
    """The calendars of some places."""

    of_place: Mapping[str, WorkCalendar]

    def at(self, place: str) -> WorkCalendar:
        return self.of_place[place]


NO_CALENDARS = Calendars({})


async def read_calendars(connection: asyncpg.Connection, places: Iterable[str], now: datetime) -> Calendars:
    """The calendars of `places` from this year on."""
    wanted = set(places)
    first = date(now.astimezone(SHANGHAI).year, 1, 1)
    regions = {NATION, *(region for place in wanted for region in lineage_of(place))}
    rows = await repository_calendar.calendar_days(connection, regions, first)
    return Calendars({place: _calendar(place, rows, first.year) for place in wanted})


async def read_calendar(connection: asyncpg.Connection, place: str, now: datetime) -> WorkCalendar:
    """The calendar of one place from this year on."""
    return (await read_calendars(connection, [place], now)).at(place)


async def read_year(connection: asyncpg.Connection, place: str, year: int) -> tuple[list[CalendarDay], bool]:
    """The days of a year as they stand in a place, and whether the year is known."""
    regions = (NATION, *lineage_of(place))
    rows = await repository_calendar.calendar_days(connection, regions, date(year, 1, 1))
    days, is_known = days_of_year(year, [row for row in rows if row["date"].year == year])
    return sorted(days.values(), key=lambda day: day.on), is_known


def _calendar(place: str, rows: Sequence[Row], first_year: int) -> WorkCalendar:
    regions = {NATION, *lineage_of(place)}
    by_year: dict[int, list[Row]] = {year: [] for year in range(first_year, first_year + _YEARS_AHEAD)}
    for row in rows:
        if row["region"] in regions:
            by_year.setdefault(row["date"].year, []).append(row)
    days: dict[date, DayKind] = {}
    known = set()
    for year, of_year in by_year.items():
        found, is_known = days_of_year(year, of_year)
        days.update((on, day.kind) for on, day in found.items())
        if is_known:
            known.add(year)
    return WorkCalendar(days, frozenset(known))


def days_of_year(year: int, rows: Sequence[Row]) -> tuple[dict[date, CalendarDay], bool]:
    """What holds of a year: an imported list stands for the shipped one, a county's own day stands above both.

    `rows` are of the place's regions, the widest first.
    """
    by_source: dict[str, dict[date, CalendarDay]] = {PACKAGE: {}, STATE_COUNCIL: {}, COUNTY: {}}
    for row in rows:
        day = CalendarDay(row["date"], DayKind(row["kind"]), row["name"], row["source"])
        by_source[row["source"]][row["date"]] = day
    listed = by_source[STATE_COUNCIL] or by_source[PACKAGE] or _shipped(year)
    return {**listed, **by_source[COUNTY]}, bool(listed)


def _shipped(year: int) -> dict[date, CalendarDay]:
    """The package's days, as long as the worker has not written them down."""
    return {day.on: CalendarDay(day.on, day.kind, day.name, PACKAGE) for day in known_days(year) or ()}
