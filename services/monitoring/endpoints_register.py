"""The household register over HTTP."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Body, Depends, Query, Request, Response

from services.monitoring.change_household import Order, change_household
from services.monitoring.compare_monitored_list import compare_monitored_list
from services.monitoring.domain.monitored_list import COLUMNS
from services.monitoring.endpoints import HouseholdNo, Reader
from services.monitoring.export_monitored_list import ListQuery, export_monitored_list
from services.monitoring.import_monitored_list import ListOrder, import_monitored_list
from services.monitoring.schemas_register import ChangeRequest, ChangeView, Comparison, ListReveal, MonitoredListTaken
from shared.errors import UnsupportedMedia
from shared.security.principal import Principal
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.idempotency import idempotency_key
from shared.web.page import Cursor, Limit, decode_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr
from shared.web.spreadsheet import CSV, XLSX

Registrar = Annotated[Principal, Depends(require("monitoring:register"))]
KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "每次变更一个随机值，重试时不变",
    "example": "7f0c5a52-3d1e-4b8e-9a55-1c2f3d4e5f60",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
REPLAY = {"Idempotent-Replay": {"description": "true：这次变更此前已办理", "schema": {"type": "string"}}}
LIST = "/monitoring/v1/monitored-list"
LIST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {"type": "string", "format": "binary"},
                "example": "户编号,户主姓名,监测对象类别,识别监测时间,风险是否已消除,致贫/返贫风险1\n"
                "F130624001,测试甲,边缘易致贫户,202603,否,因病\n",
            },
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
AS_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": ",".join(COLUMNS)}}}
}
Which = Annotated[
    Literal["listed", "should_enter", "should_remove", "class_differs"],
    Query(description="本系统在册的，或与国家系统不一致的一类"),
]
Encoding = Annotated[Literal["utf-8", "gb18030"], Query(description="文件编码")]

router = Router(tags=["register"])


@router.post(
    "/monitoring/v1/households/{household_no}/changes",
    summary="花名册变更：迁移、分户、合户、成员变动、标签",
    status_code=201,
    responses={201: {"headers": REPLAY}, **problems(400, 401, 403, 404, 409, 415, 422)},
    openapi_extra={"parameters": [KEY_HEADER]},
)
async def post_change(
    household_no: HouseholdNo,
    body: Annotated[ChangeRequest, Body()],
    request: Request,
    response: Response,
    caller: Registrar,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> ChangeView:
    """从 `on` 之日起生效；此前的记录不改写，可在历史中查到。`notes` 是仍需人办理的事项。"""
    key = idempotency_key(request.headers.getlist("idempotency-key"))
    order = Order(household_no, body, caller, key, context.request_id)
    view, replayed = await change_household(connection, order, runtime)
    if replayed:
        response.headers["Idempotent-Replay"] = "true"
    wake("assess")
    return view


@router.post(
    LIST,
    summary="导入国家系统导出的监测对象名单（CSV，UTF-8 或 GB18030）",
    responses=problems(400, 401, 403, 409, 415, 422),
    openapi_extra=LIST_BODY,
)
async def post_monitored_list(
    request: Request,
    caller: Registrar,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
    division: Annotated[DivisionStr | None, Query(description="名单所属县或县以下区划；缺省为本人区划")] = None,
    as_of: Annotated[date | None, Query(description="名单导出日期；缺省为今天")] = None,
    mode: Annotated[Literal["dry_run", "apply"], Query(description="只检查，或检查后写入")] = "dry_run",
    complete: Annotated[bool, Query(description="该区划的完整名单：不再出现的户视为已不在册")] = False,
    may_end: Annotated[int, Query(ge=0, le=1_000_000, description="完整名单中最多可有多少户不再出现")] = 0,
) -> MonitoredListTaken:
    """名单记在本系统的决定之旁，不改变任何决定；有一行错误则整表不写，错误逐行列出。"""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in ("text/csv", XLSX):
        raise UnsupportedMedia("名单应为 text/csv 或 XLSX")
    place = division or caller.division
    order = ListOrder(place, as_of or runtime.clock.today(), complete, may_end, mode == "apply")
    taken = await import_monitored_list(
        connection,
        await request.body(),
        order,
        caller,
        runtime,
        media_type=kind,
        request_id=context.request_id,
    )
    wake("assess")
    return taken


@router.get(
    f"{LIST}/comparison", summary="名单比对：应纳未纳、应消未消、类别不一致", responses=problems(400, 401, 403, 422)
)
async def get_comparison(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: Annotated[DivisionStr | None, Query(description="居住地在此区划（含下级）；缺省为本人区划")] = None,
    kind: Annotated[
        Literal["should_enter", "should_remove", "class_differs", "not_listed_here", "unknown_here"] | None,
        Query(description="只列这一类"),
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Comparison:
    position = decode_cursor(cursor, after=str)
    return await compare_monitored_list(
        connection,
        caller,
        runtime,
        division=division or caller.division,
        kind=kind,
        after=position["after"] if position else "",
        limit=limit,
    )


@router.get(
    f"{LIST}/export",
    summary="按国家系统的列顺序导出（姓名、证件号码隐去，留痕）",
    response_class=Response,
    responses={**AS_CSV, **problems(401, 403, 422)},
)
async def get_list(
    caller: Registrar,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    division: Annotated[DivisionStr | None, Query(description="居住地在此区划（含下级）；缺省为本人区划")] = None,
    households: Which = "listed",
    encoding: Encoding = "utf-8",
) -> Response:
    query = ListQuery(division or caller.division, households, encoding)
    return _csv(await export_monitored_list(connection, query, caller, runtime, request_id=context.request_id), query)


@router.post(
    f"{LIST}/export",
    summary="按国家系统的列顺序导出，含完整姓名和证件号码（须注明用途，留痕）",
    response_class=Response,
    responses={**AS_CSV, **problems(401, 403, 415, 422)},
)
async def post_list(
    body: ListReveal, caller: Registrar, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> Response:
    query = ListQuery(body.division or caller.division, body.households, body.encoding, body.purpose)
    return _csv(await export_monitored_list(connection, query, caller, runtime, request_id=context.request_id), query)


def _csv(content: bytes, query: ListQuery) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="monitored-{query.division}-{query.households}.csv"'}
    return Response(content, 200, headers, CSV.replace("utf-8", query.encoding))
