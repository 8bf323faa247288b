"""Acknowledge an alert (签收): a person has seen it, so nothing more is sent about it."""

import asyncpg

from services.alerts.domain.alert import Status, Step
from services.alerts.report_progress import Reported, report_progress
from services.alerts.take_step import Doing, locked_alert, take_step


async def acknowledge(connection: asyncpg.Connection, doing: Doing) -> asyncpg.Record:
    """Acknowledge, and cancel what is not yet delivered, in the same transaction. Again changes nothing."""
    alert = await locked_alert(connection, doing)
    if alert["status"] in (Status.ACKNOWLEDGED, Status.VERIFYING, Status.CONFIRMING):
        return alert
    taken = await take_step(connection, alert, Step.ACKNOWLEDGE, doing)
    reported = Reported(doing.alert_id, alert["report_ids"])
    await report_progress(connection, [reported], ("acknowledged",), doing.now)
    return taken
