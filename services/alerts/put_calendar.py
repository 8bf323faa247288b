"""Put a year of the work calendar: the State Council's list, or the county's own days off (地方节假日)."""

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import asyncpg

from services.alerts import repository, repository_calendar
from services.alerts.domain.work_time import DayKind
from services.alerts.import_officers import decode
from services.alerts.known_days import NamedDay
from services.alerts.read_calendar import NATION, days_of_year
from shared.errors import BadRequest, FieldError, Unprocessable
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range, lineage_of

COLUMNS = {"date": "日期", "kind": "类别", "name": "名称"}
# What a county writes for the two kinds.
KINDS = {"放假": "holiday", "休": "holiday", "上班": "workday", "班": "workday"}
# The longest holiday there was had nine days; more than two weeks in a row is a mistake in the list.
_MOST_DAYS_OFF = 15


class CalendarUnreadable(BadRequest):
    code, title = "calendar_unreadable", "无法读取工作日历"


class CalendarRefused(Unprocessable):
    code, title = "calendar_refused", "工作日历有误，未作改动"


@dataclass(frozen=True, slots=True)
class Listed:
    """Whose list of which year."""

    year: int
    source: str


def read_calendar_csv(content: bytes) -> list[dict[str, str | None]]:
    """Lines of a CSV file under 日期, 类别, 名称; CalendarUnreadable."""
    try:
        reader = csv.DictReader(io.StringIO(decode(content, CalendarUnreadable), newline=""), strict=True)
        header = [name.strip() for name in reader.fieldnames or []]
        if sorted(header) != sorted(COLUMNS.values()):
            raise CalendarUnreadable(f"表头应为：{'、'.join(COLUMNS.values())}")
        reader.fieldnames = header
        lines = [{name: row.get(column) for name, column in COLUMNS.items()} for row in reader]
    except csv.Error as error:
        raise CalendarUnreadable("无法解析，请检查引号与逗号") from error
    return [{**line, "kind": KINDS.get((line["kind"] or "").strip(), line["kind"])} for line in lines]


async def put_calendar(
    connection: asyncpg.Connection, listed: Listed, days: Sequence[NamedDay], caller: Principal, *, now: datetime
) -> None:
    """Make `days` the whole list of a source for the caller's county; deadlines over it are computed again.

    An empty list takes the earlier one back. CalendarRefused names the lines that are wrong.
    """
    _check(days, listed.year)
    await repository_calendar.change_calendar(connection)
    region, (_, region_hi) = caller.division, code_range(caller.division)
    rows = [
        {
            "region": region,
            "region_hi": region_hi,
            "date": day.on,
            "source": listed.source,
            "kind": day.kind,
            "name": day.name,
            "written_at": now,
        }
        for day in days
    ]
    await repository_calendar.replace_days(
        connection, region=region, source=listed.source, year=listed.year, rows=rows
    )
    await _check_rest(connection, region, listed.year)
    await note_change(connection, region, region_hi, listed.year, now)
    await audit(connection, caller, "calendar.put", f"calendar:{region}:{listed.year}:{listed.source}", now=now)


async def note_change(connection: asyncpg.Connection, region: str, region_hi: str, year: int, now: datetime) -> None:
    """Have the worker compute the deadlines over this year again."""
    row = {"region": region, "region_hi": region_hi, "year": year, "made_at": now}
    await repository.insert_rows(connection, "work_calendar_change", [row])


def _check(days: Sequence[NamedDay], year: int) -> None:
    seen: set[date] = set()
    errors = []
    for n, day in enumerate(days):
        if day.on.year != year:
            errors.append(FieldError(f"body/{n}/date", "other_year", f"不在 {year} 年", example=f"{year}-10-01"))
        elif day.on in seen:
            errors.append(FieldError(f"body/{n}/date", "date_repeated", "此日期已在前面出现"))
        seen.add(day.on)
    if errors:
        raise CalendarRefused("日期有误", errors=errors)


async def _check_rest(connection: asyncpg.Connection, region: str, year: int) -> None:
    """Refuse a year without a working day for weeks: every deadline would stand still."""
    regions = (NATION, *lineage_of(region))
    rows = await repository_calendar.calendar_days(connection, regions, date(year, 1, 1))
    days, _ = days_of_year(year, [row for row in rows if row["date"].year == year])
    off = _longest_rest(year, {on for on, day in days.items() if day.kind is DayKind.HOLIDAY}, days.keys())
    if off > _MOST_DAYS_OFF:
        error = FieldError("body", "too_many_days_off", f"连续放假 {off} 天，超过 {_MOST_DAYS_OFF} 天")
        raise CalendarRefused("放假天数有误", errors=[error])


def _longest_rest(year: int, holidays: Collection[date], listed: Collection[date]) -> int:
    longest = off = 0
    day = date(year, 1, 1)
    while day.year == year:
        is_off = day in holidays or (day.weekday() >= 5 and day not in listed)
        off = off + 1 if is_off else 0
        longest, day = max(longest, off), day + timedelta(days=1)
    return longest
