"""The HTTP surface of monitoring: one short function per operation; the work is in the verbs."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
from fastapi import Depends, Path, Query
from pydantic import AwareDatetime

from services.monitoring.domain.policy import load_policy
from services.monitoring.explain_assessment import explain_assessment
from services.monitoring.list_unmatched import list_unmatched
from services.monitoring.read_household import list_households, view_history, view_household
from services.monitoring.record_decision import DecisionOrder, record_decision
from services.monitoring.rescreen import RescreenStatus, order_rescreen, rescreen_status
from services.monitoring.schemas import (
    AssessmentView,
    DashboardSummary,
    DecisionEntry,
    DecisionRequest,
    HistoryView,
    HouseholdSummary,
    HouseholdView,
    PrecisionView,
    RescreenRequest,
    RescreenView,
    SearchAnswer,
    SearchRequest,
    UnmatchedView,
)
from services.monitoring.search_person import search_person
from services.monitoring.summarise import measure_precision, summarise
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.terms import Outcome, Severity
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.page import Cursor, Limit, Page, decode_cursor
from shared.web.problem import problems
from shared.web.routing import Router
from shared.web.schema import DivisionStr

Reader = Annotated[Principal, Depends(require("monitoring:read"))]
Decider = Annotated[Principal, Depends(require("monitoring:decide"))]
Rescreener = Annotated[Principal, Depends(require("monitoring:rescreen"))]

HouseholdNo = Annotated[str, Path(max_length=60, pattern=r"^[^\x00/]+$", examples=["F130624001"])]
LivesIn = Annotated[DivisionStr | None, Query(description="居住地在此区划（含下级）")]
ClassCode = Annotated[str | None, Query(max_length=60, pattern=r"^[a-z_]+$", description="类别代码；none 表示无")]
SeverityCode = Annotated[Severity | Literal["none"] | None, Query(description="预警等级；none 表示无")]
OutcomeCode = Annotated[Outcome | Literal["none"] | None, Query(description="最近一次核实结果；none 表示未核实")]

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
            detail=detail,
        )


async def household_read(
    household_no: HouseholdNo, caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> HouseholdRead:
    return HouseholdRead(household_no, caller, connection, runtime, context.request_id)


ReadDep = Annotated[HouseholdRead, Depends(household_read)]


@router.get("/monitoring/v1/households", summary="农户列表", responses=problems(401, 403, 422))
async def get_households(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: LivesIn = None,
    recommendation: ClassCode = None,
    listed_as: ClassCode = None,
    severity: SeverityCode = None,
    last_outcome: OutcomeCode = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[HouseholdSummary]:
    position = decode_cursor(cursor, after=int)
    filters = {
        "recommendation": recommendation,
        "listed_as": listed_as,
        "severity": severity,
        "last_outcome": last_outcome,
    }
    return await list_households(
        connection,
        caller,
        runtime,
        division=division,
        filters=filters,
        after=position["after"] if position else None,
        limit=limit,
    )


@router.post(
    "/monitoring/v1/households/search",
    summary="按身份证号查找农户（须注明用途，留痕）",
    responses=problems(401, 403, 415, 422),
)
async def post_household_search(
    body: SearchRequest, caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> SearchAnswer:
    items = await search_person(
        connection, body.identity_number, caller, runtime, purpose=body.purpose, request_id=context.request_id
    )
    return SearchAnswer(items=items)


@router.get("/monitoring/v1/households/{household_no}", summary="农户及成员", responses=problems(401, 403, 404, 422))
async def get_household(read: ReadDep) -> HouseholdView:
    view = await view_household(read.connection, read.household_no, read.caller, read.runtime)
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
    summary="评估、核实与决定的历史",
    responses=problems(401, 403, 404, 422),
)
async def get_history(read: ReadDep) -> HistoryView:
    view = await view_history(read.connection, read.household_no, read.caller)
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
    decision = await record_decision(
        connection,
        household_no,
        DecisionOrder(**body.model_dump()),
        caller,
        package=load_policy(),
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
    wake("assess")
    return _rescreen(status)


@router.get(
    "/monitoring/v1/rescreens/{rescreen_id}", summary="重新筛查的进度", responses=problems(401, 403, 404, 422)
)
async def get_rescreen(rescreen_id: UUID, caller: Rescreener, connection: ScopedConnection) -> RescreenView:
    return _rescreen(await rescreen_status(connection, rescreen_id))


@router.get("/monitoring/v1/dashboard/summary", summary="概况：各类农户数", responses=problems(401, 403, 422))
async def get_summary(
    caller: Reader, connection: ScopedConnection, runtime: RuntimeDep, division: LivesIn = None
) -> DashboardSummary:
    return await summarise(connection, division or caller.division, caller, load_policy(), runtime)


@router.get("/monitoring/v1/dashboard/precision", summary="各指标的核实准确率", responses=problems(401, 403, 422))
async def get_precision(caller: Reader, connection: ScopedConnection) -> PrecisionView:
    return await measure_precision(connection, load_policy())


@router.get("/monitoring/v1/unmatched", summary="未匹配到农户的数据", responses=problems(401, 403, 422))
async def get_unmatched(
    caller: Reader, connection: ScopedConnection, cursor: Cursor = None, limit: Limit = 50
) -> Page[UnmatchedView]:
    position = decode_cursor(cursor, after=int)
    return await list_unmatched(connection, after=position["after"] if position else 0, limit=limit)


def _rescreen(status: RescreenStatus) -> RescreenView:
    return RescreenView(
        rescreen_id=status.rescreen_id,
        division=status.division,
        reason=status.reason,
        requested_at=status.requested_at,
        households=status.households,
        remaining=status.remaining,
        state="running" if status.remaining else "finished",
    )
