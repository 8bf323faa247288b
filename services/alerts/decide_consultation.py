"""Decide a joint consultation (会商决定): what was decided closes the alert."""

from datetime import date
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_consultations
from services.alerts.close_alert import Closing, close_alert, role_of
from services.alerts.consultation import ConsultationDecided, consultation_of, refuse
from services.alerts.domain.alert import Step
from services.alerts.domain.consultation import Decision, decision_objections
from services.alerts.domain.verification import Verification
from services.alerts.take_step import Doing, locked_alert
from services.alerts.verify import add_answer
from shared.clock import SHANGHAI
from shared.runtime import Runtime


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
        await add_answer(connection, _answer(closing, consultation_id, doing))

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
    refuse(found)


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
