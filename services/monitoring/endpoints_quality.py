"""Checks of the data's quality and their findings over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query
from fastapi import Depends as Needs
from fastapi.responses import StreamingResponse

from services.monitoring.accept_finding import accept_finding
from services.monitoring.endpoints import Rescreener
from services.monitoring.endpoints_dashboard import MEDIA
from services.monitoring.endpoints_register import Registrar
from services.monitoring.export_findings import order_findings, write_findings
from services.monitoring.export_households import Format
from services.monitoring.order_quality_run import order_quality_run, quality_run
from services.monitoring.read_findings import count_findings, list_findings, query_of, view_checks
from services.monitoring.record_village import record_village
from services.monitoring.repository_findings import FindingQuery
from services.monitoring.schemas import ShortText
from services.monitoring.schemas_quality import (
    Acceptance,
    Checks,
    FindingCounts,
    FindingView,
    QualityRunRequest,
    QualityRunView,
    State,
    VillageFigures,
    VillageFiguresTaken,
)
from shared.security.principal import Principal
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.page import Cursor, CursorRefused, Limit, Page, decode_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr
from shared.web.spreadsheet import XLSX

Doubter = Annotated[Principal, Needs(require("monitoring:quality"))]
Closer = Annotated[Principal, Needs(require("monitoring:quality:close"))]
AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        }
    }
}
BASE = "/monitoring/v1/quality"

router = Router(tags=["quality"])


async def finding_query(
    caller: Doubter,
    runtime: RuntimeDep,
    division: Annotated[DivisionStr | None, Query(description="在此区划（含下级）；缺省为本人区划")] = None,
    owner: Annotated[str | None, Query(max_length=40, description="village 或部门；联络员只见本部门的")] = None,
    check: Annotated[str | None, Query(max_length=60, pattern=r"^[a-z0-9_]+$", description="检查代码")] = None,
    state: Annotated[State | None, Query(description="缺省为待整改")] = "open",
    overdue: Annotated[bool, Query(description="只要过了期限的")] = False,
    severity: Annotated[int | None, Query(ge=1, le=5)] = None,
) -> FindingQuery:
    return query_of(
        caller,
        runtime.clock.today(),
        division=division,
        owner=owner,
        check=check,
        state=state,
        overdue=overdue,
        severity=severity,
    )


QueryDep = Annotated[FindingQuery, Needs(finding_query)]


@router.get(f"{BASE}/checks", summary="数据质量检查目录（80条和村级信息）", responses=problems(401, 403, 422))
async def get_checks(caller: Doubter) -> Checks:
    return Checks(items=view_checks())


@router.get(
    f"{BASE}/findings",
    summary="疑点清单；也可导出为 CSV、XLSX 台账（须注明用途，留痕）",
    response_model=Page[FindingView],
    responses={**AS_FILE, **problems(401, 403, 422)},
)
async def get_findings(
    caller: Doubter,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    query: QueryDep,
    cursor: Cursor = None,
    limit: Limit = 50,
    format_: Annotated[Format, Query(alias="format", description="csv、xlsx：全部，一个文件，姓名隐去")] = "json",
    purpose: Annotated[ShortText | None, Query(description="导出的用途")] = None,
) -> Page[FindingView] | StreamingResponse:
    after = _after(cursor)
    if format_ == "json":
        return await list_findings(connection, query, caller, runtime, after=after, limit=limit)
    ledger = await order_findings(
        connection, query, caller, runtime, format_=format_, purpose=purpose, request_id=context.request_id
    )
    name = {"Content-Disposition": f'attachment; filename="findings.{format_}"'}
    return StreamingResponse(write_findings(ledger, format_, runtime), media_type=MEDIA[format_], headers=name)


@router.post(
    f"{BASE}/findings/{{finding_id}}/accept",
    summary="说明情况属实：关闭疑点，直到数据变化",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_acceptance(
    finding_id: UUID,
    body: Annotated[Acceptance, Body()],
    caller: Closer,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
) -> FindingView:
    return await accept_finding(connection, finding_id, body.reason, caller, runtime, request_id=context.request_id)


@router.get(f"{BASE}/counts", summary="疑点数：按下级区划、整改单位和检查", responses=problems(401, 403, 422))
async def get_counts(
    caller: Doubter,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: Annotated[DivisionStr | None, Query(description="缺省为本人区划")] = None,
) -> FindingCounts:
    return await count_findings(connection, caller, division or caller.division, runtime)


@router.post(
    f"{BASE}/runs", summary="检查一个区划的全部农户", status_code=202, responses=problems(401, 403, 415, 422)
)
async def post_quality_run(
    body: QualityRunRequest,
    caller: Rescreener,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> QualityRunView:
    view = await order_quality_run(connection, body.division, body.reason, caller, runtime, context.request_id)
    wake("quality_ranges")
    return view


@router.get(f"{BASE}/runs/{{run_id}}", summary="检查的进度", responses=problems(401, 403, 404, 422))
async def get_quality_run(run_id: UUID, caller: Rescreener, connection: ScopedConnection) -> QualityRunView:
    return await quality_run(connection, run_id)


@router.post(f"{BASE}/villages", summary="填报村级信息，并即时检查", responses=problems(401, 403, 415, 422))
async def post_village(
    body: Annotated[VillageFigures, Body()],
    caller: Registrar,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
) -> VillageFiguresTaken:
    return await record_village(connection, body, caller, runtime, context.request_id)


def _after(cursor: str | None) -> UUID | None:
    position = decode_cursor(cursor, after=str)
    try:
        return UUID(position["after"]) if position else None
    except ValueError:
        raise CursorRefused from None
