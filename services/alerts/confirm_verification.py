"""Confirm or refuse an answer as the second officer (双人复核); only confirmed it closes the alert."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_answers, repository_concern
from services.alerts.close_alert import close_alert, closing_of, role_of
from services.alerts.dispatch import Dispatch, desk_for
from services.alerts.domain.alert import Status, Step
from services.alerts.domain.duty import LADDER, Listener, Reach
from services.alerts.domain.message import Kind
from services.alerts.take_step import Doing, check_version, lock_any_version, take_step
from services.alerts.tell_people import tell_people
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.runtime import Runtime
from shared.vocabulary.terms import Role


class VerificationUnknown(NotFound):
    code, title = "verification_unknown", "没有找到这份核实结论"


class NothingToConfirm(Conflict):
    code, title = "nothing_to_confirm", "这份核实结论不需要复核，或已经复核"


class SecondOfficerNeeded(Forbidden):
    """Neither the answer's giver nor anybody below him confirms it."""

    code, title = "second_officer_needed", "须由另一位不低于其岗位的干部复核"


class ReasonNeeded(Unprocessable):
    code, title = "reason_needed", "退回须写明原因"


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """Whether the second officer agrees; if not, why."""

    verification_id: UUID
    agrees: bool
    reason: str | None = None


async def confirm_verification(
    connection: asyncpg.Connection, doing: Doing, opinion: SecondOpinion, runtime: Runtime
) -> asyncpg.Record:
    """Close the alert with the answer, or give it back to be verified again."""
    alert = await lock_any_version(connection, doing)
    answer = await repository.verification_of(connection, opinion.verification_id)
    if answer is None or answer["alert_id"] != doing.alert_id:
        raise VerificationUnknown
    check_version(alert, doing)
    await _check(connection, alert, answer, doing, opinion)

    async def store() -> None:
        state = "stands" if opinion.agrees else "refused"
        await repository_answers.second_opinion(
            connection, opinion.verification_id, state, doing.officer_no, opinion.reason, doing.now
        )

    if opinion.agrees:
        return await close_alert(connection, alert, Step.CONFIRM, doing, closing_of(answer), runtime, store)
    detail = {"verification_id": str(opinion.verification_id), "reason": opinion.reason}
    refused = await take_step(connection, alert, Step.REFUSE, doing, detail=detail)
    await store()
    await _tell_giver(connection, refused, answer, runtime)
    return refused


async def _check(
    connection: asyncpg.Connection,
    alert: repository.Row,
    answer: repository.Row,
    doing: Doing,
    opinion: SecondOpinion,
) -> None:
    if alert["status"] != Status.CONFIRMING or answer["state"] != "awaiting":
        raise NothingToConfirm
    if doing.officer_no == answer["officer_no"] or _is_below(role_of(doing), Role(answer["officer_role"])):
        raise SecondOfficerNeeded
    if doing.officer_no in await repository_concern.barred_of(connection, doing.alert_id):
        raise SecondOfficerNeeded("您的答复正被申诉或复查，须由其他干部复核")
    if not opinion.agrees and not opinion.reason:
        raise ReasonNeeded(
            errors=[FieldError("body/reason", "reason_required", "退回须写明原因", example="户主反映未见到人")]
        )


def _is_below(role: Role, other: Role) -> bool:
    return role not in LADDER or (other in LADDER and LADDER.index(role) < LADDER.index(other))


async def _tell_giver(
    connection: asyncpg.Connection, alert: repository.Row, answer: repository.Row, runtime: Runtime
) -> None:
    places = (alert["living_division"], alert["registered_division"])
    desk = await desk_for(runtime, places)
    post = await repository.officer_on_duty(connection, answer["officer_no"], places, desk.today)
    if post is not None:
        only = (Listener(post.officer_no, post.role, Reach.DUTY),)
        key = f"refused:{answer['verification_id']}"
        await tell_people(connection, Dispatch(alert, Kind.REFUSED, key, only=only), desk)
