"""Record that the household could not be reached (联系不上): a step of verifying, never a closing."""

import asyncpg

from services.alerts.domain.alert import Status, Step
from services.alerts.domain.verification import Method
from services.alerts.report_progress import Reported, report_progress
from services.alerts.take_step import Doing, locked_alert, take_step


async def record_attempt(
    connection: asyncpg.Connection, doing: Doing, *, method: Method, note: str | None
) -> asyncpg.Record:
    """Write the attempt into the timeline; the clock of verification runs on."""
    alert = await locked_alert(connection, doing)
    taken = await take_step(connection, alert, Step.CANNOT_REACH, doing, detail={"method": method, "note": note})
    if alert["status"] == Status.OPEN:
        reported = Reported(doing.alert_id, alert["report_ids"])
        await report_progress(connection, [reported], ("acknowledged",), doing.now)
    return taken
