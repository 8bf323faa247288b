"""What a person's step does to the timer of an alert, in the transaction of the step."""

from datetime import datetime

import asyncpg

from services.alerts import repository_escalation
from services.alerts.copied_chain import wait_of
from services.alerts.domain.alert import Deadlines, Status
from services.alerts.domain.clocks import next_step_at
from services.alerts.news import clocks_of
from services.alerts.read_calendar import read_calendar
from services.alerts.repository import Row
from shared.vocabulary.identifiers import new_id


async def mind_escalation(connection: asyncpg.Connection, alert: Row, before: Status, now: datetime) -> None:
    """An answer ends the climbing; the first sign that it was seen lets it wait for the verification deadline."""
    alert_id, token = alert["alert_id"], new_id(now)
    if alert["status"] == Status.CLOSED:
        await repository_escalation.finish_escalation(connection, alert_id, token=token, now=now)
    elif before is Status.OPEN:
        due = await _next_step_at(connection, alert, now)
        await repository_escalation.wait_until(connection, alert_id, since=now, next_step_at=due, token=token)


async def _next_step_at(connection: asyncpg.Connection, alert: Row, now: datetime) -> datetime:
    """The verification deadline; only where that is past already is the calendar needed."""
    if alert["verify_due_at"] > now:
        due: datetime = alert["verify_due_at"]
        return due
    calendar = await read_calendar(connection, alert["living_division"], now)
    timers = await repository_escalation.escalations_of(connection, [alert["alert_id"]])
    timer = timers.get(alert["alert_id"])
    wait = wait_of(timer["chain_snapshot"], timer["step"], alert) if timer else clocks_of(alert).acknowledge
    deadlines = Deadlines(alert["ack_due_at"], alert["verify_due_at"])
    return next_step_at(Status(alert["status"]), deadlines, wait, now, calendar)
