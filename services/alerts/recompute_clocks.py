"""Compute deadlines again that run over days which have changed: a list was published, a county has a day off."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.alerts import repository, repository_calendar, repository_escalation
from services.alerts.begin_escalations import due_after
from services.alerts.domain.alert import Deadlines, Status
from services.alerts.news import clocks_of
from services.alerts.read_calendar import Calendars, read_calendars
from services.alerts.repository import Row
from shared.db.scope import transaction
from shared.runtime import Runtime

_AT_ONCE = 500
_STARTS = ("opened_at", "ack_from", "verify_from")


async def recompute_clocks(runtime: Runtime) -> int:
    """Go through up to five hundred open alerts of the oldest change; how many were looked at, 0 when all is done."""
    async with transaction(runtime.worker_pool) as connection:
        change = await repository_calendar.lock_change(connection)
        if change is None:
            return 0
        now = runtime.clock.now()
        alerts = await repository_calendar.lock_alerts_over(connection, change, _AT_ONCE)
        await _recompute(connection, alerts, now)
        is_done = len(alerts) < _AT_ONCE
        await repository_calendar.update_change(
            connection,
            change["change_id"],
            after_alert=alerts[-1]["alert_id"] if alerts else change["after_alert"],
            done_at=now if is_done else None,
        )
    return max(len(alerts), 1)


async def _recompute(connection: asyncpg.Connection, alerts: Sequence[Row], now: datetime) -> None:
    # A clock that began last year runs over the days off of last year too.
    since = min([now, *(alert[name] for alert in alerts for name in _STARTS if alert[name] is not None)])
    calendars = await read_calendars(connection, {alert["living_division"] for alert in alerts}, since)
    moved = [
        (alert, due)
        for alert in alerts
        if (due := _deadlines(alert, calendars, now)) != Deadlines(alert["ack_due_at"], alert["verify_due_at"])
    ]
    await repository_calendar.move_deadlines(connection, [_moved(alert, due) for alert, due in moved])
    await repository.insert_rows(connection, "alert_log", [_log_row(alert, due, now) for alert, due in moved])
    # A wait that began with a step runs over the changed days too, whether or not a deadline moved.
    dues = {alert["alert_id"]: due for alert, due in moved}
    steps = await repository_escalation.escalations_of(connection, [alert["alert_id"] for alert in alerts])
    after = [
        {**alert, **_moved(alert, dues[alert["alert_id"]])} if alert["alert_id"] in dues else alert
        for alert in alerts
    ]
    rows = [
        {
            "alert_id": alert["alert_id"],
            "next_step_at": due_after(alert, timer["since"], calendars, timer["chain_snapshot"], timer["step"]),
        }
        for alert in after
        if (timer := steps.get(alert["alert_id"])) is not None and (timer["next_step_at"] or now) > now
    ]
    await repository_escalation.move_steps(connection, rows)


def _deadlines(alert: Row, calendars: Calendars, now: datetime) -> Deadlines:
    """The deadlines by the calendar of today; what is past stays as it was."""
    calendar, clocks = calendars.at(alert["living_division"]), clocks_of(alert)
    opened = alert["opened_at"]
    acknowledge_by = clocks.acknowledge.after(alert["ack_from"] or opened, calendar)
    verify_by = clocks.verify.after(alert["verify_from"] or opened, calendar)
    is_waiting = alert["status"] == Status.OPEN and alert["ack_due_at"] > now
    return Deadlines(
        acknowledge_by if is_waiting else alert["ack_due_at"],
        verify_by if alert["verify_due_at"] > now else alert["verify_due_at"],
    )


def _moved(alert: Row, due: Deadlines) -> dict[str, Any]:
    return {"alert_id": alert["alert_id"], "ack_due_at": due.acknowledge_by, "verify_due_at": due.verify_by}


def _log_row(alert: Row, due: Deadlines, now: datetime) -> dict[str, Any]:
    return {
        "alert_id": alert["alert_id"],
        "at": now,
        "actor": "alerts",
        "action": "clocks_recomputed",
        "status_before": alert["status"],
        "status_after": alert["status"],
        "detail": {
            "because": "calendar_changed",
            "ack_due_at": [alert["ack_due_at"].isoformat(), due.acknowledge_by.isoformat()],
            "verify_due_at": [alert["verify_due_at"].isoformat(), due.verify_by.isoformat()],
        },
    }
