"""Explanations over HTTP: what could be other about a household, and who is near a line."""

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from services.monitoring.endpoints import ReadDep, Reader
from services.monitoring.find_counterfactual import counterfactual_of
from services.monitoring.list_near_misses import list_near_misses
from services.monitoring.schemas_explanations import CounterfactualView, NearMissView
from shared.security.audit import audit
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection
from shared.web.page import Cursor, Limit, Page, decode_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr

router = Router(tags=["monitoring"])

Division = Annotated[DivisionStr | None, Query(description="居住地在此区划（含下级）")]
Percent = Annotated[int | None, Query(ge=0, le=50, description="距界线的百分比；不填按政策包（10）")]
WithinDays = Annotated[
    int | None, Query(ge=0, le=366, description="并列出按今年以来的速度在多少天内将超过预警线的农户")
]


@router.get(
    "/monitoring/v1/households/{household_no}/counterfactual",
    summary="怎样的最小变化会改变结论（仅限乡镇和县级岗位）",
    responses=problems(401, 403, 404, 422),
)
async def get_counterfactual(
    read: ReadDep,
    as_of: Annotated[date | None, Query(description="按这一天重新推算；不填为今天")] = None,
    known_at: Annotated[AwareDatetime | None, Query(description="只用这一时刻已掌握的信息（含时区）")] = None,
) -> CounterfactualView:
    view = await counterfactual_of(
        read.connection, read.household_no, read.caller, read.runtime, as_of=as_of, known_at=known_at
    )
    await read.note("counterfactual.read", as_of=as_of, known_at=known_at)
    return view


@router.get("/monitoring/v1/near-misses", summary="临界农户：接近界线而未越过的", responses=problems(401, 403, 422))
async def get_near_misses(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    division: Division = None,
    percent: Percent = None,
    crossing_within_days: WithinDays = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[NearMissView]:
    position = decode_cursor(cursor, after=int)
    page = await list_near_misses(
        connection,
        caller,
        runtime,
        division=division or caller.division,
        percent=percent,
        within_days=crossing_within_days,
        after=position["after"] if position else 0,
        limit=limit,
    )
    households = [item.household.household_no for item in page.items]
    await audit(
        connection,
        caller,
        "near_misses.read",
        f"division:{division or caller.division}",
        now=runtime.clock.now(),
        request_id=context.request_id,
        detail={"households": households},
    )
    return page
