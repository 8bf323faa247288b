"""Verify an alert (核实办结): the answer that closes it, at once or once a second officer agrees."""

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern
from services.alerts.ask_second import ask_second
from services.alerts.close_alert import Closing, close_alert, role_of
from services.alerts.domain.alert import Step
from services.alerts.domain.household_check import as_json
from services.alerts.domain.verification import Verification, needs_second_officer, objections
from services.alerts.news import answer_terms_of, severity_of
from services.alerts.repository_consultations import consultation_open
from services.alerts.take_step import Doing, check_version, lock_any_version, take_step
from shared.errors import Conflict, FieldError, Forbidden, Unprocessable
from shared.runtime import Runtime


class VerificationIncomplete(Unprocessable):
    code, title = "verification_incomplete", "核实结论不完整"


class AnotherOfficerNeeded(Forbidden):
    """An appealed answer is looked at again by somebody else than who gave it (回避)."""

    code, title = "another_officer_needed", "须由另一位干部核实"


class ConsultationPending(Conflict):
    code, title = "consultation_pending", "预警正在联合会商"


class VerificationIdTaken(Conflict):
    code, title = "verification_id_taken", "此核实编号已用于另一份核实结论"


async def verify(
    connection: asyncpg.Connection,
    doing: Doing,
    verification: Verification,
    *,
    verification_id: UUID,
    runtime: Runtime,
) -> asyncpg.Record:
    """Close the alert with an answer, or let the answer wait for a second officer where policy asks for one.

    The same answer under the same id again changes nothing.
    """
    alert = await lock_any_version(connection, doing)
    row = _row(verification, verification_id, doing)
    if await _is_repeated(connection, row):
        return alert
    check_version(alert, doing)
    await _check_may_answer(connection, alert, doing)
    if alert["closed_at"] is None:
        _check(verification, alert, runtime.clock.today())
    if _waits(alert, verification):
        detail = {"outcome": verification.outcome, "verification_id": str(verification_id)}
        proposed = await take_step(connection, alert, Step.PROPOSE, doing, detail=detail)
        await add_answer(connection, {**row, "state": "awaiting"})
        await ask_second(connection, proposed, doing.officer_no, runtime)
        return proposed
    closing = Closing(verification_id, verification, doing.officer_no, row["officer_role"])
    return await close_alert(
        connection, alert, Step.VERIFY, doing, closing, runtime, lambda: add_answer(connection, row)
    )


async def _check_may_answer(connection: asyncpg.Connection, alert: repository.Row, doing: Doing) -> None:
    if doing.officer_no in await repository_concern.barred_of(connection, doing.alert_id):
        raise AnotherOfficerNeeded("您的答复正被申诉或复查，须由另一位干部重新核实；可移交给其他责任人")
    if await consultation_open(connection, alert["alert_id"]):
        raise ConsultationPending("会商决定前不能另行办结")


def _waits(alert: repository.Row, verification: Verification) -> bool:
    if alert["closed_at"] is not None:
        return False
    severities = answer_terms_of(alert).second_officer_severities
    return needs_second_officer(verification.outcome, severity_of(alert), severities)


# What an answer is; under the same id it must be the same.
_SAID = (
    "alert_id",
    "outcome",
    "causes",
    "method",
    "contacted_by",
    "contacted_on",
    "met",
    "minutes",
    "helped_by",
    "note",
    "household_check",
    "needs",
    "officer_no",
)


async def _is_repeated(connection: asyncpg.Connection, row: dict[str, Any]) -> bool:
    """Whether this answer is stored already; VerificationIdTaken if the id stands for another one."""
    stored = await repository.verification_of(connection, row["verification_id"])
    if stored is None:
        return False
    if any(stored[name] != row[name] for name in _SAID):
        raise VerificationIdTaken
    return True


async def add_answer(connection: asyncpg.Connection, row: dict[str, Any]) -> None:
    """Write the answer. An id that stands out of the caller's range is taken like any other, and says no more."""
    conflict = "ON CONFLICT (verification_id) DO NOTHING"
    if not await repository.insert_rows(
        connection, "verification", [row], conflict=conflict, returning="verification_id"
    ):
        raise VerificationIdTaken


def _check(verification: Verification, alert: repository.Row, today: date) -> None:
    found = objections(verification, severity_of(alert), opened_on=alert["opened_on"], today=today)
    if found:
        errors = [FieldError(f"body/{o.field}", o.code, o.message, example=o.example) for o in found]
        raise VerificationIncomplete("；".join(o.message for o in found), errors=errors)


def _row(verification: Verification, verification_id: UUID, doing: Doing) -> dict[str, Any]:
    contact = verification.contact
    return {
        "verification_id": verification_id,
        "alert_id": doing.alert_id,
        "outcome": verification.outcome,
        "causes": list(verification.causes),
        "method": contact.method if contact else None,
        "contacted_by": contact.by if contact else None,
        "contacted_on": contact.on if contact else None,
        "met": contact.met if contact else None,
        "minutes": contact.minutes if contact else None,
        "helped_by": verification.helped_by,
        "note": verification.note,
        "household_check": as_json(verification.household_check),
        "needs": list(verification.needs),
        "officer_no": doing.officer_no,
        "officer_role": role_of(doing),
        "verified_at": doing.now,
        "state": "stands",
    }
