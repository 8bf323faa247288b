"""Settle a re-check (抽查复核): the township met the household and agrees, or found something else."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_answers
from services.alerts.domain.recheck import RecheckState, state_of
from services.alerts.domain.verification import Contact
from services.alerts.take_step import Doing, note_step
from shared.clock import SHANGHAI
from shared.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from shared.vocabulary.terms import Outcome


class RecheckUnknown(NotFound):
    code, title = "recheck_unknown", "没有找到这次抽查"


class RecheckSettled(Conflict):
    code, title = "recheck_settled", "这次抽查已有结果"


class OwnAnswer(Forbidden):
    """Nobody re-checks an answer that he gave or confirmed himself."""

    code, title = "own_answer", "不能抽查本人作出或复核的结论"


class RecheckRefused(Unprocessable):
    code, title = "recheck_refused", "抽查结果有误"


@dataclass(frozen=True, slots=True)
class Found:
    """What the township found, by which visit or call."""

    verification_id: UUID
    outcome: Outcome
    contact: Contact
    note: str | None = None


async def settle_recheck(connection: asyncpg.Connection, doing: Doing, found: Found) -> asyncpg.Record:
    """Write what it came to; what differs opens a new alert, which another officer answers."""
    recheck = await repository_answers.recheck_by_id(connection, found.verification_id)
    if recheck is None:
        raise RecheckUnknown
    if doing.officer_no in (recheck["officer_no"], recheck["second_officer_no"]):
        raise OwnAnswer
    if recheck["state"] != RecheckState.DUE:
        raise RecheckSettled
    _check_day(found, recheck, doing)
    state = state_of(Outcome(recheck["outcome"]), found.outcome)
    contact = found.contact
    await repository_answers.settle_recheck(
        connection,
        found.verification_id,
        {
            "state": state,
            "found": found.outcome,
            "checked_by": doing.officer_no,
            "method": contact.method,
            "checked_on": contact.on,
            "met": contact.met,
            "note": found.note,
            "settled_at": doing.now,
        },
    )
    alert = await repository.lock_alert(connection, doing.alert_id)
    assert alert is not None, "its re-check is in the scope"
    detail = {"verification_id": str(found.verification_id), "found": found.outcome, "result": state}
    await note_step(connection, alert, "recheck", doing, detail)
    settled = await repository_answers.recheck_by_id(connection, found.verification_id)
    assert settled is not None
    return settled


def _check_day(found: Found, recheck: repository.Row, doing: Doing) -> None:
    answered_on, today = (moment.astimezone(SHANGHAI).date() for moment in (recheck["verified_at"], doing.now))
    if answered_on <= found.contact.on <= today:
        return
    message = "抽查日期应在原结论之后、今天之前"
    raise RecheckRefused(message, errors=[FieldError("body/contact/on", "recheck_out_of_time", message)])
