"""Answer an offered alert: accept or decline it, or withdraw the offer."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_answers
from services.alerts.dispatch import Dispatch, desk_for
from services.alerts.domain.alert import Status, Step
from services.alerts.domain.duty import Listener, Reach
from services.alerts.domain.handover import HandoverAnswer, HandoverKind, HandoverState, Party, ended
from services.alerts.domain.message import Kind
from services.alerts.report_progress import Reported, report_progress
from services.alerts.take_step import Doing, locked_alert, note_step, take_step
from services.alerts.tell_people import tell_people
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.runtime import Runtime
from shared.vocabulary.terms import Role


class HandoverUnknown(NotFound):
    code, title = "handover_unknown", "没有找到这次移交"


class HandoverNotYours(Forbidden):
    """The receiver accepts or declines, the giver withdraws; nobody else does either."""

    code, title = "handover_not_yours", "只有接收人可以接收或退回，只有移交人可以撤回"


class HandoverSettled(Conflict):
    code, title = "handover_settled", "这次移交已有结果"


class HandoverReasonNeeded(Unprocessable):
    code, title = "reason_needed", "退回须写明原因"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, and why."""

    handover_id: UUID
    answer: HandoverAnswer
    reason: str | None = None


async def answer_handover(
    connection: asyncpg.Connection, doing: Doing, reply: Reply, runtime: Runtime
) -> asyncpg.Record:
    """Settle the offer. Whoever accepts answers for the alert; the giver no more, unless he referred it."""
    if reply.answer is HandoverAnswer.DECLINE and not reply.reason:
        raise HandoverReasonNeeded(errors=[FieldError("body/reason", "reason_required", "退回须写明原因")])
    alert = await locked_alert(connection, doing)
    offer = await repository_answers.handover_by_id(connection, reply.handover_id)
    assert offer is not None, "the caller found the alert by it"
    state = ended(HandoverState(offer["state"]), _party(offer, doing), reply.answer)
    if state is None and offer["state"] != HandoverState.PENDING:
        raise HandoverSettled
    if state is None:
        raise HandoverNotYours
    await repository_answers.settle_handover(connection, reply.handover_id, state, reply.reason, doing.now)
    detail: dict[str, object] = {"handover_id": str(reply.handover_id), "reason": reply.reason}
    if state is HandoverState.ACCEPTED:
        return await _accepted(connection, alert, offer, doing, detail)
    await note_step(connection, alert, f"handover_{state}", doing, detail)
    if state is HandoverState.DECLINED:
        await _tell_giver(connection, alert, offer, runtime)
    return alert


def _party(offer: repository.Row, doing: Doing) -> Party:
    if doing.officer_no == offer["to_officer_no"]:
        return Party.RECEIVER
    if doing.officer_no == offer["from_officer_no"]:
        return Party.GIVER
    raise HandoverNotYours


async def _accepted(
    connection: asyncpg.Connection,
    alert: repository.Row,
    offer: repository.Row,
    doing: Doing,
    detail: dict[str, object],
) -> asyncpg.Record:
    taken = await take_step(connection, alert, Step.ACCEPT, doing, detail=detail)
    leaving = [] if offer["kind"] == HandoverKind.REFER else [offer["from_officer_no"]]
    await repository.end_assignments(connection, doing.alert_id, [doing.officer_no, *leaving], doing.now)
    listener = Listener(doing.officer_no, Role(offer["to_role"]), Reach.HANDED_OVER)
    row = {
        "alert_id": doing.alert_id,
        "officer_no": listener.officer_no,
        "role": listener.role,
        "level": listener.level,
        "reach": listener.reach,
        "since": doing.now,
    }
    await repository.insert_rows(connection, "assignment", [row])
    if alert["status"] == Status.OPEN:
        reported = Reported(doing.alert_id, alert["report_ids"])
        await report_progress(connection, [reported], ("acknowledged",), doing.now)
    return taken


async def _tell_giver(
    connection: asyncpg.Connection, alert: repository.Row, offer: repository.Row, runtime: Runtime
) -> None:
    places = (alert["living_division"], alert["registered_division"])
    desk = await desk_for(runtime, places)
    post = await repository.officer_on_duty(connection, offer["from_officer_no"], places, desk.today)
    if post is None:
        return
    giver = Listener(post.officer_no, post.role, Reach.DUTY)
    key = f"declined:{offer['handover_id']}"
    await tell_people(connection, Dispatch(alert, Kind.DECLINED, key, only=(giver,)), desk)
