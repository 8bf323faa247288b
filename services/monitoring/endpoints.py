"""The HTTP surface of monitoring: one short function per operation; the work is in the verbs."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends, Path, Query
from pydantic import AwareDatetime

from services.monitoring.caution_removal import caution_removal
from services.monitoring.explain_assessment import explain_assessment
from services.monitoring.list_unmatched import list_unmatched
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.read_household import find_household
from services.monitoring.read_register import view_register_history, view_registered_household
from services.monitoring.record_decision import DecisionOrder, record_decision
from services.monitoring.rescreen import (
    RescreenStatus,
    cancel_rescreen,
    order_rescreen,
    rescreen_status,
    resume_rescreen,
)
from services.monitoring.schemas import (
    AssessmentView,
    DecisionEntry,
    DecisionRequest,
    HouseholdView,
    RescreenRequest,
    RescreenView,
    SearchAnswer,
    SearchRequest,
    UnmatchedView,
)
from services.monitoring.schemas_register import RegisterHistory
from services.monitoring.search_person import search_person
from shared.runtime import Runtime
from shared.security.audit import audit, post_of
from shared.security.principal import Principal
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.page import Cursor, Limit, Page, decode_cursor
from shared.web.problem import problems
from shared.web.routing import Router

Reader = Annotated[Principal, Depends(require("monitoring:read"))]
Decider = Annotated[Principal, Depends(require("monitoring:decide"))]
Rescreener = Annotated[Principal, Depends(require("monitoring:rescreen"))]

HouseholdNo = Annotated[str, Path(max_length=60, pattern=r"^[^\x00/]+$", examples=["F130624001"])]

router = Router(tags=["monitoring"])


@dataclass(frozen=True, slots=True)
class HouseholdRead:
    """Who reads of which household; what was shown leaves one audit row."""

    household_no: str
    caller: Principal
    connection: asyncpg.Connection
    runtime: Runtime
    request_id: str

    async def note(self, action: str, **asked: object) -> None:
        detail = {name: str(value) for name, value in asked.items() if value is not None}
        await audit(
            self.connection,
            self.caller,
            action,
            f"household:{self.household_no}",
            now=self.runtime.clock.now(),
            request_id=self.request_id,
            detail={**detail, **post_of(self.caller)},
        )


async def household_read(
    household_no: HouseholdNo, caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> HouseholdRead:
    return HouseholdRead(household_no, caller, connection, runtime, context.request_id)


ReadDep = Annotated[HouseholdRead, Depends(household_read)]


@router.post(
    "/monitoring/v1/households/search",
    summary="按身份证号，或姓名与区划查找农户（须注明用途，留痕）",
    responses=problems(401, 403, 415, 422),
)
async def post_household_search(
    body: SearchRequest, caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> SearchAnswer:
    items = await search_person(connection, body, caller, runtime, request_id=context.request_id)
    return SearchAnswer(items=items)


@router.get("/monitoring/v1/households/{household_no}", summary="农户及成员", responses=problems(401, 403, 404, 422))
async def get_household(read: ReadDep) -> HouseholdView:
    view = await view_registered_household(read.connection, read.household_no, read.caller, read.runtime)
    await read.note("household.read")
    return view


@router.get(
    "/monitoring/v1/households/{household_no}/assessment",
    summary="评估结果及其依据",
    responses=problems(401, 403, 404, 422),
)
async def get_assessment(
    read: ReadDep,
    as_of: Annotated[date | None, Query(description="按这一天重新推算")] = None,
    known_at: Annotated[AwareDatetime | None, Query(description="只用这一时刻已掌握的信息（含时区）")] = None,
) -> AssessmentView:
    view = await explain_assessment(
        read.connection, read.household_no, read.caller, read.runtime, as_of=as_of, known_at=known_at
    )
    await read.note("assessment.read", as_of=as_of, known_at=known_at)
    return view


@router.get(
    "/monitoring/v1/households/{household_no}/history",
    summary="评估、核实、决定与花名册的历史",
    responses=problems(401, 403, 404, 422),
)
async def get_history(read: ReadDep) -> RegisterHistory:
    view = await view_register_history(read.connection, read.household_no, read.caller, read.runtime)
    await read.note("history.read")
    return view


@router.post(
    "/monitoring/v1/households/{household_no}/decisions",
    summary="作出纳入、变更或消除决定（仅限县级管理员本人）",
    status_code=201,
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_decision(
    household_no: HouseholdNo,
    body: DecisionRequest,
    caller: Decider,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> DecisionEntry:
    county = (await find_household(connection, household_no))["county"]
    package = (await policy_in_force(connection, county, body.decided_on)).package
    blockers = []
    if body.listed_as is None:
        blockers = await caution_removal(connection, household_no, caller, package, runtime)
    decision = await record_decision(
        connection,
        household_no,
        DecisionOrder(**body.model_dump()),
        caller,
        package=package,
        blockers=blockers,
        now=runtime.clock.now(),
        today=runtime.clock.today(),
        request_id=context.request_id,
    )
    wake("assess")
    return DecisionEntry(**{name: decision[name] for name in DecisionEntry.model_fields})


@router.post(
    "/monitoring/v1/rescreens", summary="对一个区划重新筛查", status_code=202, responses=problems(401, 403, 415, 422)
)
async def post_rescreen(
    body: RescreenRequest,
    caller: Rescreener,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> RescreenView:
    status = await order_rescreen(
        connection, body.division, body.reason, caller, now=runtime.clock.now(), request_id=context.request_id
    )
    wake("assess_ranges")
    return _rescreen(status)


@router.get(
    "/monitoring/v1/rescreens/{rescreen_id}", summary="重新筛查的进度", responses=problems(401, 403, 404, 422)
)
async def get_rescreen(rescreen_id: UUID, caller: Rescreener, connection: ScopedConnection) -> RescreenView:
    return _rescreen(await rescreen_status(connection, rescreen_id))


@router.post(
    "/monitoring/v1/rescreens/{rescreen_id}/cancel",
    summary="取消重新筛查（已评估的保留）",
    responses=problems(401, 403, 404, 409, 422),
)
async def post_rescreen_cancel(
    rescreen_id: UUID, caller: Rescreener, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> RescreenView:
    return _rescreen(
        await cancel_rescreen(connection, rescreen_id, caller, now=runtime.clock.now(), request_id=context.request_id)
    )


@router.post(
    "/monitoring/v1/rescreens/{rescreen_id}/resume",
    summary="继续已取消的重新筛查（已评估的不再评估）",
    responses=problems(401, 403, 404, 409, 422),
)
async def post_rescreen_resume(
    rescreen_id: UUID,
    caller: Rescreener,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> RescreenView:
    status = await resume_rescreen(
        connection, rescreen_id, caller, now=runtime.clock.now(), request_id=context.request_id
    )
    wake("assess_ranges")
    return _rescreen(status)


@router.get("/monitoring/v1/unmatched", summary="未匹配到农户的数据", responses=problems(401, 403, 422))
async def get_unmatched(
    caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[UnmatchedView]:
    position = decode_cursor(cursor, after=int)
    after = position["after"] if position else 0
    return await list_unmatched(connection, caller, runtime.clock.now(), after=after, limit=limit)


def _rescreen(status: RescreenStatus) -> RescreenView:
    return RescreenView(
        rescreen_id=status.rescreen_id,
        division=status.division,
        reason=status.reason,
        requested_at=status.requested_at,
        households=status.households,
        remaining=status.remaining,
        changed=status.changed,
        told=status.told,
        state=status.state,
    )
