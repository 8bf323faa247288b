"""View departments' tasks and consultations as the caller may: no department reads what another said."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import asyncpg

from services.alerts import repository_consultations, repository_tasks
from services.alerts.domain.sector_task import TaskState
from services.alerts.repository import Row
from services.alerts.schemas_tasks import ConsultationView, OpinionView, TaskEntry, TaskSummary, TaskView
from services.alerts.view_answers import about_alert, names_for
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.principal import Principal
from shared.vocabulary.terms import Role

# Questions and opinions may quote a complaint, which is never shown in the village: this class begins above it.
_ABOVE_VILLAGE = "amount"
# What these departments write may tell of an illness; it is read by those who may see health.
_OF_HEALTH = ("医保", "医疗", "卫健", "卫生", "残联", "残疾")


async def view_tasks(rows: Sequence[Row], caller: Principal, runtime: Runtime) -> list[TaskSummary]:
    """Tasks in a list."""
    names, now = await names_for(rows, runtime), runtime.clock.now()
    return [TaskSummary.model_validate(_task(row, field_classes(caller), names, now)) for row in rows]


async def view_task(connection: asyncpg.Connection, row: Row, caller: Principal, runtime: Runtime) -> TaskView:
    """One task with its history."""
    names, now = await names_for([row], runtime), runtime.clock.now()
    log = await repository_tasks.log_of_task(connection, row["task_id"])
    return TaskView.model_validate(
        {
            **_task(row, field_classes(caller), names, now),
            "alert_id": row["alert_id"] if caller.role is not Role.LIAISON else None,
            "history": [TaskEntry.model_validate(dict(entry)) for entry in log],
        }
    )


def _task(row: Row, classes: Collection[str], names: Mapping[str, str], now: datetime) -> dict[str, Any]:
    overdue = row["state"] == TaskState.OPEN and row["due_at"] <= now
    return {**dict(row), **about_alert(row, classes, names), "is_overdue": overdue}


async def view_consultations(
    connection: asyncpg.Connection, rows: Sequence[Row], caller: Principal, runtime: Runtime
) -> list[ConsultationView]:
    """Consultations with the opinions that the caller may read."""
    names, today = await names_for(rows, runtime), runtime.clock.today()
    opinions: dict[Any, list[Row]] = {}
    for opinion in await repository_consultations.opinions_of(connection, [row["consultation_id"] for row in rows]):
        opinions.setdefault(opinion["consultation_id"], []).append(opinion)
    return [_consultation(row, opinions.get(row["consultation_id"], []), caller, names, today) for row in rows]


def _consultation(
    row: Row, opinions: Sequence[Row], caller: Principal, names: Mapping[str, str], today: date
) -> ConsultationView:
    is_liaison = caller.role is Role.LIAISON
    asks = is_liaison or _ABOVE_VILLAGE in field_classes(caller)
    own = {caller.department} if is_liaison else None
    classes = field_classes(caller)
    written = {one["department"] for one in opinions}
    return ConsultationView.model_validate(
        {
            **dict(row),
            **about_alert(row, classes, names),
            "alert_id": None if is_liaison else row["alert_id"],
            "question": row["question"] if asks else None,
            "cancel_reason": row["cancel_reason"] if asks else None,
            "departments": [name for name in row["departments"] if own is None or name in own],
            "is_overdue": row["state"] == "open" and row["meets_on"] < today,
            "opinions": [_opinion(one, classes, own) for one in opinions if own is None or one["department"] in own],
            "awaited": [n for n in row["departments"] if n not in written and (own is None or n in own)],
            "attendees": [] if is_liaison else row["attendees"],
            "measures": None if is_liaison else row["measures"],
        }
    )


def _opinion(row: Row, classes: Collection[str], own: Collection[str | None] | None) -> OpinionView:
    of_health = any(word in row["department"] for word in _OF_HEALTH)
    above = _ABOVE_VILLAGE in classes
    readable = own is not None or (above and ("health" in classes or not of_health))
    return OpinionView(
        department=row["department"], written_at=row["written_at"], opinion=row["opinion"] if readable else None
    )
