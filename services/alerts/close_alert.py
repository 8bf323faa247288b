"""Close an alert with an answer that stands: monitoring hears it, departments get tasks, some are re-checked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_answers
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.domain.alert import Step
from services.alerts.domain.household_check import read_findings
from services.alerts.domain.sector import Sector
from services.alerts.domain.verification import Contact, Method, Verification, needs_found
from services.alerts.draw_recheck import draw_recheck
from services.alerts.open_tasks import open_tasks
from services.alerts.open_tickets import open_tickets
from services.alerts.report_progress import SOURCE, Reported, report_progress
from services.alerts.take_step import Doing, PersonNeeded, take_step
from shared.contracts.alerts import VERIFIED, Verified, VerifiedItem
from shared.contracts.envelope import Event
from shared.messaging.outbox import enqueue
from shared.runtime import Runtime
from shared.vocabulary.terms import Outcome, Role


@dataclass(frozen=True, slots=True)
class Closing:
    """The answer that closes: whose it is, in which post; a second officer only lets it stand.

    `is_joint`: decided in a consultation, which nobody re-checks.
    """

    verification_id: UUID
    verification: Verification
    officer_no: str
    officer_role: str
    is_joint: bool = False


async def close_alert(
    connection: asyncpg.Connection,
    alert: repository.Row,
    step: Step,
    doing: Doing,
    closing: Closing,
    runtime: Runtime,
    store: Callable[[], Awaitable[None]],
) -> asyncpg.Record:
    """Take the closing step, `store` the answer, and let everybody know who waits for it."""
    verification = closing.verification
    closed = await take_step(
        connection,
        alert,
        step,
        doing,
        changes={"outcome": verification.outcome, "closed_at": doing.now},
        detail={"outcome": verification.outcome, "verification_id": str(closing.verification_id)},
    )
    await store()
    await repository_answers.lapse_handover(connection, doing.alert_id, doing.now)
    indicators = await repository.indicators_of(connection, doing.alert_id)
    await _tell_monitoring(connection, closed, closing, doing, indicators)
    answered = Reported(doing.alert_id, alert["report_ids"], verification.outcome, closing.officer_no)
    await report_progress(connection, [answered], ("verified",), doing.now)
    letters = []
    if verification.outcome is Outcome.DATA_WRONG:
        letters += await open_tickets(connection, closed, doing, runtime)
    if not closing.is_joint:
        await draw_recheck(connection, closed, closing.verification_id, verification.outcome, runtime)
    needs = needs_found(verification, indicators)
    letters += await open_tasks(connection, closed, closing.verification_id, needs, runtime)
    await put_in_inboxes(connection, letters, doing.now)
    return closed


async def _tell_monitoring(
    connection: asyncpg.Connection, alert: repository.Row, closing: Closing, doing: Doing, indicators: list[str]
) -> None:
    contact = closing.verification.contact
    item = VerifiedItem(
        alert_id=str(doing.alert_id),
        subject=alert["subject"],
        household_no=alert["household_no"],
        living_division=alert["living_division"],
        outcome=closing.verification.outcome,
        causes=list(closing.verification.causes),
        visited_on=contact.on if contact else None,
        visit_minutes=contact.visit_minutes if contact else None,
        verified_at=doing.now,
        officer_role=Role(closing.officer_role),
        facts_version=alert["facts_version"],
        policy_version=alert["policy_version"],
        indicators=indicators,
    )
    event = Event.make(SOURCE, VERIFIED, alert["subject"], Verified(items=[item]), doing.now)
    await enqueue(connection, event, aggregate="alert", priority=0)


def closing_of(row: repository.Row) -> Closing:
    """A stored answer as it was given."""
    contact = row["method"] and Contact(
        Method(row["method"]), row["contacted_by"], row["contacted_on"], row["met"], row["minutes"]
    )
    verification = Verification(
        Outcome(row["outcome"]),
        tuple(row["causes"]),
        contact or None,
        row["helped_by"],
        row["note"],
        read_findings(row["household_check"]),
        needs=tuple(Sector(need) for need in row["needs"]),
    )
    return Closing(row["verification_id"], verification, row["officer_no"], row["officer_role"])


def role_of(doing: Doing) -> Role:
    """The post somebody answers in; PersonNeeded without one."""
    if doing.caller.role is None:
        raise PersonNeeded
    return doing.caller.role
