"""Policies over HTTP: what is in force, changes, comparison, approval, publication."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from services.monitoring.approve_policy import approve_policy
from services.monitoring.change_parameters import Proposal, change_parameters, check_changes
from services.monitoring.compare_policies import (
    ComparisonOrder,
    cancel_comparison,
    find_comparison,
    order_comparison,
)
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.publish_policy import PublicationOrder, publish_policy
from services.monitoring.read_change_rows import read_rows
from services.monitoring.read_comparison import FIGURES, SIDES, ListFilter, list_compared, view_comparison
from services.monitoring.read_policies import (
    IN_FORCE,
    diff_policies,
    division_of,
    list_policies,
    view_policy,
    view_rows,
)
from services.monitoring.schemas_policies import (
    ChangesView,
    ComparedHousehold,
    CompareRequest,
    ComparisonView,
    DiffView,
    PolicyDetail,
    PolicyListView,
    PublishRequest,
    State,
    WithdrawRequest,
)
from services.monitoring.withdraw_policy import withdraw_policy
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.terms import Cause, Severity
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.page import Cursor, Limit, Page, before_id, decode_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr
from shared.web.spreadsheet import XLSX

router = Router(tags=["policies"])

Reader = Annotated[Principal, Depends(require("monitoring:read"))]
PolicyMaker = Annotated[Principal, Depends(require("monitoring:policy"))]
Version = Annotated[
    str,
    Path(max_length=200, pattern=r"^[A-Za-z0-9_.+~-]+$", examples=["in_force"], description="版本；in_force 为现行"),
]
ForDivision = Annotated[DivisionStr | None, Query(description="哪个县、市、省；默认为您的区划")]
CHANGES_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "JSON 列表，或 CSV（UTF-8 或 GB18030）、XLSX（第一张工作表）：参数、取值、生效日期、文号",
        "content": {
            "application/json": {
                "schema": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["name", "value", "from", "document_no"],
                        "additionalProperties": False,
                        "properties": {
                            "name": {"type": "string"},
                            "value": {},
                            "from": {"type": "string", "format": "date"},
                            "document_no": {"type": "string", "minLength": 1, "maxLength": 100},
                        },
                    },
                },
                "example": [
                    {
                        "name": "monitoring_line",
                        "value": "9800.00",
                        "from": "2027-01-01",
                        "document_no": "阜农领〔2026〕3号",
                    }
                ],
            },
            "text/csv": {
                "schema": {"type": "string"},
                "example": "参数,取值,生效日期,文号\nmonitoring_line,9800.00,2027-01-01,阜农领〔2026〕3号\n",
            },
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get("/monitoring/v1/policies", summary="现行政策、草案与历史", responses=problems(401, 403, 422))
async def get_policies(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: ForDivision = None,
    state: Annotated[State | None, Query(description="只看这一状态")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PolicyListView:
    return await list_policies(
        connection,
        division or caller.division,
        today=runtime.clock.today(),
        state=state,
        before=before_id(cursor),
        limit=limit,
    )


@router.post(
    "/monitoring/v1/policies/changes",
    summary="调整参数：每行一个参数，存为草案（dry_run 只检查）",
    status_code=201,
    responses={200: {"model": ChangesView, "description": "dry_run 的检查结果"}, **problems(401, 403, 415, 422)},
    openapi_extra=CHANGES_BODY,
)
async def post_changes(
    request: Request,
    response: Response,
    caller: PolicyMaker,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    division: ForDivision = None,
    dry_run: Annotated[bool, Query(description="true：只检查，逐行列出错误，不保存")] = False,
) -> ChangesView:
    rows = await read_rows(await request.body(), request.headers.get("content-type", ""))
    proposal = Proposal(division or caller.division, rows, caller, context.request_id)
    today = runtime.clock.today()
    version = None if dry_run else await change_parameters(connection, proposal, runtime)
    checked = await check_changes(connection, proposal, today=today)
    package = (await policy_in_force(connection, proposal.division, today)).package
    response.status_code = 200 if dry_run else 201
    return ChangesView(
        division=proposal.division,
        dry_run=dry_run,
        accepted=not any(row.errors for row in checked),
        version=version,
        rows=view_rows(rows, checked, package, proposal.division, today),
    )


@router.get("/monitoring/v1/policies/{version}", summary="一个版本的全部参数", responses=problems(401, 403, 404, 422))
async def get_policy(
    version: Version,
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: ForDivision = None,
) -> PolicyDetail:
    return await view_policy(connection, version, division or caller.division, today=runtime.clock.today())


@router.get(
    "/monitoring/v1/policies/{version}/diff",
    summary="两个版本的差别：逐个参数，以及规则结构",
    responses=problems(401, 403, 404, 422),
)
async def get_diff(
    version: Version,
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    against: Annotated[str, Query(max_length=200, pattern=r"^[A-Za-z0-9_.+ ~-]+$")] = IN_FORCE,
    division: ForDivision = None,
) -> DiffView:
    # A plus sign that was not escaped in a query is read as a space; no version has one.
    against = against.replace(" ", "+")
    place = division or await division_of(connection, version) or caller.division
    return await diff_policies(connection, version, against, place, today=runtime.clock.today())


@router.post(
    "/monitoring/v1/policies/{version}/approve",
    summary="审批草案（须为起草人以外的另一人）",
    responses=problems(401, 403, 404, 409, 422),
)
async def post_approve(
    version: Version, caller: PolicyMaker, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> PolicyDetail:
    await approve_policy(connection, version, caller, runtime, request_id=context.request_id)
    return await view_policy(connection, version, caller.division, today=runtime.clock.today())


@router.post(
    "/monitoring/v1/policies/{version}/withdraw",
    summary="撤回草案（起草人或县级管理员；发布以后不能撤回）",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_withdraw(
    version: Version,
    body: WithdrawRequest,
    caller: PolicyMaker,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
) -> PolicyDetail:
    await withdraw_policy(connection, version, body.reason, caller, runtime, request_id=context.request_id)
    return await view_policy(connection, version, caller.division, today=runtime.clock.today())


@router.post(
    "/monitoring/v1/policies/{version}/publish",
    summary="发布：算例通过、看过工作量、经第二人审批；超过承受能力须说明理由",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_publish(
    version: Version,
    body: PublishRequest,
    caller: PolicyMaker,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> PolicyDetail:
    order = PublicationOrder(body.activates_on, body.capacity_reason)
    await publish_policy(connection, version, order, caller, runtime, request_id=context.request_id)
    wake("policies")
    return await view_policy(connection, version, caller.division, today=runtime.clock.today())


@router.post(
    "/monitoring/v1/policies/{version}/compare",
    summary="试算：该版本与现行政策在一个区划上的差别与工作量",
    status_code=202,
    responses={200: {"model": ComparisonView, "description": "小区域当场算完"}, **problems(401, 403, 404, 415, 422)},
)
async def post_compare(
    version: Version,
    body: CompareRequest,
    response: Response,
    caller: PolicyMaker,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> ComparisonView:
    today = runtime.clock.today()
    place = body.division or await division_of(connection, version) or caller.division
    order = ComparisonOrder(version, body.against, place, body.on or today)
    comparison = await order_comparison(connection, order, caller, runtime, request_id=context.request_id)
    response.status_code = 202 if comparison["state"] == "running" else 200
    wake("compare")
    return await view_comparison(comparison, runtime, today)


@router.get(
    "/monitoring/v1/policies/{version}/comparisons/{comparison_id}",
    summary="试算的进度与结果",
    responses=problems(401, 403, 404, 422),
)
async def get_comparison(
    version: Version, comparison_id: UUID, caller: PolicyMaker, connection: ScopedConnection, runtime: RuntimeDep
) -> ComparisonView:
    comparison = await find_comparison(connection, version, comparison_id)
    return await view_comparison(comparison, runtime, runtime.clock.today())


@router.post(
    "/monitoring/v1/policies/{version}/comparisons/{comparison_id}/cancel",
    summary="停止试算",
    responses=problems(401, 403, 404, 409, 422),
)
async def post_cancel(
    version: Version,
    comparison_id: UUID,
    caller: PolicyMaker,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
) -> ComparisonView:
    found = await cancel_comparison(
        connection, version, comparison_id, caller, runtime, request_id=context.request_id
    )
    return await view_comparison(found, runtime, runtime.clock.today())


@router.get(
    "/monitoring/v1/policies/{version}/comparisons/{comparison_id}/households",
    summary="试算中一个数字背后的农户名单",
    responses=problems(401, 403, 404, 422),
)
async def get_compared_households(
    version: Version,
    comparison_id: UUID,
    caller: PolicyMaker,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    division: Annotated[DivisionStr | None, Query(description="居住地在此区划（含下级）")] = None,
    figure: Annotated[Literal[tuple(FIGURES)] | None, Query(description="区划表中的哪个数字")] = None,  # type: ignore[valid-type]
    class_: Annotated[str | None, Query(alias="class", max_length=60, pattern=r"^[a-z_]+$")] = None,
    severity: Annotated[Severity | Literal["none"] | None, Query()] = None,
    cause: Annotated[Cause | None, Query()] = None,
    indicator: Annotated[list[str] | None, Query(max_length=5, description="可重复：同时触发")] = None,
    side: Annotated[Literal[SIDES], Query(description="现行、草案、新增、退出")] = "after",  # type: ignore[valid-type]
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ComparedHousehold]:
    position = decode_cursor(cursor, after=int)
    comparison = await find_comparison(connection, version, comparison_id)
    wanted = ListFilter(division, figure, class_, severity, cause, tuple(indicator or ()), side)
    page = await list_compared(
        connection, comparison, wanted, runtime, after=position["after"] if position else 0, limit=limit
    )
    await audit(
        connection,
        caller,
        "policy.compare.list",
        f"policy:{version}",
        now=runtime.clock.now(),
        request_id=context.request_id,
        detail={"comparison_id": str(comparison_id), "households": len(page.items)},
    )
    return page
