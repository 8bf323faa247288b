"""The HTTP surface of what stands behind an answer: offers, second officers, re-checks, bursts."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from services.alerts import repository_answers
from services.alerts.acknowledge_many import acknowledge_many
from services.alerts.answer_handover import HandoverUnknown, Reply, answer_handover
from services.alerts.confirm_verification import SecondOpinion, confirm_verification
from services.alerts.domain.burst import Burst
from services.alerts.domain.handover import HandoverState
from services.alerts.domain.recheck import RecheckState
from services.alerts.endpoints import (
    STEP_PROBLEMS,
    Actor,
    DivisionFilter,
    Reader,
    StepsDep,
    officer_of,
)
from services.alerts.list_bursts import list_bursts
from services.alerts.route_alert import WAKES
from services.alerts.schemas import Place, StepAnswer
from services.alerts.schemas_answers import (
    AcknowledgedMany,
    AcknowledgedView,
    AcknowledgeManyIn,
    BurstView,
    ConfirmationIn,
    HandoverAnswerIn,
    HandoverView,
    RecheckCount,
    RecheckCounts,
    RecheckIn,
    RecheckView,
)
from services.alerts.settle_recheck import Found, RecheckUnknown, settle_recheck
from services.alerts.take_once import take_once
from services.alerts.take_step import Doing, lock_any_version
from services.alerts.view_alert import step_answer
from services.alerts.view_answers import view_burst, view_handovers, view_rechecks
from shared.regions.name_places import name_places
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, WakeDep, require
from shared.web.page import Cursor, Limit, NewestFirst, Page, after_due, decode_cursor, encode_cursor, next_cursor
from shared.web.problem import problems
from shared.web.routing import Router

Supervisor = Annotated[Principal, Depends(require("alerts:supervise"))]
_LIST_PROBLEMS = problems(401, 403, 422)
_DEED_PROBLEMS = problems(401, 403, 404, 409, 415, 422)

router = Router(tags=["answers"])


@router.post(
    "/alerts/v1/alerts/acknowledge", summary="批量签收（最多 200 条）", responses=problems(401, 403, 415, 422)
)
async def post_acknowledgements(
    body: AcknowledgeManyIn,
    caller: Actor,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> AcknowledgedMany:
    now = runtime.clock.now()
    doings = [Doing(one, caller, now, request_id=context.request_id) for one in dict.fromkeys(body.alert_ids)]
    await officer_of(caller)
    done = await acknowledge_many(connection, doings)
    wake(*WAKES)
    return AcknowledgedMany(
        items=[AcknowledgedView(alert_id=d.alert_id, result=d.result, version=d.version) for d in done]
    )


@router.get("/alerts/v1/handovers", summary="移交记录；state=pending 为待接收", responses=_LIST_PROBLEMS)
async def get_handovers(
    caller: Reader,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    newest: NewestFirst,
    division: DivisionFilter = None,
    state: HandoverState | None = None,
    alert_id: UUID | None = None,
    mine: Annotated[bool, Query(description="只看本人移交或接收的")] = False,
) -> Page[HandoverView]:
    lo, hi = code_range(division or caller.division)
    rows = await repository_answers.list_handovers(
        connection,
        lo=lo,
        hi=hi,
        state=state,
        alert_id=alert_id,
        officer_no=await officer_of(caller) if mine else None,
        before=newest.before,
        limit=newest.wanted,
    )
    return newest.page(await view_handovers(newest.shown(rows), caller, runtime), rows, "handover_id")


@router.post("/alerts/v1/handovers/{handover_id}/answer", summary="接收、退回或撤回移交", responses=_DEED_PROBLEMS)
async def post_handover_answer(
    handover_id: UUID,
    body: HandoverAnswerIn,
    caller: Actor,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> StepAnswer:
    offer = await repository_answers.handover_by_id(connection, handover_id)
    if offer is None:
        raise HandoverUnknown
    doing = Doing(offer["alert_id"], caller, runtime.clock.now(), body.version, context.request_id)
    reply = Reply(handover_id, body.answer, body.reason)
    content = ["handover_answer", str(handover_id), body.answer, body.reason]
    taken = await take_once(
        connection, doing, body.id, content, lambda: answer_handover(connection, doing, reply, runtime)
    )
    wake(*WAKES)
    return StepAnswer.model_validate(step_answer(taken))


@router.post(
    "/alerts/v1/alerts/{alert_id}/verification/{verification_id}/confirmation",
    summary="双人复核：同意或退回核实结论",
    responses=STEP_PROBLEMS,
)
async def post_confirmation(verification_id: UUID, body: ConfirmationIn, steps: StepsDep) -> StepAnswer:
    opinion = SecondOpinion(verification_id, body.agrees, body.reason)

    async def act() -> Any:
        return await confirm_verification(steps.connection, steps.doing(body.version), opinion, steps.runtime)

    return await steps.once(f"confirmation:{verification_id}", body, act, id_=body.id)


@router.get("/alerts/v1/rechecks", summary="抽查复核清单，时限近的在前", responses=_LIST_PROBLEMS)
async def get_rechecks(
    caller: Supervisor,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: DivisionFilter = None,
    state: RecheckState | None = None,
    overdue: Annotated[bool, Query(description="只看超期")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[RecheckView]:
    lo, hi = code_range(division or caller.division)
    rows = await repository_answers.list_rechecks(
        connection,
        lo=lo,
        hi=hi,
        state=state,
        overdue_at=runtime.clock.now() if overdue else None,
        after=after_due(cursor),
        limit=limit + 1,
    )
    items = await view_rechecks(rows[:limit], caller, runtime)
    more = next_cursor(rows, limit, due="due_at", id="verification_id")
    return Page(items=items, next_cursor=more)


@router.get("/alerts/v1/rechecks/counts", summary="各乡镇抽查数量与不一致数量", responses=_LIST_PROBLEMS)
async def get_recheck_counts(
    caller: Supervisor, connection: ScopedConnection, runtime: RuntimeDep, division: DivisionFilter = None
) -> RecheckCounts:
    rows = await repository_answers.count_rechecks(connection, *code_range(division or caller.division))
    names = await name_places(runtime.directory_pool, [row["township"] for row in rows], runtime.clock.today())
    return RecheckCounts(
        items=[
            RecheckCount.model_validate(
                {**dict(row), "township": Place(code=row["township"], name=names[row["township"]])}
            )
            for row in rows
        ]
    )


@router.post("/alerts/v1/rechecks/{recheck_id}/result", summary="登记抽查结果", responses=_DEED_PROBLEMS)
async def post_recheck(
    recheck_id: UUID,
    body: RecheckIn,
    caller: Supervisor,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    context: ContextDep,
    wake: WakeDep,
) -> RecheckView:
    recheck = await repository_answers.recheck_by_id(connection, recheck_id)
    if recheck is None:
        raise RecheckUnknown
    doing = Doing(recheck["alert_id"], caller, runtime.clock.now(), None, context.request_id)
    found = Found(recheck_id, body.outcome, body.met_by(doing.officer_no), body.note)

    async def act() -> Any:
        await settle_recheck(connection, doing, found)
        return await lock_any_version(connection, doing)

    content = ["recheck", str(recheck_id), body.model_dump(mode="json", exclude={"id"})]
    await take_once(connection, doing, body.id, content, act)
    wake("rechecks")
    (view,) = await view_rechecks(await repository_answers.rechecks_by_id(connection, recheck_id), caller, runtime)
    return view


@router.get("/alerts/v1/bursts", summary="集中办结与重叠走访（供乡镇了解，不排名）", responses=_LIST_PROBLEMS)
async def get_bursts(
    caller: Supervisor,
    connection: ScopedConnection,
    runtime: RuntimeDep,
    division: DivisionFilter = None,
    days: Annotated[int, Query(ge=1, le=92, description="最近多少天")] = 31,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[BurstView]:
    found = await list_bursts(connection, division or caller.division, days, runtime)
    position = decode_cursor(cursor, ended=int, kind=str, officer_no=str)
    if position is not None:
        last = (position["ended"], position["kind"], position["officer_no"])
        found = [burst for burst in found if _place_of(burst) < last]
    shown = found[:limit]
    more = None
    if len(found) > limit:
        more = encode_cursor(dict(zip(("ended", "kind", "officer_no"), _place_of(shown[-1]), strict=True)))
    return Page(items=[view_burst(burst) for burst in shown], next_cursor=more)


def _place_of(burst: Burst) -> tuple[int, str, str]:
    """Where a burst stands in the list."""
    return int(burst.ended_at.timestamp() * 1_000_000), burst.kind.value, burst.officer_no
