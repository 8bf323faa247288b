"""The visit list and the monthly sheets over HTTP."""

from datetime import date
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from services.alerts import repository_groups
from services.alerts.admin_endpoints import Day
from services.alerts.endpoints import DivisionFilter, Reader
from services.alerts.schemas_flood import Format, MonthlySheetView, Visit
from services.alerts.visit_list import export_visits, visit_list
from shared.regions.name_places import name_places
from shared.vocabulary.division import code_range
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection
from shared.web.page import Cursor, CursorRefused, Limit, Page, after_due, decode_cursor, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import OpenText
from shared.web.spreadsheet import CSV, XLSX

MEDIA = {"csv": CSV, "xlsx": XLSX}
AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}

router = Router(tags=["visits"])


@router.get(
    "/alerts/v1/visit-list",
    summary="走访清单：未办结预警，时限最近的在前；也可导出为 CSV、XLSX（须注明用途，留痕）",
    response_model=Page[Visit],
    responses={**AS_FILE, **problems(401, 403, 422)},
)
async def get_visit_list(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    division: DivisionFilter = None,
    cursor: Cursor = None,
    limit: Limit = 50,
    format_: Annotated[Format, Query(alias="format", description="csv、xlsx：全部，一个文件")] = "json",
    purpose: Annotated[OpenText | None, Query(min_length=1, max_length=100, description="导出的用途")] = None,
) -> Page[Visit] | StreamingResponse:
    after, where, request_id = after_due(cursor), division or caller.division, context.request_id
    if format_ == "json":
        return await visit_list(connection, where, caller, runtime, after=after, limit=limit, request_id=request_id)
    pieces = await export_visits(
        connection, where, caller, runtime, format_=format_, purpose=purpose, request_id=request_id
    )
    name = {"Content-Disposition": f'attachment; filename="visit-list-{where}.{format_}"'}
    return StreamingResponse(pieces, media_type=MEDIA[format_], headers=name)


@router.get("/alerts/v1/monthly-sheets", summary="月度处置清单（分乡镇）", responses=problems(401, 403, 422))
async def get_monthly_sheets(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: DivisionFilter = None,
    month: Annotated[Day | None, Query(description="月份的第一天", examples=["2026-03-01"])] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[MonthlySheetView]:
    lo, hi = code_range(division or caller.division)
    rows = await repository_groups.list_sheets(
        connection, lo, hi, month=month, after=_after_sheet(cursor), limit=limit + 1
    )
    names = await name_places(runtime.directory_pool, {row["division"] for row in rows}, runtime.clock.today())
    items = [
        MonthlySheetView(
            division=row["division"],
            name=names[row["division"]],
            month=row["month"],
            made_at=row["made_at"],
            **row["figures"],
        )
        for row in rows[:limit]
    ]
    return Page(items=items, next_cursor=next_cursor(rows, limit, month="month", division="division"))


def _after_sheet(cursor: str | None) -> tuple[date, str] | None:
    position = decode_cursor(cursor, month=str, division=str)
    try:
        return (date.fromisoformat(position["month"]), position["division"]) if position else None
    except ValueError:
        raise CursorRefused from None
