"""View an alert as the caller's role may: fields of other classes are left out or masked (字段权限)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_escalation, repository_lists
from services.alerts.domain.alert import Deadlines, Status, is_overdue
from services.alerts.domain.work_time import SHANGHAI
from services.alerts.read_calendar import read_calendar
from services.alerts.repository import Row
from services.alerts.schemas import (
    AlertView,
    Assignee,
    EscalationView,
    EvidenceView,
    Place,
    StepAnswer,
    TimelineEntry,
    VerificationView,
)
from services.alerts.take_step import AlertUnknown
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.vocabulary.terms import Source

# Which keys of a piece of evidence each field class opens. Nothing else is ever shown.
OPENED_BY: Mapping[str, Collection[str]] = {
    "cause": ("cause", "occurred_on", "source", "state", "severity", "note"),
    "class": ("indicator", "kind", "department", "summary"),
    "amount": ("measured", "threshold", "margin", "unit", "sentence"),
}


# What may repeat the words of a complaint; never shown in the village (信访内容不回流村内).
COMPLAINT_TEXT = frozenset({"summary", "note", "sentence"})


def is_complaint(item: Mapping[str, Any]) -> bool:
    """Whether a piece of evidence is what somebody complained of: by a hotline or petition, or naming an officer."""
    return item.get("source") == Source.HOTLINE or "about_officer" in item


def evidence_view(row: Row, classes: Collection[str]) -> EvidenceView:
    """A piece of evidence with the keys that `classes` open."""
    keys = {key for name in classes for key in OPENED_BY.get(name, ())}
    if is_complaint(row["item"]) and "complaint" not in classes:
        keys -= COMPLAINT_TEXT
    item = {key: value for key, value in row["item"].items() if key in keys}
    return EvidenceView(kind=row["kind"], recorded_at=row["recorded_at"], item=item)


def summary_of(alert: Row, classes: Collection[str], names: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """The fields of an alert in a list."""
    due = Deadlines(alert["ack_due_at"], alert["verify_due_at"])
    plain = (
        "alert_id",
        "status",
        "severity",
        "household_no",
        "reason",
        "opened_at",
        "ack_due_at",
        "verify_due_at",
        "outcome",
        "version",
    )
    return {
        **{name: alert[name] for name in plain},
        "name": alert["contact_name"] if "contact" in classes else mask_name(alert["contact_name"]),
        "living": _place(alert["living_division"], names),
        "registered": _place(alert["registered_division"], names),
        "causes": alert["causes"] if "cause" in classes else [],
        "recommendation": alert["recommendation"] if "class" in classes else None,
        "has_reported": bool(alert["report_ids"]),
        "is_overdue": is_overdue(Status(alert["status"]), due, now),
    }


def places_of(*alerts: Row) -> set[str]:
    """The divisions that alerts name."""
    return {alert[name] for alert in alerts for name in ("living_division", "registered_division")}


async def view_alert(
    connection: asyncpg.Connection, alert_id: UUID, caller: Principal, runtime: Runtime
) -> AlertView:
    """One alert with its people, evidence and timeline; AlertUnknown if there is none in the scope."""
    alert, classes = await repository_lists.alert_by_id(connection, alert_id), field_classes(caller)
    if alert is None:
        raise AlertUnknown
    names = await name_places(runtime.directory_pool, places_of(alert), runtime.clock.today())
    evidence = await repository_lists.evidence_of_alert(connection, alert_id)
    timeline = await repository_lists.timeline_of(connection, alert_id)
    assigned = await repository.assignments_of(connection, [alert_id])
    escalation = (await repository_escalation.escalations_of(connection, [alert_id])).get(alert_id)
    calendar = await read_calendar(connection, alert["living_division"], runtime.clock.now())
    verification = await repository_lists.verification_of_alert(connection, alert_id)
    return AlertView(
        **summary_of(alert, classes, names, runtime.clock.now()),
        phone=alert["contact_phone"] if "contact" in classes else None,
        listed_as=alert["listed_as"] if "class" in classes else None,
        follows=alert["follows"],
        route_version=alert["route_version"],
        route_nodes=alert["route_nodes"],
        assigned=[Assignee.model_validate(dict(row)) for row in assigned],
        evidence=[evidence_view(row, classes) for row in evidence],
        timeline=[TimelineEntry.model_validate(dict(row)) for row in timeline],
        escalation=_escalation(escalation) if escalation else None,
        deadlines_provisional=calendar.is_provisional(alert["verify_due_at"].astimezone(SHANGHAI).date()),
        verification=_answer(verification, classes) if verification else None,
    )


def _escalation(row: Row) -> EscalationView:
    """The chain, where the alert stands on it, and when it climbs next."""
    return EscalationView.model_validate({**row, "chain": row["chain_snapshot"]})


def _answer(row: Row, classes: Collection[str]) -> VerificationView:
    """The answer that closed an alert; whom the visitor met is for those who see contacts."""
    return VerificationView.model_validate({**row, "met": row["met"] if "contact" in classes else None})


def step_answer(alert: Row) -> dict[str, Any]:
    """Where an alert stands, as the JSON that is also stored for repeated requests."""
    fields = {name: alert[name] for name in StepAnswer.model_fields}
    return StepAnswer.model_validate(fields).model_dump(mode="json")


def _place(code: str, names: Mapping[str, str]) -> Place:
    return Place(code=code, name=names[code])
