"""Write a department's opinion in a joint consultation (书面意见)."""

from uuid import UUID

import asyncpg

from services.alerts import repository_consultations
from services.alerts.consultation import ConsultationDecided, consultation_of
from services.alerts.take_step import Doing, locked_alert, note_step
from shared.errors import Conflict, Forbidden
from shared.vocabulary.terms import Role


class OpinionGiven(Conflict):
    code, title = "opinion_given", "本部门已提交书面意见"


class NotAsked(Forbidden):
    """Only the departments asked write an opinion, each by its own liaison."""

    code, title = "not_asked", "只有被征求意见部门的联络员可以提交书面意见"


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
