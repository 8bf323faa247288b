"""The HTTP surface of intake: one short function per operation; the work is in the verbs."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.intake import repository_feeds as feeds
from services.intake import repository_reports as reports
from services.intake.answer_feed import answer_feed
from services.intake.catalogue import layout_for, layouts_for, owner_of, refresh_catalogue
from services.intake.confirm_feed import FeedUnknown, confirm_feed
from services.intake.department import for_department
from services.intake.direct_route import DirectRoute
from services.intake.domain.feed import FeedMode, FeedStatus
from services.intake.domain.file_options import FileOptions, Unknown
from services.intake.export_errors import export_errors
from services.intake.export_original import Rows, export_original, open_original
from services.intake.freshness import freshness
from services.intake.prepare_report import Submission
from services.intake.receive_feed import FeedOrder, media_type_of, receive_feed
from services.intake.replay_feed import replay_feed
from services.intake.report_view import view_report
from services.intake.repository_original import raw_file
from services.intake.schemas import (
    FeedReceived,
    FeedSettled,
    FeedView,
    FreshnessItem,
    LayoutSummary,
    LayoutView,
    RowErrorView,
    SelfReportCreate,
    SelfReportReceived,
    SelfReportView,
)
from services.intake.submit_self_report import submit_self_report
from shared.errors import NotFound
from shared.security.audit import audit, post_of
from shared.security.principal import Principal
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.idempotency import idempotency_key
from shared.web.page import Cursor, Limit, Page, before_id, decode_cursor, encode_cursor, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr
from shared.web.spreadsheet import CSV, XLSX

ReportWriter = Annotated[Principal, Depends(require("intake:reports:write"))]
ReportReader = Annotated[Principal, Depends(require("intake:reports:read"))]
FeedWriter = Annotated[Principal, Depends(for_department("intake:feeds:write"))]
FeedReader = Annotated[Principal, Depends(for_department("intake:feeds:read"))]
LayoutName = Annotated[str, Query(pattern="^[a-z][a-z0-9_]{0,60}$", examples=["medical_settlement"])]

ErrorFormat = Annotated[
    Literal["json", "csv", "original"] | None,
    Query(alias="format", description="csv：全部错误，一个文件；original：原文件加“错误说明”一列，限报送部门下载"),
]

FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "CSV、TSV（UTF-8、GB18030 或 UTF-16，列名在前 10 行内）、XLSX（至多 64 MiB）、"
        "UTF-8 的 NDJSON（每行一个对象）或 JSON 数组；文本可用 gzip 压缩（至多 512 MiB，解压后至多 2 GiB）",
        "content": {
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
            "text/tab-separated-values": {"schema": {"type": "string", "format": "binary"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
            "application/gzip": {"schema": {"type": "string", "format": "binary"}},
            "application/x-ndjson": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
        },
    }
}
PREFER_HEADER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "wait 或 wait=秒数 (至多 30)：1,000 行以内的 JSON 或 NDJSON 在同一次应答中给出结果和逐行错误",
    "example": "wait=10",
    "schema": {"type": "string", "maxLength": 100},
}
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "每份申报一个随机值，重试时不变",
    "example": "7f0c5a52-3d1e-4b8e-9a55-1c2f3d4e5f60",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
LOCATION = {"Location": {"description": "查询进度的地址", "schema": {"type": "string"}}}
REPLAY = {"Idempotent-Replay": {"description": "true：这份申报此前已收到", "schema": {"type": "string"}}}

router = Router()
hot_router = APIRouter(route_class=DirectRoute)


class ReportUnknown(NotFound):
    code, title = "report_unknown", "没有这份申报"


@hot_router.post(
    "/intake/v1/self-reports",
    status_code=202,
    tags=["self-reports"],
    summary="农户自主申报",
    response_model=SelfReportReceived,
    responses={202: {"headers": LOCATION | REPLAY}, **problems(401, 403, 409, 415, 422, 429)},
    openapi_extra={"parameters": [KEY_HEADER]},
)
async def post_self_report(body: SelfReportCreate, request: Request, caller: ReportWriter) -> Response:
    """收下申报并立即转监测；同一幂等键或同一内容再次提交，返回第一次的编号。"""
    state, context = request.app.state, request.state.context
    key = idempotency_key(request.headers.getlist("idempotency-key"))
    address = request.client.host if request.client else ""
    submission = Submission(body.as_report(), caller, key, body.model_dump_json().encode(), context, address)
    done = await submit_self_report(state.runtime, state.villages, state.desk, submission)
    headers = {"Location": f"/intake/v1/self-reports/{done.report_id}"}
    if done.replayed:
        headers["Idempotent-Replay"] = "true"
    code = "null" if done.receipt_code is None else f'"{done.receipt_code}"'
    answer = f'{{"id":"{done.report_id}","status":"received","receipt_code":{code}}}'
    return Response(answer, 202, headers, "application/json")


@router.get(
    "/intake/v1/self-reports/{report_id}",
    tags=["self-reports"],
    summary="申报进度",
    responses=problems(401, 403, 404, 422),
)
async def get_self_report(
    report_id: UUID, caller: ReportReader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> SelfReportView:
    """申报到了哪一步；不在本人范围内的与不存在的一样。"""
    row = await reports.report_by_id(connection, report_id)
    if row is None:
        raise ReportUnknown
    await audit(
        connection,
        caller,
        "self_report.read",
        f"report:{report_id}",
        now=runtime.clock.now(),
        request_id=context.request_id,
        detail=post_of(caller),
    )
    return view_report(row, caller, runtime.keys)


@router.post(
    "/intake/v1/feeds",
    status_code=202,
    tags=["feeds"],
    summary="报送部门数据文件",
    responses={
        202: {"headers": LOCATION},
        200: {"model": FeedSettled | FeedReceived, "description": "等到了结果；或同一文件此前已接收"},
        **problems(400, 401, 403, 404, 413, 415, 422),
    },
    openapi_extra={**FILE_BODY, "parameters": [PREFER_HEADER]},
)
async def post_feed(
    request: Request,
    response: Response,
    caller: FeedWriter,
    runtime: RuntimeDep,
    context: ContextDep,
    layout: LayoutName,
    mode: FeedMode = FeedMode.PARTIAL,
    period: Annotated[str, Query(max_length=10, description="年、年-月或年-月-日", examples=["2026-01"])] = "",
    division: Annotated[DivisionStr | None, Query(description="数据所属区划；默认为本人区划")] = None,
    unknown: Annotated[
        Unknown, Query(description="不认识的列：ignore 忽略并列出，reject 整个文件退回")
    ] = Unknown.IGNORE,
    sheet: Annotated[str, Query(max_length=31, description="XLSX 的工作表名；默认为有本数据集表头的那一张")] = "",
) -> FeedReceived | FeedSettled:
    """收下文件，稍后逐行检查；同一文件再次报送不会重复处理。"""
    media_type = media_type_of(request.headers.get("content-type"), request.headers.get("content-encoding"))
    options = FileOptions(unknown, sheet)
    await refresh_catalogue(runtime.worker_pool)
    order = FeedOrder(
        layout_for(caller.division, layout), division or caller.division, period, mode, media_type, options
    )
    received = await receive_feed(runtime, caller, order, request.stream(), traceparent=context.traceparent)
    response.headers["Location"] = f"/intake/v1/feeds/{received.feed_id}"
    settled = await answer_feed(runtime, caller, received, request.headers.getlist("prefer"))
    if settled is not None:
        response.headers["Preference-Applied"] = "wait"
        response.status_code = 200
        return settled
    response.status_code = 202 if received.fresh else 200
    return FeedReceived(id=received.feed_id, repeated=not received.fresh)


@router.get("/intake/v1/feeds", tags=["feeds"], summary="报送批次列表", responses=problems(401, 403, 422))
async def get_feeds(
    caller: FeedReader,
    connection: ScopedConnection,
    layout: LayoutName | None = None,
    status: FeedStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[FeedView]:
    """本人范围内的批次，新的在前。"""
    rows = await feeds.list_feeds(
        connection,
        department=caller.department,
        layout=layout,
        status=status,
        before=before_id(cursor),
        limit=limit + 1,
    )
    more = next_cursor(rows, limit, before="feed_id")
    return Page(items=[FeedView.of(row) for row in rows[:limit]], next_cursor=more)


@router.get(
    "/intake/v1/feeds/{feed_id}", tags=["feeds"], summary="批次进度与结果", responses=problems(401, 403, 404, 422)
)
async def get_feed(feed_id: UUID, caller: FeedReader, connection: ScopedConnection, runtime: RuntimeDep) -> FeedView:
    """进度、计数、映射与规范化说明。"""
    row = await feeds.feed_by_id(connection, feed_id, caller.department)
    if row is None:
        raise FeedUnknown
    return FeedView.of(row, runtime.clock.now())


@router.get(
    "/intake/v1/feeds/{feed_id}/errors",
    tags=["feeds"],
    summary="逐行错误",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string"}}}},
        **problems(401, 403, 404, 409, 410, 422),
    },
)
async def get_feed_errors(
    feed_id: UUID,
    caller: FeedReader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    format_: ErrorFormat = None,
    rows_: Annotated[Rows, Query(alias="rows", description="original 中的行：bad 有问题的，all 全部")] = Rows.BAD,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[RowErrorView]:
    """按行号列出错误与提示：行、列、代码、原因、应为、示例。"""
    if await feeds.feed_by_id(connection, feed_id, caller.department) is None:
        raise FeedUnknown
    if format_ == "original":
        feed = await raw_file(connection, feed_id, caller.department)
        original = await open_original(connection, runtime, caller, feed, rows_)
        kind = "xlsx" if original.is_workbook else "csv"
        return _download(export_original(original), f"feed-{feed_id}-mend.{kind}", kind)  # type: ignore[return-value]
    if format_ == "csv" or (format_ is None and accept.startswith("text/csv")):
        name = f"feed-{feed_id}-errors.csv"
        return _download(export_errors(runtime, caller.division, feed_id), name, "csv")  # type: ignore[return-value]
    at = decode_cursor(cursor, line=int, error=int) or {"line": 0, "error": 0}
    rows = await feeds.row_errors(connection, feed_id, after=(at["line"], at["error"]), limit=limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    more = encode_cursor({"line": last["line"], "error": last["error_id"]}) if last else None
    return Page(items=[RowErrorView.of(row) for row in rows[:limit]], next_cursor=more)


@router.post(
    "/intake/v1/feeds/{feed_id}/confirm",
    status_code=202,
    tags=["feeds"],
    summary="确认等待中的全量清单",
    responses=problems(401, 403, 404, 409, 422),
)
async def post_feed_confirmation(
    feed_id: UUID, caller: FeedWriter, connection: ScopedConnection, runtime: RuntimeDep, wake: WakeDep
) -> FeedView:
    """清单会结束过多记录时须由人确认后才继续。"""
    await confirm_feed(connection, caller, feed_id, now=runtime.clock.now())
    wake("ingest")
    return FeedView.of(await feeds.feed_by_id(connection, feed_id, caller.department))


@router.post(
    "/intake/v1/feeds/{feed_id}/replay",
    status_code=202,
    tags=["feeds"],
    summary="按最新版式重放原始文件",
    responses={
        202: {"headers": LOCATION},
        200: {"model": FeedReceived, "description": "按同一版式已处理过"},
        **problems(401, 403, 404, 409, 422),
    },
)
async def post_replay(
    feed_id: UUID,
    response: Response,
    caller: FeedWriter,
    runtime: RuntimeDep,
    context: ContextDep,
    mode: FeedMode = FeedMode.DRY_RUN,
) -> FeedReceived:
    """版式更新后，用保存期内的原始文件重新处理；内容相同的行不变。"""
    await refresh_catalogue(runtime.worker_pool)
    received = await replay_feed(runtime, caller, feed_id, mode, traceparent=context.traceparent)
    response.headers["Location"] = f"/intake/v1/feeds/{received.feed_id}"
    response.status_code = 202 if received.fresh else 200
    return FeedReceived(id=received.feed_id, repeated=not received.fresh)


@router.get("/intake/v1/layouts", tags=["layouts"], summary="数据集目录", responses=problems(401, 403, 422))
async def get_layouts(caller: FeedReader, runtime: RuntimeDep) -> list[LayoutSummary]:
    """各部门数据集：报送频率、用途、依据、保存期限；自定义的只列本区划的。"""
    await refresh_catalogue(runtime.worker_pool)
    known = layouts_for(caller.division).values()
    return [LayoutSummary.of(layout, owner_of(layout.name)) for layout in known]


@router.get(
    "/intake/v1/layouts/{name}", tags=["layouts"], summary="数据集版式", responses=problems(401, 403, 404, 422)
)
async def get_layout(name: str, caller: FeedReader, runtime: RuntimeDep) -> LayoutView:
    """列名、同义列名、类型、单位、代码表与规则。"""
    await refresh_catalogue(runtime.worker_pool)
    return LayoutView.whole(layout_for(caller.division, name), owner_of(name))


@router.get("/intake/v1/freshness", tags=["feeds"], summary="数据新鲜度", responses=problems(401, 403, 422))
async def get_freshness(caller: FeedReader, connection: ScopedConnection, runtime: RuntimeDep) -> list[FreshnessItem]:
    """各数据集、各区划最新到哪一天，哪些逾期未报。"""
    return await freshness(connection, caller, layouts_for(caller.division).values(), runtime.clock.today())


def _download(pieces: Any, name: str, kind: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type=XLSX if kind == "xlsx" else CSV, headers=headers)
