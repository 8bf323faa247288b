"""The HTTP surface of the work calendar: read a year, put the State Council's list or the county's own days."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, TypeAdapter, ValidationError

from services.alerts.admin_endpoints import Admin
from services.alerts.domain.work_time import WORKING_HOURS, WorkCalendar
from services.alerts.endpoints import Reader
from services.alerts.known_days import NamedDay
from services.alerts.put_calendar import Listed, put_calendar, read_calendar_csv
from services.alerts.read_calendar import CalendarDay, read_year
from services.alerts.schemas_calendar import CalendarDayIn, CalendarDayView, CalendarYear
from shared.errors import UnsupportedMedia
from shared.web.dependencies import RuntimeDep, ScopedConnection, WakeDep
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.strict_json import parse_strict

_MOST_DAYS = 366
_DAYS: TypeAdapter[list[CalendarDayIn]] = TypeAdapter(Annotated[list[CalendarDayIn], Field(max_length=_MOST_DAYS)])
# What it refers to stands in the document already, as the answers have it.
_DAY = {
    name: part
    for name, part in CalendarDayIn.model_json_schema(ref_template="#/components/schemas/{model}").items()
    if name != "$defs"
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "maxItems": _MOST_DAYS, "items": _DAY}},
            "text/csv": {"schema": {"type": "string"}, "example": "日期,类别,名称\n2027-10-01,放假,国庆节\n"},
        },
    }
}
Year = Annotated[int, Path(ge=2004, le=2100)]

router = Router(tags=["administration"])


@router.get("/alerts/v1/calendar", summary="工作日历", responses=problems(401, 403, 422))
async def get_calendar(
    caller: Reader,
    connection: ScopedConnection,
    year: Annotated[int, Query(ge=2004, le=2100, description="哪一年", examples=[2026])],
) -> CalendarYear:
    days, is_known = await read_year(connection, caller.division, year)
    return _view(year, days, is_known)


@router.put(
    "/alerts/v1/calendar/{year}",
    summary="导入一年的放假安排（JSON 或 CSV），整表替换；空表即撤回",
    responses=problems(400, 401, 403, 415, 422),
    openapi_extra=_BODY,
)
async def put_calendar_year(
    year: Year,
    request: Request,
    caller: Admin,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    wake: WakeDep,
    source: Annotated[
        Literal["state_council", "county"],
        Query(description="state_council 为国务院办公厅放假安排全表；county 为本县自定的放假与上班日"),
    ],
) -> CalendarYear:
    days = await _days(request)
    await put_calendar(connection, Listed(year, source), days, caller, now=runtime.clock.now())
    wake("recompute_clocks")
    found, is_known = await read_year(connection, caller.division, year)
    return _view(year, found, is_known)


async def _days(request: Request) -> list[NamedDay]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "text/csv":
        told: object = read_calendar_csv(await request.body())
    elif kind == "application/json":
        told = parse_strict(await request.body())
    else:
        raise UnsupportedMedia("工作日历应为 application/json 或 text/csv")
    try:
        return [NamedDay(day.date, day.kind, day.name) for day in _DAYS.validate_python(told)]
    except ValidationError as error:
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]) from error


def _view(year: int, days: Sequence[CalendarDay], is_known: bool) -> CalendarYear:
    calendar = WorkCalendar({day.on: day.kind for day in days}, frozenset({year}))
    all_days = [date(year, 1, 1) + timedelta(days=n) for n in range(_MOST_DAYS)]
    return CalendarYear(
        year=year,
        provisional=not is_known,
        working_hours=[f"{span.start:%H:%M}-{span.end:%H:%M}" for span in WORKING_HOURS],
        working_days=sum(calendar.is_workday(on) for on in all_days if on.year == year),
        days=[CalendarDayView(date=d.on, kind=d.kind, name=d.name, source=d.source) for d in days],
    )
