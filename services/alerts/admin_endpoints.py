"""The HTTP surface of those who keep alerts running: officers, duties, endpoints."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator, TypeAdapter, ValidationError

from services.alerts import repository, repository_people
from services.alerts.domain.breaker import Health
from services.alerts.domain.officer_list import COLUMNS
from services.alerts.endpoints import Reader
from services.alerts.import_officers import MOST_LINES, import_officers, read_csv
from services.alerts.put_duty import put_duty
from services.alerts.put_endpoint import ROBOTS, put_endpoint
from services.alerts.schemas import (
    DutyIn,
    DutyView,
    EndpointIn,
    EndpointMade,
    EndpointView,
    OfficerIn,
    OfficersImported,
    OfficerView,
)
from shared.errors import UnsupportedMedia
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.web.dependencies import RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.page import Cursor, Limit, Page, before_id, decode_cursor, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.strict_json import parse_strict


def _written_out(text: object) -> object:
    """Only 2026-11-22 is a day; "0" would be read as a day of 1970."""
    if isinstance(text, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError("日期应为 年-月-日，例如 2026-11-22")
    return text


Day = Annotated[date, BeforeValidator(_written_out)]
Admin = Annotated[Principal, Depends(require("alerts:admin"))]
_LIST: TypeAdapter[list[OfficerIn]] = TypeAdapter(list[OfficerIn])
_LIST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "maxItems": MOST_LINES, "items": OfficerIn.model_json_schema()}
            },
            "text/csv": {
                "schema": {"type": "string"},
                "example": f"{','.join(COLUMNS.values())}\nGB0001,李四,村党支部书记,19900000001,,130624100201\n",
            },
        },
    }
}

router = Router(tags=["administration"])


@router.get("/alerts/v1/officers", summary="干部名册", responses=problems(401, 403, 422))
async def get_officers(
    caller: Admin, connection: ScopedConnection, cursor: Cursor = None, limit: Limit = 50
) -> Page[OfficerView]:
    position = decode_cursor(cursor, after=str)
    lo, hi = code_range(caller.division)
    rows = await repository_people.list_officers(
        connection, lo, hi, after=position["after"] if position else None, limit=limit + 1
    )
    return page_of(OfficerView, rows, limit, "officer_no")


@router.post(
    "/alerts/v1/officers",
    summary="导入干部名册（JSON 或 CSV），整表成功或整表不变",
    responses=problems(401, 403, 415, 422),
    openapi_extra=_LIST_BODY,
)
async def post_officers(
    request: Request, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, wake: WakeDep
) -> OfficersImported:
    lines, clock = await _lines(request), runtime.clock
    done = await import_officers(connection, lines, caller, now=clock.now(), today=clock.today())
    wake("route")
    return OfficersImported(lines=done.lines, officers=done.officers, duties=done.duties)


async def _lines(request: Request) -> list[dict[str, str | None]]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "text/csv":
        return read_csv(await request.body())
    if kind != "application/json":
        raise UnsupportedMedia("名册应为 application/json 或 text/csv")
    try:
        officers = _LIST.validate_python(parse_strict(await request.body()))
    except ValidationError as error:
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]) from error
    return [officer.model_dump() for officer in officers]


@router.get("/alerts/v1/duties", summary="在岗职责", responses=problems(401, 403, 422))
async def get_duties(
    caller: Reader,
    connection: ScopedConnection,
    on: Annotated[Day | None, Query(description="只看这一天在岗的", examples=["2026-11-22"])] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[DutyView]:
    position = decode_cursor(cursor, after=int)
    lo, hi = code_range(caller.division)
    rows = await repository_people.list_duties(
        connection, lo, hi, on=on, after=position["after"] if position else None, limit=limit + 1
    )
    return page_of(DutyView, rows, limit, "duty_id")


@router.post("/alerts/v1/duties", summary="登记或结束一项职责", responses=problems(401, 403, 415, 422))
async def post_duty(
    body: DutyIn, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, wake: WakeDep
) -> DutyView:
    row = await put_duty(connection, body, caller, runtime.clock.now())
    wake("route")
    return DutyView.model_validate(row)


@router.get("/alerts/v1/endpoints", summary="通知渠道", responses=problems(401, 403, 422))
async def get_endpoints(
    caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[EndpointView]:
    lo, hi = code_range(caller.division)
    rows = await repository_people.list_endpoints(connection, lo, hi, before=before_id(cursor), limit=limit + 1)
    shown = [shown_endpoint(row, runtime.clock.now()) for row in rows]
    return page_of(EndpointView, shown, limit, "endpoint_id", "before")


@router.post("/alerts/v1/endpoints", summary="启用通知渠道", responses=problems(401, 403, 415, 422))
async def post_endpoint(
    body: EndpointIn, caller: Admin, connection: ScopedConnection, runtime: RuntimeDep, wake: WakeDep
) -> EndpointMade:
    row, secret = await put_endpoint(connection, body, runtime, caller)
    wake("deliver")
    made = await repository_people.endpoint_with_health(connection, row["endpoint_id"])
    assert made is not None, "it was written a moment ago"
    shown = shown_endpoint(made, runtime.clock.now(), whole=body.channel not in ROBOTS)
    return EndpointMade.model_validate({**_known(EndpointView, shown), "secret": secret})


def shown_endpoint(row: repository.Row, now: datetime, *, whole: bool = False) -> dict[str, Any]:
    """An endpoint as administrators see it: without what follows `?`, with its breaker."""
    address = row["address"] if whole else row["address"].partition("?")[0]
    health = Health(row["failures"], row["blocked_until"])
    return {**dict(row), "address": address, "breaker": health.breaker(now)}


def _known(view: Any, row: repository.Row) -> dict[str, Any]:
    return {name: row[name] for name in view.model_fields}


def page_of(view: Any, rows: list[Any], limit: int, key: str, direction: str = "after") -> Page[Any]:
    shown = [view.model_validate(_known(view, row)) for row in rows[:limit]]
    return Page[view](items=shown, next_cursor=next_cursor(rows, limit, **{direction: key}))
