"""The monthly comparison of lists over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import Query

from services.monitoring.compare_lists import list_checks, order_comparison
from services.monitoring.endpoints import Reader
from services.monitoring.endpoints_register import Registrar
from services.monitoring.read_list_comparison import list_findings, read_list_comparison
from services.monitoring.schemas_lists import ComparisonOrdered, ListComparisonView, ListFindingView
from shared.db.scope import transaction
from shared.errors import DivisionOutOfRange, FieldError, Unprocessable
from shared.security.audit import audit
from shared.vocabulary.division import DivisionLevel, covers, level_of
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep
from shared.web.page import Cursor, Limit, Page, decode_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr

PATH = "/monitoring/v1/list-comparisons"
Division = Annotated[DivisionStr | None, Query(description="居住地在此区划（含下级）；缺省为本人区划")]
Month = Annotated[
    str | None,
    Query(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$", description="比对月份；缺省为最近一次", examples=["2026-03"]),
]

router = Router(tags=["lists"])


class CheckUnknown(Unprocessable):
    code, title = "check_unknown", "没有这项比对"


@router.get(PATH, summary="名单比对：各项发现数，与上月对照", responses=problems(401, 403, 422))
async def get_list_comparison(
    caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, division: Division = None, month: Month = None
) -> ListComparisonView:
    """每月20日各名单与底册、名单之间的比对：应纳未纳、应退未退、死亡未减、重复。"""
    place = division or caller.division
    return await read_list_comparison(connection, caller, runtime, division=place, month=_first(month))


@router.post(PATH, status_code=202, summary="立即比对", responses=problems(401, 403, 422))
async def post_list_comparison(
    caller: Registrar, runtime: RuntimeDep, context: ContextDep, wake: WakeDep, division: Division = None
) -> ComparisonOrdered:
    """不等到20日，马上比对一次（县级）。"""
    place, now = division or caller.division, runtime.clock.now()
    if not covers(caller.division, place) or level_of(place) < DivisionLevel.COUNTY:
        raise DivisionOutOfRange("请指明您范围内的县或县以下区划")
    async with transaction(runtime.worker_pool) as connection:
        row = await order_comparison(connection, place[:6], caller.subject, today=runtime.clock.today(), now=now)
        await audit(
            connection, caller, "list_comparison.order", f"county:{place[:6]}", now=now, request_id=context.request_id
        )
    wake("compare_lists")
    return ComparisonOrdered(county=row["county"], month=f"{row['month']:%Y-%m}", requested_at=row["requested_at"])


@router.get(f"{PATH}/findings", summary="名单比对：逐户发现", responses=problems(400, 401, 403, 422))
async def get_findings(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    division: Division = None,
    month: Month = None,
    check: Annotated[str | None, Query(pattern="^[a-z_]{1,60}$", examples=["deceased_assisted"])] = None,
    owner: Annotated[str | None, Query(max_length=40, description="由谁核对更正", examples=["民政"])] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ListFindingView]:
    """由谁核对更正、哪一户、哪一人。"""
    if check is not None and check not in list_checks().checks:
        error = FieldError("query/check", "check_unknown", "没有这项比对", "、".join(list_checks().checks))
        raise CheckUnknown("没有这项比对", errors=[error])
    position = decode_cursor(cursor, after=int)
    page = await list_findings(
        connection,
        caller,
        runtime,
        division=division or caller.division,
        month=_first(month),
        check=check,
        owner=owner,
        after=position["after"] if position else 0,
        limit=limit,
    )
    now = runtime.clock.now()
    await audit(connection, caller, "list_finding.read", "list", now=now, request_id=context.request_id)
    return page


def _first(month: str | None) -> date | None:
    return date.fromisoformat(f"{month}-01") if month else None
