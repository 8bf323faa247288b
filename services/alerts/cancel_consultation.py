"""Call off a joint consultation (取消会商): with a reason; the alert is answered as any other again."""

from uuid import UUID

import asyncpg

from services.alerts import repository, repository_consultations
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.consultation import ConsultationDecided, consultation_of
from services.alerts.domain.message import Kind, Matter, MatterKind, consultation_cancelled_text
from services.alerts.letters_to_departments import Asking, letters_to_departments, liaisons_of
from services.alerts.take_step import Doing, locked_alert, note_step
from shared.regions.name_places import name_places
from shared.runtime import Runtime


async def cancel_consultation(
    connection: asyncpg.Connection, doing: Doing, consultation_id: UUID, reason: str, runtime: Runtime
) -> asyncpg.Record:
    """Cancel it and tell the departments that were asked; ConsultationDecided if it has ended. The clocks ran on."""
    alert = await locked_alert(connection, doing)
    consultation = await consultation_of(connection, consultation_id, doing.caller)
    if consultation["state"] != "open":
        raise ConsultationDecided
    row = {
        "consultation_id": consultation_id,
        "reason": reason,
        "cancelled_by": doing.officer_no,
        "cancelled_at": doing.now,
    }
    await repository_consultations.cancel(connection, row)
    detail = {"consultation_id": str(consultation_id), "reason": reason}
    await note_step(connection, alert, "consultation_cancelled", doing, detail)
    await _tell(connection, alert, consultation, runtime)
    return alert


async def _tell(
    connection: asyncpg.Connection, alert: repository.Row, consultation: repository.Row, runtime: Runtime
) -> None:
    place, today = alert["living_division"], runtime.clock.today()
    liaisons = await liaisons_of(connection, place, consultation["departments"], today)
    text = consultation_cancelled_text((await name_places(runtime.directory_pool, [place], today))[place])
    id_ = consultation["consultation_id"]
    matter = Matter(MatterKind.CONSULTATION, id_)
    asking = Asking(f"consultation_cancelled:{id_}", Kind.CONSULTED, matter, text)
    letters = await letters_to_departments(connection, alert, liaisons, asking, runtime)
    await put_in_inboxes(connection, letters, runtime.clock.now())
