"""The HTTP surface of departments' tasks and joint consultations."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query

from services.alerts import repository_consultations, repository_tasks
from services.alerts.call_consultation import call_consultation
from services.alerts.cancel_consultation import cancel_consultation
from services.alerts.consultation import consultation_of
from services.alerts.decide_consultation import decide_consultation
from services.alerts.domain.sector import Sector
from services.alerts.domain.sector_task import TaskState, TaskStep
from services.alerts.endpoints import DivisionFilter
from services.alerts.endpoints_answers import Supervisor
from services.alerts.route_alert import WAKES
from services.alerts.schemas import StepAnswer
from services.alerts.schemas_tasks import (
    CancellationIn,
    ConsultationIn,
    ConsultationView,
    DecisionIn,
    FeedbackIn,
    OpinionIn,
    TaskConfirmationIn,
    TaskSummary,
    TaskView,
)
from services.alerts.step_task import NO_SECTOR, TaskDeed, sector_for, step_task, task_of
from services.alerts.take_once import take_once
from services.alerts.take_step import Doing, lock_any_version
from services.alerts.view_alert import step_answer
from services.alerts.view_tasks import view_consultations, view_task, view_tasks
from services.alerts.write_opinion import write_opinion
from shared.errors import FieldError, Unprocessable
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role
from shared.web.dependencies import ContextDep, RuntimeDep, ScopedConnection, Wake, WakeDep, require
from shared.web.page import NewestFirst, Page
from shared.web.problem import problems
from shared.web.routing import Router

TaskReader = Annotated[Principal, Depends(require("alerts:tasks"))]
_LIST_PROBLEMS = problems(401, 403, 422)
_DEED_PROBLEMS = problems(401, 403, 404, 409, 415, 422)

router = Router(tags=["tasks"])


class TaskReasonNeeded(Unprocessable):
    code, title = "reason_needed", "退回须写明原因"


@dataclass(frozen=True, slots=True)
class Deeds:
    """What every deed of a department or a supervisor needs."""

    connection: Any
    runtime: Runtime
    request_id: str
    wake: Wake

    def doing(self, alert_id: UUID, caller: Principal, version: int | None = None) -> Doing:
        return Doing(alert_id, caller, self.runtime.clock.now(), version, self.request_id)


async def deeds_of(connection: ScopedConnection, runtime: RuntimeDep, context: ContextDep, wake: WakeDep) -> Deeds:
    return Deeds(connection, runtime, context.request_id, wake)


DeedsDep = Annotated[Deeds, Depends(deeds_of)]


@router.get("/alerts/v1/tasks", summary="行业部门任务（联络员只见本部门的）", responses=_LIST_PROBLEMS)
async def get_tasks(
    caller: TaskReader,
    deeds: DeedsDep,
    newest: NewestFirst,
    division: DivisionFilter = None,
    sector: Sector | None = None,
    state: TaskState | None = None,
    overdue: Annotated[bool, Query(description="只看超期")] = False,
) -> Page[TaskSummary]:
    own = sector_for(caller)
    lo, hi = code_range(division or caller.division)
    rows = await repository_tasks.list_tasks(
        deeds.connection,
        lo=lo,
        hi=hi,
        sector=own if sector is None else (sector if own in (None, sector) else NO_SECTOR),
        state=state,
        overdue_at=deeds.runtime.clock.now() if overdue else None,
        before=newest.before,
        limit=newest.wanted,
    )
    shown = newest.shown(rows)
    await _audit_read(deeds, caller, "task.list", f"division:{lo}", len(shown))
    return newest.page(await view_tasks(shown, caller, deeds.runtime), rows, "task_id")


@router.get("/alerts/v1/tasks/{task_id}", summary="一项任务及办理过程", responses=problems(401, 403, 404, 422))
async def get_task(task_id: UUID, caller: TaskReader, deeds: DeedsDep) -> TaskView:
    task = await task_of(deeds.connection, task_id, caller)
    await _audit_read(deeds, caller, "task.read", f"task:{task_id}", 1)
    return await view_task(deeds.connection, task, caller, deeds.runtime)


@router.post("/alerts/v1/tasks/{task_id}/feedback", summary="部门反馈：已办理或无法解决", responses=_DEED_PROBLEMS)
async def post_feedback(task_id: UUID, body: FeedbackIn, caller: TaskReader, deeds: DeedsDep) -> TaskView:
    return await _step(deeds, caller, TaskDeed(task_id, TaskStep(body.result), body.note), body.id)


@router.post(
    "/alerts/v1/tasks/{task_id}/confirmation", summary="村级确认：已解决或退回部门", responses=_DEED_PROBLEMS
)
async def post_task_confirmation(
    task_id: UUID, body: TaskConfirmationIn, caller: TaskReader, deeds: DeedsDep
) -> TaskView:
    if not body.solved and not body.note:
        raise TaskReasonNeeded(errors=[FieldError("body/note", "reason_required", "退回须写明原因")])
    step = TaskStep.CONFIRMED if body.solved else TaskStep.NOT_SOLVED
    return await _step(deeds, caller, TaskDeed(task_id, step, body.note), body.id)


async def _step(deeds: Deeds, caller: Principal, deed: TaskDeed, step_id: UUID | None) -> TaskView:
    task = await task_of(deeds.connection, deed.task_id, caller)
    doing = deeds.doing(task["alert_id"], caller)

    async def act() -> Any:
        await step_task(deeds.connection, doing, deed, deeds.runtime)
        return await lock_any_version(deeds.connection, doing)

    await take_once(deeds.connection, doing, step_id, ["task", str(deed.task_id), deed.step, deed.note], act)
    deeds.wake(*WAKES)
    return await view_task(
        deeds.connection, await task_of(deeds.connection, deed.task_id, caller), caller, deeds.runtime
    )


@router.post("/alerts/v1/alerts/{alert_id}/consultation", summary="提交联合会商", responses=_DEED_PROBLEMS)
async def post_consultation(
    alert_id: UUID, body: ConsultationIn, caller: Supervisor, deeds: DeedsDep
) -> ConsultationView:
    doing = deeds.doing(alert_id, caller, body.version)
    consultation_id = body.id or new_id(doing.now)

    async def act() -> Any:
        return await call_consultation(
            deeds.connection, doing, body.call(), consultation_id=consultation_id, runtime=deeds.runtime
        )

    content = ["consultation", body.model_dump(mode="json", exclude={"id", "version"})]
    await take_once(deeds.connection, doing, body.id, content, act)
    deeds.wake(*WAKES)
    return await _view(deeds, consultation_id, caller)


@router.get("/alerts/v1/consultations", summary="联合会商（联络员只见征求本部门的）", responses=_LIST_PROBLEMS)
async def get_consultations(
    caller: TaskReader,
    deeds: DeedsDep,
    newest: NewestFirst,
    division: DivisionFilter = None,
    state: Annotated[str | None, Query(pattern="^(open|decided|cancelled)$")] = None,
    overdue: Annotated[bool, Query(description="只看会商日期已过、尚无决定的")] = False,
) -> Page[ConsultationView]:
    lo, hi = code_range(division or caller.division)
    rows = await repository_consultations.list_consultations(
        deeds.connection,
        lo=lo,
        hi=hi,
        state=state,
        department=(caller.department or NO_SECTOR) if caller.role is Role.LIAISON else None,
        overdue_on=deeds.runtime.clock.today() if overdue else None,
        before=newest.before,
        limit=newest.wanted,
    )
    shown = newest.shown(rows)
    await _audit_read(deeds, caller, "consultation.list", f"division:{lo}", len(shown))
    items = await view_consultations(deeds.connection, shown, caller, deeds.runtime)
    return newest.page(items, rows, "consultation_id")


@router.get(
    "/alerts/v1/consultations/{consultation_id}", summary="一次联合会商", responses=problems(401, 403, 404, 422)
)
async def get_consultation(consultation_id: UUID, caller: TaskReader, deeds: DeedsDep) -> ConsultationView:
    await _audit_read(deeds, caller, "consultation.read", f"consultation:{consultation_id}", 1)
    return await _view(deeds, consultation_id, caller)


@router.post(
    "/alerts/v1/consultations/{consultation_id}/opinions", summary="部门提交书面意见", responses=_DEED_PROBLEMS
)
async def post_opinion(
    consultation_id: UUID, body: OpinionIn, caller: TaskReader, deeds: DeedsDep
) -> ConsultationView:
    found = await consultation_of(deeds.connection, consultation_id, caller)
    doing = deeds.doing(found["alert_id"], caller)

    async def act() -> Any:
        await write_opinion(deeds.connection, doing, consultation_id, body.opinion)
        return await lock_any_version(deeds.connection, doing)

    await take_once(deeds.connection, doing, body.id, ["opinion", str(consultation_id), body.opinion], act)
    return await _view(deeds, consultation_id, caller)


@router.post(
    "/alerts/v1/consultations/{consultation_id}/decision", summary="会商决定，办结预警", responses=_DEED_PROBLEMS
)
async def post_decision(consultation_id: UUID, body: DecisionIn, caller: Supervisor, deeds: DeedsDep) -> StepAnswer:
    found = await consultation_of(deeds.connection, consultation_id, caller)
    doing = deeds.doing(found["alert_id"], caller, body.version)

    async def act() -> Any:
        verification_id = body.id or new_id(doing.now)
        return await decide_consultation(
            deeds.connection,
            doing,
            consultation_id,
            body.decision(),
            verification_id=verification_id,
            runtime=deeds.runtime,
        )

    content = ["decision", str(consultation_id), body.model_dump(mode="json", exclude={"id", "version"})]
    taken = await take_once(deeds.connection, doing, body.id, content, act)
    deeds.wake(*WAKES)
    return StepAnswer.model_validate(step_answer(taken))


@router.post(
    "/alerts/v1/consultations/{consultation_id}/cancellation",
    summary="取消会商，写明原因；预警照常核实办结",
    responses=_DEED_PROBLEMS,
)
async def post_cancellation(
    consultation_id: UUID, body: CancellationIn, caller: Supervisor, deeds: DeedsDep
) -> ConsultationView:
    found = await consultation_of(deeds.connection, consultation_id, caller)
    doing = deeds.doing(found["alert_id"], caller, body.version)

    async def act() -> Any:
        return await cancel_consultation(deeds.connection, doing, consultation_id, body.reason, deeds.runtime)

    await take_once(deeds.connection, doing, body.id, ["cancellation", str(consultation_id), body.reason], act)
    deeds.wake(*WAKES)
    return await _view(deeds, consultation_id, caller)


async def _view(deeds: Deeds, consultation_id: UUID, caller: Principal) -> ConsultationView:
    found = await consultation_of(deeds.connection, consultation_id, caller)
    (view,) = await view_consultations(deeds.connection, [found], caller, deeds.runtime)
    return view


async def _audit_read(deeds: Deeds, caller: Principal, action: str, object_: str, rows: int) -> None:
    now = deeds.runtime.clock.now()
    detail = {"rows": rows}
    await audit(deeds.connection, caller, action, object_, now=now, request_id=deeds.request_id, detail=detail)
