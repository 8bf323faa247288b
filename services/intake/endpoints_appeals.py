"""The HTTP surface of appeals (申诉), for cadres with a login; a household files its own by its receipt code."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from services.intake import repository_appeals as appeals
from services.intake.decide_appeal import AppealUnknown, decide_appeal
from services.intake.domain.appeal import AppealState
from services.intake.endpoints_reports import ReportReader, ReportWriter, speaker_of
from services.intake.file_appeal import HouseholdAppeal, PersonNeeded, appeal_for_household, appeal_report
from services.intake.say_again import Speaker, note
from services.intake.schemas_reports import AppealCreate, AppealDecision, AppealFiled, AppealView
from services.intake.show_appeal import RIGHT, view_appeal
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.page import Cursor, Limit, Page, before_id, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router

AppealDecider = Annotated[Principal, Depends(require("intake:appeals:decide"))]

router = Router()


@router.post(
    "/intake/v1/appeals",
    status_code=201,
    tags=["appeals"],
    summary="代农户提出申诉",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_appeal(
    body: AppealCreate,
    caller: ReportWriter,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> AppealFiled:
    """对某份申报的答复 (report_id)，或对移出、未纳入名单 (户编号、区划、答复人) 提出；须由干部本人登记。"""
    speaker = speaker_of(caller, context)
    if not caller.is_person:
        raise PersonNeeded
    appeal_id = await _file(connection, runtime, body, speaker)
    filed = await appeals.by_id(connection, appeal_id)
    wake("relay")
    assert filed is not None
    return AppealFiled(id=appeal_id, due_on=filed["due_on"], right=RIGHT)


@router.get("/intake/v1/appeals", tags=["appeals"], summary="申诉列表", responses=problems(401, 403, 422))
async def get_appeals(
    caller: ReportReader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    state: AppealState | None = None,
    overdue: Annotated[bool, Query(description="true：只看超期未裁定的")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[AppealView]:
    """最新的在前。"""
    today = runtime.clock.today()
    rows = await appeals.listed(
        connection,
        state=state,
        overdue_on=today if overdue else None,
        before=before_id(cursor),
        limit=limit + 1,
    )
    items = [view_appeal(row, caller, runtime.keys, today) for row in rows[:limit]]
    following = next_cursor(rows, limit, before="appeal_id")
    return Page(items=items, next_cursor=following)


@router.get(
    "/intake/v1/appeals/{appeal_id}", tags=["appeals"], summary="一件申诉", responses=problems(401, 403, 404, 422)
)
async def get_appeal(
    appeal_id: UUID, caller: ReportReader, connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep
) -> AppealView:
    """不在本人范围内的与不存在的一样。"""
    row = await appeals.by_id(connection, appeal_id)
    if row is None:
        raise AppealUnknown
    await note(connection, runtime, speaker_of(caller, context), "appeal.read", f"appeal:{appeal_id}")
    return view_appeal(row, caller, runtime.keys, runtime.clock.today())


@router.post(
    "/intake/v1/appeals/{appeal_id}/decision",
    tags=["appeals"],
    summary="裁定申诉",
    responses=problems(401, 403, 404, 409, 415, 422),
)
async def post_decision(
    appeal_id: UUID,
    body: AppealDecision,
    caller: AppealDecider,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
) -> AppealView:
    """由未作出原答复、也未重新核实的人裁定；维持原答复须在重新核实之后。"""
    speaker = speaker_of(caller, context)
    row = await decide_appeal(connection, runtime, appeal_id, body.outcome, body.reason, speaker)
    return view_appeal(row, caller, runtime.keys, runtime.clock.today())


async def _file(connection: ScopedConnection, runtime: Runtime, body: AppealCreate, speaker: Speaker) -> UUID:
    if body.report_id is not None:
        return await appeal_report(connection, runtime, body.report_id, body.reason, speaker, body.against)
    assert body.household_no is not None
    assert body.division is not None
    assert body.against is not None
    assert body.answered_by is not None
    appeal = HouseholdAppeal(body.household_no, body.division, body.against, body.answered_by, body.reason)
    return await appeal_for_household(connection, runtime, appeal, speaker)
