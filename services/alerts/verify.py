"""Verify an alert (核实办结): the one step that closes it; the answer goes back to monitoring."""

from datetime import date
from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.domain.alert import Step
from services.alerts.domain.verification import Verification, objections
from services.alerts.news import severity_of
from services.alerts.open_tickets import open_tickets
from services.alerts.report_progress import SOURCE, Reported, report_progress
from services.alerts.take_step import Doing, PersonNeeded, check_version, lock_any_version, take_step
from shared.contracts.alerts import VERIFIED, Verified, VerifiedItem
from shared.contracts.envelope import Event
from shared.errors import Conflict, FieldError, Forbidden, Unprocessable
from shared.messaging.outbox import enqueue
from shared.vocabulary.terms import Outcome, Role


class VerificationIncomplete(Unprocessable):
    code, title = "verification_incomplete", "核实结论不完整"


class AnotherOfficerNeeded(Forbidden):
    """An appealed answer is looked at again by somebody else than who gave it (回避)."""

    code, title = "another_officer_needed", "须由另一位干部核实"


class VerificationIdTaken(Conflict):
    code, title = "verification_id_taken", "此核实编号已用于另一份核实结论"


async def verify(
    connection: asyncpg.Connection, doing: Doing, verification: Verification, *, verification_id: UUID, today: date
) -> asyncpg.Record:
    """Close the alert with an answer. The same answer under the same id again changes nothing."""
    alert = await lock_any_version(connection, doing)
    if await _is_repeated(connection, doing, verification, verification_id):
        return alert
    check_version(alert, doing)
    if doing.officer_no in await repository.barred_of(connection, doing.alert_id):
        raise AnotherOfficerNeeded("您的答复正被申诉，须由另一位干部重新核实；可移交给其他责任人")
    if alert["closed_at"] is None:
        _check(verification, alert, today)
    closed = await take_step(
        connection,
        alert,
        Step.VERIFY,
        doing,
        changes={"outcome": verification.outcome, "closed_at": doing.now},
        detail={"outcome": verification.outcome, "verification_id": str(verification_id)},
    )
    await _add(connection, _row(verification, verification_id, doing))
    if verification.outcome is Outcome.DATA_WRONG:
        await open_tickets(connection, closed, doing)
    await _tell_monitoring(connection, closed, verification, doing)
    answered = Reported(doing.alert_id, alert["report_ids"], verification.outcome, doing.officer_no)
    await report_progress(connection, [answered], ("verified",), doing.now)
    return closed


async def _is_repeated(
    connection: asyncpg.Connection, doing: Doing, verification: Verification, verification_id: UUID
) -> bool:
    """Whether this answer is stored already; VerificationIdTaken if the id stands for another one."""
    stored = await repository.verification_of(connection, verification_id)
    if stored is None:
        return False
    if stored["alert_id"] != doing.alert_id or stored["outcome"] != verification.outcome:
        raise VerificationIdTaken
    return True


async def _add(connection: asyncpg.Connection, row: dict[str, object]) -> None:
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


def _row(verification: Verification, verification_id: UUID, doing: Doing) -> dict[str, object]:
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
        "officer_no": doing.officer_no,
        "officer_role": _role(doing),
        "verified_at": doing.now,
    }


async def _tell_monitoring(
    connection: asyncpg.Connection, alert: repository.Row, verification: Verification, doing: Doing
) -> None:
    item = VerifiedItem(
        alert_id=str(doing.alert_id),
        subject=alert["subject"],
        household_no=alert["household_no"],
        living_division=alert["living_division"],
        outcome=verification.outcome,
        causes=list(verification.causes),
        visited_on=verification.contact.on if verification.contact else None,
        visit_minutes=verification.contact.visit_minutes if verification.contact else None,
        verified_at=doing.now,
        officer_role=_role(doing),
        facts_version=alert["facts_version"],
        policy_version=alert["policy_version"],
        indicators=await repository.indicators_of(connection, doing.alert_id),
    )
    event = Event.make(SOURCE, VERIFIED, alert["subject"], Verified(items=[item]), doing.now)
    await enqueue(connection, event, aggregate="alert", priority=0)


def _role(doing: Doing) -> Role:
    if doing.caller.role is None:
        raise PersonNeeded
    return doing.caller.role
