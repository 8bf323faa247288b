"""Open the tasks of departments for guarantees found lacking (三保障和饮水问题转部门); none is without a person."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_tasks
from services.alerts.channels.inbox import Letter
from services.alerts.domain.message import Kind, Matter, MatterKind, task_text
from services.alerts.domain.sector import Sector, sector_of, sectors_of
from services.alerts.letters_to_departments import Asking, letters_to_departments
from services.alerts.news import answer_terms_of
from services.alerts.read_calendar import read_calendar
from services.alerts.repository import Row
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id


async def open_tasks(
    connection: asyncpg.Connection, alert: Row, verification_id: UUID, sectors: Sequence[Sector], runtime: Runtime
) -> list[Letter]:
    """Write a task for each sector that has none open; the letters to its liaisons, or to the county without any."""
    if not sectors:
        return []
    now = runtime.clock.now()
    calendar = await read_calendar(connection, alert["living_division"], now)
    sentences = await repository_tasks.sentences_of(connection, alert["alert_id"])
    rows = [
        {
            "task_id": new_id(now),
            "alert_id": alert["alert_id"],
            "verification_id": verification_id,
            "subject": alert["subject"],
            "sector": sector,
            # Only what its own indicator says: another's sentence may tell of an illness.
            "about": next((s for name, s in sentences.items() if sectors_of([name]) == (sector,)), None),
            "state": "open",
            "round": 1,
            "opened_at": now,
            "due_at": calendar.add_working_days(now, answer_terms_of(alert).task_working_days),
        }
        for sector in sectors
    ]
    tasks = await repository_tasks.add_tasks(connection, rows)
    log = [
        {"task_id": task["task_id"], "at": now, "actor": "alerts", "action": "opened", "state_after": "open"}
        for task in tasks
    ]
    await repository.insert_rows(connection, "sector_task_log", log)
    await _note(connection, alert, tasks, runtime)
    return [letter for task in tasks for letter in await letters_about(connection, alert, task, runtime)]


async def _note(connection: asyncpg.Connection, alert: Row, tasks: Sequence[Row], runtime: Runtime) -> None:
    rows = [
        {
            "alert_id": alert["alert_id"],
            "at": runtime.clock.now(),
            "actor": "alerts",
            "action": "task_opened",
            "status_before": alert["status"],
            "status_after": alert["status"],
            "detail": {"task_id": str(task["task_id"]), "sector": task["sector"]},
        }
        for task in tasks
    ]
    await repository.insert_rows(connection, "alert_log", rows)


async def letters_about(connection: asyncpg.Connection, alert: Row, task: Row, runtime: Runtime) -> list[Letter]:
    """The letters about a task that is open (again): its liaisons', or the county's with a notice of the gap."""
    sector, place, today = Sector(task["sector"]), alert["living_division"], runtime.clock.today()
    found = await repository_tasks.liaisons_at(connection, place, today)
    liaisons = [row["officer_no"] for row in found if sector_of(row["department"]) is sector]
    name = (await name_places(runtime.directory_pool, [place], today))[place]
    asking = Asking(
        f"task:{task['task_id']}:{task['round']}",
        Kind.TASK,
        Matter(MatterKind.TASK, task["task_id"]),
        task_text(sector.zh, name, desk=False),
        unheard=task_text(sector.zh, name, desk=True),
    )
    return await letters_to_departments(connection, alert, liaisons, asking, runtime)
