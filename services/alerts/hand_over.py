"""Hand an alert over to a colleague on duty for the place (移交): a step, never a closing."""

from datetime import date

import asyncpg

from services.alerts import repository
from services.alerts.dispatch import Desk, Dispatch
from services.alerts.domain.alert import Step
from services.alerts.domain.duty import Listener, Reach
from services.alerts.domain.message import Kind
from services.alerts.news import clocks_of
from services.alerts.read_calendar import read_calendar
from services.alerts.repository_calendar import hold_calendar
from services.alerts.route_alert import route_alerts
from services.alerts.take_step import Doing, locked_alert, take_step
from shared.errors import FieldError, Unprocessable


class ColleagueNotOnDuty(Unprocessable):
    code, title = "colleague_not_on_duty", "接收人不是该地在岗责任人"


async def hand_over(
    connection: asyncpg.Connection, doing: Doing, *, to_officer_no: str, reason: str, desk: Desk
) -> asyncpg.Record:
    """Make the colleague answer for the alert instead of the caller; it is open again, for him to acknowledge."""
    await hold_calendar(connection)
    alert = await locked_alert(connection, doing)
    colleague = await _colleague(connection, alert, to_officer_no, doing.officer_no, desk.today)
    calendar = await read_calendar(connection, alert["living_division"], doing.now)
    due = clocks_of(alert).acknowledge.after(doing.now, calendar)
    taken = await take_step(
        connection,
        alert,
        Step.HAND_OVER,
        doing,
        changes={"ack_due_at": due, "ack_from": doing.now, "acknowledged_at": None},
        detail={"to": to_officer_no, "reason": reason},
    )
    await repository.end_assignments(connection, doing.alert_id, [doing.officer_no, to_officer_no], doing.now)
    key = f"handed_over:{doing.alert_id}:{taken['version']}"
    await route_alerts(connection, [Dispatch(taken, Kind.HANDED_OVER, key, only=(colleague,))], desk)
    return taken


async def _colleague(
    connection: asyncpg.Connection, alert: repository.Row, to_officer_no: str, own: str, today: date
) -> Listener:
    places = (alert["living_division"], alert["registered_division"])
    post = await repository.officer_on_duty(connection, to_officer_no, places, today)
    if post is None or to_officer_no == own:
        error = FieldError("body/to_officer_no", "not_on_duty", "应为该村、乡镇或县的另一位在岗责任人")
        raise ColleagueNotOnDuty("移交未执行", errors=[error])
    return Listener(to_officer_no, post.role, Reach.HANDED_OVER)
