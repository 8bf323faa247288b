"""Refer an alert to a joint consultation (联合会商), hear the departments, and close it by what is decided."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_consultations, repository_tasks
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.close_alert import Closing, close_alert, role_of
from services.alerts.domain.alert import Step
from services.alerts.domain.consultation import Call, Decision, call_objections, decision_objections
from services.alerts.domain.message import Kind, consultation_text
from services.alerts.domain.verification import Objection, Verification
from services.alerts.open_tasks import letters_to
from services.alerts.take_step import Doing, locked_alert, note_step, take_step
from shared.clock import SHANGHAI
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.regions.name_places import name_places
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.terms import Role


class ConsultationUnknown(NotFound):
    """There is no such consultation, it is out of range, or it does not ask the liaison's department."""

    code, title = "consultation_unknown", "没有找到这次会商"


class ConsultationRefused(Unprocessable):
    code, title = "consultation_refused", "会商内容不完整"


class ConsultationOpen(Conflict):
    code, title = "consultation_open", "这条预警已在会商"


class ConsultationDecided(Conflict):
    code, title = "consultation_decided", "会商已有决定"


class OpinionGiven(Conflict):
    code, title = "opinion_given", "本部门已提交书面意见"


class NotAsked(Forbidden):
    """Only the departments asked write an opinion, each by its own liaison."""

    code, title = "not_asked", "只有被征求意见部门的联络员可以提交书面意见"


async def call_consultation(
    connection: asyncpg.Connection, doing: Doing, call: Call, *, consultation_id: UUID, runtime: Runtime
) -> asyncpg.Record:
    """Call it: the alert stays open, and nobody else answers it until it is decided."""
    alert = await locked_alert(connection, doing)
    _refuse(call_objections(call, runtime.clock.today()))
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
    found = await repository_tasks.liaisons_at(connection, place, today)
    liaisons = [row["officer_no"] for row in found if row["department"] in call.departments]
    name = (await name_places(runtime.directory_pool, [place], today))[place]
    text = consultation_text(name, call.opinions_by.isoformat())
    key = f"consultation:{consultation_id}"
    letters = await letters_to(connection, alert, liaisons, key, text, Kind.CONSULTED, runtime)
    await put_in_inboxes(connection, letters, runtime.clock.now())


async def consultation_of(connection: asyncpg.Connection, consultation_id: UUID, caller: Principal) -> asyncpg.Record:
    """A consultation as the caller may see it: a liaison, those that ask his department."""
    found = await repository_consultations.consultation_by_id(connection, consultation_id)
    if found is None or (caller.role is Role.LIAISON and caller.department not in found["departments"]):
        raise ConsultationUnknown
    return found


async def write_opinion(connection: asyncpg.Connection, doing: Doing, consultation_id: UUID, opinion: str) -> None:
    """Write the opinion of the caller's department, once; it stands."""
    alert = await locked_alert(connection, doing)
    consultation = await consultation_of(connection, consultation_id, doing.caller)
    if doing.caller.role is not Role.LIAISON or doing.caller.department is None:
        raise NotAsked
    if consultation["state"] != "open":
        raise ConsultationDecided
    row = {
        "consultation_id": consultation_id,
        "department": doing.caller.department,
        "officer_no": doing.officer_no,
        "opinion": opinion,
        "written_at": doing.now,
    }
    if not await repository_consultations.add_opinion(connection, row):
        raise OpinionGiven
    detail = {"consultation_id": str(consultation_id), "department": doing.caller.department}
    await note_step(connection, alert, "opinion", doing, detail)


async def decide_consultation(
    connection: asyncpg.Connection,
    doing: Doing,
    consultation_id: UUID,
    decision: Decision,
    *,
    verification_id: UUID,
    runtime: Runtime,
) -> asyncpg.Record:
    """Close the alert by what was decided: the consultation is the evidence that a visit is otherwise."""
    alert = await locked_alert(connection, doing)
    consultation = await consultation_of(connection, consultation_id, doing.caller)
    if consultation["state"] != "open":
        raise ConsultationDecided
    await _check(connection, consultation, decision, runtime.clock.today())
    verification = Verification(decision.outcome, decision.causes, None, decision.helped_by, decision.measures)
    closing = Closing(verification_id, verification, doing.officer_no, role_of(doing), is_joint=True)

    async def store() -> None:
        changes = {"held_on": decision.held_on, "attendees": list(decision.attendees), "measures": decision.measures}
        decided = {**changes, "decided_by": doing.officer_no, "decided_at": doing.now}
        await repository_consultations.decide(connection, consultation_id, decided)
        await repository.insert_rows(connection, "verification", [_answer(closing, consultation_id, doing)])

    return await close_alert(connection, alert, Step.VERIFY, doing, closing, runtime, store)


async def _check(
    connection: asyncpg.Connection, consultation: repository.Row, decision: Decision, today: date
) -> None:
    written = await repository_consultations.opinions_of(connection, [consultation["consultation_id"]])
    found = decision_objections(
        decision,
        called_on=consultation["called_at"].astimezone(SHANGHAI).date(),
        today=today,
        awaited=set(consultation["departments"]) - {row["department"] for row in written},
        opinions_by=consultation["opinions_by"],
    )
    _refuse(found)


def _refuse(found: Sequence[Objection]) -> None:
    if found:
        errors = [FieldError(f"body/{o.field}", o.code, o.message, example=o.example) for o in found]
        raise ConsultationRefused("；".join(o.message for o in found), errors=errors)


def _answer(closing: Closing, consultation_id: UUID, doing: Doing) -> dict[str, object]:
    verification = closing.verification
    return {
        "verification_id": closing.verification_id,
        "alert_id": doing.alert_id,
        "outcome": verification.outcome,
        "causes": list(verification.causes),
        "helped_by": verification.helped_by,
        "note": verification.note,
        "needs": [],
        "officer_no": closing.officer_no,
        "officer_role": closing.officer_role,
        "verified_at": doing.now,
        "state": "stands",
        "consultation_id": consultation_id,
    }
