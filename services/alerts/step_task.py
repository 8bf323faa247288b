"""Take a step on a department's task: it feeds back what was done, the village confirms or sends it back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_tasks
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.domain.message import not_possible_text
from services.alerts.domain.sector import Sector, sector_of
from services.alerts.domain.sector_task import CONFIRMATION, FEEDBACK, TaskState, TaskStep, after
from services.alerts.letters_to_county import letters_to_county
from services.alerts.news import answer_terms_of
from services.alerts.open_tasks import letters_about
from services.alerts.read_calendar import read_calendar
from services.alerts.take_step import Doing, lock_any_version, note_step
from shared.errors import Conflict, Forbidden, NotFound
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.terms import Role


class TaskUnknown(NotFound):
    """There is no such task, it is out of range, or another sector's: all look alike."""

    code, title = "task_unknown", "没有找到该任务"


class NotYourTaskStep(Forbidden):
    """The department (or the county desk for it) feeds back; the village, township or county confirms."""

    code, title = "not_your_task_step", "反馈由责任部门办理，确认由村级办理"


class TaskStepRefused(Conflict):
    code, title = "task_step_refused", "任务现在不能这样办理"


NO_SECTOR = "none"


@dataclass(frozen=True, slots=True)
class TaskDeed:
    """What is done to which task, with what was said."""

    task_id: UUID
    step: TaskStep
    note: str | None = None


def sector_for(caller: Principal) -> str | None:
    """Whose tasks a caller sees: a liaison his own sector's (or none), anybody else all in his range."""
    if caller.role is not Role.LIAISON:
        return None
    return sector_of(caller.department) or NO_SECTOR


async def task_of(connection: asyncpg.Connection, task_id: UUID, caller: Principal) -> asyncpg.Record:
    """A task as the caller may see it; TaskUnknown."""
    task = await repository_tasks.task_by_id(connection, task_id, sector_for(caller))
    if task is None:
        raise TaskUnknown
    return task


async def step_task(connection: asyncpg.Connection, doing: Doing, deed: TaskDeed, runtime: Runtime) -> asyncpg.Record:
    """Take the step; the alert's lock stands for the task's."""
    alert = await lock_any_version(connection, doing)
    task = await task_of(connection, deed.task_id, doing.caller)
    _check_whose(task, deed.step, doing)
    state = after(TaskState(task["state"]), deed.step)
    if state is None:
        raise TaskStepRefused(f"任务现为“{TaskState(task['state']).zh}”")
    changes = await _changes(connection, alert, task, state, deed, doing)
    await repository_tasks.update_task(connection, deed.task_id, changes)
    await _log(connection, deed, state, doing)
    await note_step(connection, alert, f"task_{deed.step}", doing, {"task_id": str(deed.task_id), "note": deed.note})
    stepped = await task_of(connection, deed.task_id, doing.caller)
    await _tell(connection, alert, stepped, deed.step, runtime)
    return stepped


def _check_whose(task: repository.Row, step: TaskStep, doing: Doing) -> None:
    role = doing.caller.role
    if step in FEEDBACK and role not in (Role.LIAISON, Role.COUNTY_ADMIN):
        raise NotYourTaskStep
    if step in CONFIRMATION and role is Role.LIAISON:
        raise NotYourTaskStep
    if step in CONFIRMATION and doing.officer_no == task["feedback_by"]:
        raise NotYourTaskStep("须由反馈人以外的干部确认")


async def _changes(
    connection: asyncpg.Connection,
    alert: repository.Row,
    task: repository.Row,
    state: TaskState,
    deed: TaskDeed,
    doing: Doing,
) -> dict[str, Any]:
    if deed.step in FEEDBACK:
        said = {"feedback": deed.step, "feedback_note": deed.note}
        return {"state": state, **said, "feedback_by": doing.officer_no, "feedback_at": doing.now}
    if state is TaskState.CLOSED:
        return {"state": state, "closed_at": doing.now}
    calendar = await read_calendar(connection, alert["living_division"], doing.now)
    due_at = calendar.add_working_days(doing.now, answer_terms_of(alert).task_working_days)
    return {"state": state, "round": task["round"] + 1, "due_at": due_at}


async def _log(connection: asyncpg.Connection, deed: TaskDeed, state: TaskState, doing: Doing) -> None:
    row = {
        "task_id": deed.task_id,
        "at": doing.now,
        "actor": doing.officer_no,
        "action": deed.step,
        "state_after": state,
        "note": deed.note,
    }
    await repository.insert_rows(connection, "sector_task_log", [row])


async def _tell(
    connection: asyncpg.Connection, alert: repository.Row, task: repository.Row, step: TaskStep, runtime: Runtime
) -> None:
    """A task sent back reaches its department again; one that stays unsolved reaches the county."""
    if step is TaskStep.NOT_SOLVED:
        letters = await letters_about(connection, alert, task, runtime)
    elif step is TaskStep.CONFIRMED and task["feedback"] == TaskStep.NOT_POSSIBLE:
        place = alert["living_division"]
        name = (await name_places(runtime.directory_pool, [place], runtime.clock.today()))[place]
        text = not_possible_text(Sector(task["sector"]).zh, name)
        key = f"task_unsolved:{task['task_id']}"
        letters = await letters_to_county(connection, runtime, key=key, division=place, text=text)
    else:
        letters = []
    await put_in_inboxes(connection, letters, runtime.clock.now())
