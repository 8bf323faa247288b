"""Refer an alert to a joint consultation (提交联合会商): departments are asked, and a day is set."""

from uuid import UUID

import asyncpg

from services.alerts import repository, repository_consultations
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.consultation import refuse
from services.alerts.domain.alert import Step
from services.alerts.domain.consultation import Call, call_objections
from services.alerts.domain.message import Kind, Matter, MatterKind, consultation_text, consultation_unheard_text
from services.alerts.letters_to_county import letters_to_county
from services.alerts.letters_to_departments import (
    Asking,
    departments_without,
    letters_to_departments,
    liaisons_of,
)
from services.alerts.take_step import Doing, locked_alert, take_step
from shared.errors import Conflict
from shared.regions.name_places import name_places
from shared.runtime import Runtime


class ConsultationOpen(Conflict):
    code, title = "consultation_open", "这条预警已在会商"


async def call_consultation(
    connection: asyncpg.Connection, doing: Doing, call: Call, *, consultation_id: UUID, runtime: Runtime
) -> asyncpg.Record:
    """Call it: the alert stays open, and nobody else answers it until it is decided."""
    alert = await locked_alert(connection, doing)
    refuse(call_objections(call, runtime.clock.today()))
    if await repository_consultations.consultation_open(connection, doing.alert_id):
        raise ConsultationOpen
    detail = {"consultation_id": str(consultation_id), "departments": list(call.departments)}
    taken = await take_step(connection, alert, Step.CONSULT, doing, detail=detail)
    row = {
        "consultation_id": consultation_id,
        "alert_id": doing.alert_id,
        "called_by": doing.officer_no,
        "called_at": doing.now,
        "departments": list(call.departments),
        "question": call.question,
        "opinions_by": call.opinions_by,
        "meets_on": call.meets_on,
        "state": "open",
        "attendees": [],
    }
    await repository.insert_rows(connection, "consultation", [row])
    await _ask(connection, alert, call, consultation_id, runtime)
    return taken


async def _ask(
    connection: asyncpg.Connection, alert: repository.Row, call: Call, consultation_id: UUID, runtime: Runtime
) -> None:
    place, today = alert["living_division"], runtime.clock.today()
    liaisons = await liaisons_of(connection, place, call.departments, runtime.clock.today())
    name = (await name_places(runtime.directory_pool, [place], today))[place]
    text = consultation_text(name, call.opinions_by.isoformat())
    matter = Matter(MatterKind.CONSULTATION, consultation_id)
    asking = Asking(f"consultation:{consultation_id}", Kind.CONSULTED, matter, text)
    letters = await letters_to_departments(connection, alert, liaisons, asking, runtime)
    if unheard := await departments_without(connection, place, call.departments, runtime):
        told = consultation_unheard_text(name, "、".join(unheard), call.opinions_by.isoformat())
        key = f"consultation_unheard:{consultation_id}"
        letters += await letters_to_county(connection, runtime, key=key, division=place, text=told, matter=matter)
    await put_in_inboxes(connection, letters, runtime.clock.now())
