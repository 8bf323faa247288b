"""Take a step on an alert: the lock, the state machine, the timeline and the audit row that all steps share."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.domain.alert import SEEN_BY, Status, Step, after
from services.alerts.mind_escalation import mind_escalation
from shared.clock import SHANGHAI
from shared.errors import Conflict, Forbidden, NotFound
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.vocabulary.terms import Outcome


class AlertUnknown(NotFound):
    """There is no such alert, or it is out of the caller's range: the two look alike."""

    code, title = "alert_unknown", "没有找到该预警"


class PersonNeeded(Forbidden):
    """A step on an alert is a person's deed; a system, or a login without an officer's number, cannot do it."""

    code, title = "person_needed", "此操作须由登记在册的干部本人完成"


class AlertChanged(Conflict):
    code, title = "alert_changed", "预警已有变化，请刷新后再试"


class AlertClosed(Conflict):
    code, title = "alert_closed", "预警已办结"


class ConfirmationAwaited(Conflict):
    """An answer waits for the second officer: until he confirms or refuses it, nothing else is done."""

    code, title = "confirmation_awaited", "核实结论正待另一位干部复核"


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does a step to which alert, when; `version` is what he saw of the alert, if he says."""

    alert_id: UUID
    caller: Principal
    now: datetime
    version: int | None = None
    request_id: str | None = None

    @property
    def officer_no(self) -> str:
        """The officer's number; PersonNeeded without one."""
        if not self.caller.is_person or not self.caller.officer_no:
            raise PersonNeeded
        return self.caller.officer_no


async def locked_alert(connection: asyncpg.Connection, doing: Doing) -> asyncpg.Record:
    """The alert, locked, in the version the caller saw; PersonNeeded, AlertUnknown, AlertChanged."""
    alert = await lock_any_version(connection, doing)
    check_version(alert, doing)
    return alert


async def lock_any_version(connection: asyncpg.Connection, doing: Doing) -> asyncpg.Record:
    """The alert, locked, as it is; PersonNeeded, AlertUnknown."""
    _ = doing.officer_no
    alert = await repository.lock_alert(connection, doing.alert_id)
    if alert is None:
        raise AlertUnknown
    return alert


def check_version(alert: repository.Row, doing: Doing) -> None:
    """Refuse a step that was decided on an older version; AlertChanged."""
    if doing.version is not None and doing.version != alert["version"]:
        raise AlertChanged(f"您看到的是第 {doing.version} 版，现在是第 {alert['version']} 版")


async def take_step(
    connection: asyncpg.Connection,
    alert: repository.Row,
    step: Step,
    doing: Doing,
    *,
    changes: dict[str, Any] | None = None,
    detail: dict[str, Any] | None = None,
) -> asyncpg.Record:
    """Move a locked alert by one step, with the columns that change beside its status; AlertClosed."""
    before = Status(alert["status"])
    status = after(before, step)
    if status is None and before is Status.CONFIRMING:
        raise ConfirmationAwaited
    if status is None:
        closed_on = alert["closed_at"].astimezone(SHANGHAI).date()
        raise AlertClosed(f"预警已于 {closed_on} 办结，结论：{Outcome(alert['outcome']).zh}")
    moved = await repository.update_alert(
        connection, doing.alert_id, {"status": status, **_seen(alert, step, doing), **(changes or {})}
    )
    if step in SEEN_BY:
        await repository.cancel_deliveries(connection, doing.alert_id, doing.now)
        await mind_escalation(connection, moved, before, doing.now)
    await _record(connection, step, before, status, doing, detail or {})
    return moved


async def note_step(
    connection: asyncpg.Connection, alert: repository.Row, action: str, doing: Doing, detail: dict[str, Any]
) -> None:
    """Write into the timeline and the audit what a person did beside the alert's own states."""
    status = Status(alert["status"])
    await _record(connection, action, status, status, doing, detail)


def _seen(alert: repository.Row, step: Step, doing: Doing) -> dict[str, Any]:
    if step not in SEEN_BY or alert["acknowledged_at"] is not None:
        return {}
    return {"acknowledged_at": doing.now}


async def _record(
    connection: asyncpg.Connection, step: str, before: Status, after_: Status, doing: Doing, detail: dict[str, Any]
) -> None:
    row = {
        "alert_id": doing.alert_id,
        "at": doing.now,
        "actor": doing.officer_no,
        "action": step,
        "status_before": before,
        "status_after": after_,
        "detail": detail,
    }
    await repository.insert_rows(connection, "alert_log", [row])
    await audit(
        connection,
        doing.caller,
        f"alert.{step}",
        f"alert:{doing.alert_id}",
        now=doing.now,
        request_id=doing.request_id,
    )
