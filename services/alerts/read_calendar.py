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
# Days by their digest, so that what is kept can never be out of date.
_KEPT: dict[tuple[str | None, int], "Days"] = {}
_MOST_KEPT = 64


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
    first = first_day(now)
    return Days(await repository_calendar.calendar_days(connection, regions_of(wanted), first), first.year).at(wanted)


async def calendars_named(
    connection: asyncpg.Connection, digest: str | None, places: Iterable[str], now: datetime
) -> Calendars:
    """As read_calendars; days whose digest was seen before are not read again."""
    wanted, first = set(places), first_day(now)
    days = _KEPT.get((digest, first.year))
    if days is None:
        rows = await repository_calendar.calendar_days(connection, regions_of(wanted), first) if digest else ()
        while len(_KEPT) >= _MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)))
        days = _KEPT[digest, first.year] = Days(rows, first.year)
    return days.at(wanted)


def first_day(now: datetime) -> date:
    """Deadlines made now hang on the days from here on."""
    return date(now.astimezone(SHANGHAI).year, 1, 1)


def regions_of(places: Iterable[str]) -> set[str]:
    """Whose days hold in any of the places."""
    return {NATION, *(region for place in places for region in lineage_of(place))}


async def read_calendar(connection: asyncpg.Connection, place: str, now: datetime) -> WorkCalendar:
    """The calendar of one place from this year on."""
    return (await read_calendars(connection, [place], now)).at(place)


async def read_year(connection: asyncpg.Connection, place: str, year: int) -> tuple[list[CalendarDay], bool]:
    """The days of a year as they stand in a place, and whether the year is known."""
    regions = (NATION, *lineage_of(place))
    rows = await repository_calendar.calendar_days(connection, regions, date(year, 1, 1))
    days, is_known = days_of_year(year, [row for row in rows if row["date"].year == year])
    return sorted(days.values(), key=lambda day: day.on), is_known


class Days:
    """The days written for some regions from a year on; places with the same days share a calendar."""

    def __init__(self, rows: Sequence[Row], first_year: int) -> None:
        self._first_year = first_year
        self._of_region: dict[str, list[Row]] = {}
        self._made: dict[tuple[str, ...], WorkCalendar] = {}
        for row in rows:
            self._of_region.setdefault(row["region"], []).append(row)

    def at(self, places: Iterable[str]) -> Calendars:
        return Calendars({place: self._at(place) for place in places})

    def _at(self, place: str) -> WorkCalendar:
        regions = tuple(region for region in (NATION, *lineage_of(place)) if region in self._of_region)
        if regions not in self._made:
            rows = [row for region in regions for row in self._of_region[region]]
            self._made[regions] = _calendar(rows, self._first_year)
        return self._made[regions]


def _calendar(rows: Sequence[Row], first_year: int) -> WorkCalendar:
    by_year: dict[int, list[Row]] = {year: [] for year in range(first_year, first_year + _YEARS_AHEAD)}
    for row in rows:
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
