"""Record that the household could not be reached (联系不上): a step of verifying, never a closing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_answers, repository_concern
from services.alerts.dispatch import Desk, Dispatch
from services.alerts.domain.alert import Status, Step
from services.alerts.domain.attempt import goes_up
from services.alerts.domain.duty import LADDER, Listener, Reach
from services.alerts.domain.message import Kind
from services.alerts.domain.verification import Method
from services.alerts.report_progress import Reported, report_progress
from services.alerts.route_alert import route_alerts
from services.alerts.take_step import Doing, locked_alert, take_step
from shared.clock import SHANGHAI
from shared.errors import FieldError, Unprocessable
from shared.vocabulary.identifiers import new_id


class AttemptRefused(Unprocessable):
    code, title = "attempt_refused", "联系记录有误"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try in vain: how and when; working offline, it is told later than it was made."""

    method: Method
    note: str | None = None
    tried_at: datetime | None = None
    attempt_id: UUID | None = None


async def record_attempt(
    connection: asyncpg.Connection, doing: Doing, *, attempt: Attempt, desk: Desk
) -> asyncpg.Record:
    """Write the try; the clock of verification runs on. After three different days somebody above takes part."""
    alert = await locked_alert(connection, doing)
    tried_at = _moment(attempt, alert, doing)
    tried_on = tried_at.astimezone(SHANGHAI).date()
    up = goes_up(await repository_answers.days_tried(connection, doing.alert_id), tried_on)
    detail = {"method": attempt.method, "note": attempt.note, "tried_at": tried_at.isoformat(), "goes_up": up}
    taken = await take_step(connection, alert, Step.CANNOT_REACH, doing, detail=detail)
    row = {
        "attempt_id": attempt.attempt_id or new_id(doing.now),
        "alert_id": doing.alert_id,
        "officer_no": doing.officer_no,
        "method": attempt.method,
        "tried_at": tried_at,
        "tried_on": tried_on,
        "note": attempt.note,
        "recorded_at": doing.now,
    }
    await repository.insert_rows(connection, "attempt", [row])
    if alert["status"] == Status.OPEN:
        reported = Reported(doing.alert_id, alert["report_ids"])
        await report_progress(connection, [reported], ("acknowledged",), doing.now)
    if up:
        await _go_up(connection, taken, desk)
    return taken


def _moment(attempt: Attempt, alert: repository.Row, doing: Doing) -> datetime:
    moment = attempt.tried_at or doing.now
    if alert["opened_at"] <= moment <= doing.now:
        return moment
    message = "联系时间应在预警开启之后、现在之前"
    error = FieldError("body/tried_at", "tried_at_out_of_time", message, example=doing.now.isoformat())
    raise AttemptRefused(message, errors=[error])


async def _go_up(connection: asyncpg.Connection, alert: repository.Row, desk: Desk) -> None:
    """Make the next filled post above those who answer for the alert answer for it too; the county has none above."""
    assigned = await repository.assignments_of(connection, [alert["alert_id"]])
    highest = max((row["level"] for row in assigned if row["reach"] != Reach.COPY), default=0)
    posts = await repository.posts_at(connection, [alert["living_division"]], desk.today)
    held = {post.role for post in posts if post.role in LADDER and LADDER.index(post.role) >= highest}
    if not held:
        return
    role = min(held, key=LADDER.index)
    barred = await repository_concern.barred_of(connection, alert["alert_id"])
    people = sorted({post.officer_no for post in posts if post.role is role} - barred)
    only = tuple(Listener(officer_no, role, Reach.DUTY) for officer_no in people)
    key = f"unreached:{alert['alert_id']}:{role}"
    await route_alerts(connection, [Dispatch(alert, Kind.UNREACHED, key, only=only)], desk)
