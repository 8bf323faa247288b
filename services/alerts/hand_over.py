"""Hand an alert over to a colleague on duty for the place (移交): an offer, and a step, never a closing."""

from datetime import date
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_answers, repository_concern
from services.alerts.dispatch import Desk, Dispatch
from services.alerts.domain.alert import Step
from services.alerts.domain.duty import Listener, Reach
from services.alerts.domain.handover import HandoverKind, suits
from services.alerts.domain.message import Kind
from services.alerts.take_step import Doing, locked_alert, take_step
from services.alerts.tell_people import tell_people
from shared.errors import Conflict, FieldError, Unprocessable
from shared.vocabulary.identifiers import new_id


class ColleagueNotOnDuty(Unprocessable):
    code, title = "colleague_not_on_duty", "接收人不是该地在岗责任人"


class HandoverPending(Conflict):
    code, title = "handover_pending", "已有一次移交等待接收"


class HandoverUnsuited(Unprocessable):
    code, title = "handover_unsuited", "移交方式与接收人的岗位不符"


async def hand_over(
    connection: asyncpg.Connection,
    doing: Doing,
    *,
    to_officer_no: str,
    reason: str,
    desk: Desk,
    kind: HandoverKind = HandoverKind.TRANSFER,
    handover_id: UUID | None = None,
) -> asyncpg.Record:
    """Offer the alert to a colleague; until he accepts, whoever answers for it does so as before."""
    alert = await locked_alert(connection, doing)
    colleague = await _colleague(connection, alert, to_officer_no, doing.officer_no, desk.today)
    await _check_kind(connection, alert, kind, colleague, doing, desk.today)
    if await repository_answers.pending_handover(connection, doing.alert_id) is not None:
        raise HandoverPending("请先由接收人答复，或撤回后重新移交")
    offered = handover_id or new_id(doing.now)
    detail = {"handover_id": str(offered), "kind": kind, "to": to_officer_no, "reason": reason}
    taken = await take_step(connection, alert, Step.HAND_OVER, doing, detail=detail)
    row = {
        "handover_id": offered,
        "alert_id": doing.alert_id,
        "kind": kind,
        "from_officer_no": doing.officer_no,
        "to_officer_no": to_officer_no,
        "to_role": colleague.role,
        "reason": reason,
        "state": "pending",
        "offered_at": doing.now,
    }
    await repository.insert_rows(connection, "handover", [row])
    key = f"handed_over:{doing.alert_id}:{taken['version']}"
    await tell_people(connection, Dispatch(taken, Kind.HANDED_OVER, key, only=(colleague,)), desk)
    return taken


async def _colleague(
    connection: asyncpg.Connection, alert: repository.Row, to_officer_no: str, own: str, today: date
) -> Listener:
    places = (alert["living_division"], alert["registered_division"])
    post = await repository.officer_on_duty(connection, to_officer_no, places, today)
    kept_out = await repository_concern.kept_out_of(connection, alert["alert_id"])
    if post is None or to_officer_no == own or to_officer_no in kept_out:
        error = FieldError("body/to_officer_no", "not_on_duty", "应为该村、乡镇或县的另一位在岗责任人")
        raise ColleagueNotOnDuty("移交未执行", errors=[error])
    return Listener(to_officer_no, post.role, Reach.HANDED_OVER)


async def _check_kind(
    connection: asyncpg.Connection,
    alert: repository.Row,
    kind: HandoverKind,
    colleague: Listener,
    doing: Doing,
    today: date,
) -> None:
    places = (alert["living_division"], alert["registered_division"])
    own = await repository.officer_on_duty(connection, doing.officer_no, places, today)
    level = Listener(own.officer_no, own.role, Reach.DUTY).level if own else None
    if not suits(kind, level, colleague.level):
        where = "下级" if kind is HandoverKind.ASSIGN else "上级"
        message = f"{kind.zh}的接收人应为{where}岗位"
        raise HandoverUnsuited(message, errors=[FieldError("body/manner", "manner_unsuited", message)])
