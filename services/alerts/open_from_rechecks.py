"""Open an alert for each re-check that found something else than the answer; another officer answers it."""

from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_answers, repository_concern
from services.alerts.dispatch import Desk, Dispatch, desk_for
from services.alerts.domain.message import Kind
from services.alerts.news import ANSWER_COLUMNS, clocks_of, digest_of
from services.alerts.read_calendar import read_calendars
from services.alerts.repository import Row
from services.alerts.route_alert import WAKES, route_alerts
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Outcome

_AT_ONCE = 100
# What the new alert takes over from the one that was answered.
_KEPT = (
    "subject",
    "household_no",
    "living_division",
    "registered_division",
    "contact_name",
    "contact_phone",
    "severity",
    "recommendation",
    "listed_as",
    "causes",
    "facts_version",
    "policy_version",
    "acknowledge_hours",
    "acknowledge_unit",
    "verify_days",
    "verify_unit",
    *ANSWER_COLUMNS,
)


async def open_from_rechecks(runtime: Runtime) -> int:
    """Open up to 100 alerts; how many re-checks led to one."""
    async with transaction(runtime.worker_pool) as connection:
        found = await repository_answers.rechecks_to_open(connection, _AT_ONCE)
        if not found:
            return 0
        desk = await desk_for(
            runtime, {r[name] for r in found for name in ("living_division", "registered_division")}
        )
        desk = desk.dated(await read_calendars(connection, {r["living_division"] for r in found}, desk.now))
        subjects = {row["subject"] for row in found}
        await repository.lock_subjects(connection, subjects)
        known: dict[str, Row] = dict(await repository.lock_open_alerts(connection, subjects))
        dispatches = []
        for row in found:
            dispatches += await _lead(connection, row, known, desk)
        await route_alerts(connection, dispatches, desk)
    runtime.waker.wake(*WAKES)
    return len(found)


async def _lead(connection: asyncpg.Connection, row: Row, known: dict[str, Row], desk: Desk) -> list[Dispatch]:
    """One household, one open alert: the difference opens one, or is further evidence of the one that is open."""
    before = known.get(row["subject"])
    alert = before or _opening(row, desk)
    alert_id = UUID(str(alert["alert_id"]))
    if before is None:
        known[row["subject"]] = alert
        await repository.insert_rows(connection, "alert", [alert])
        await repository_concern.bar_as_in(connection, alert_id, row["alert_id"], desk.now)
        await repository_concern.bar_concerned(connection, [alert_id], desk.now)
    await repository.insert_rows(connection, "alert_evidence", _evidence(row, alert_id, desk))
    await repository.insert_rows(connection, "alert_log", [_log(row, alert, before, desk)])
    await repository_answers.note_opened(connection, row["verification_id"], alert_id)
    barred = frozenset(filter(None, (row["answered_by"], row["second_officer_no"])))
    key = f"rechecked:{row['verification_id']}"
    return [] if before else [Dispatch(alert, Kind.RECHECKED, key, (_sentence(row),), barred=barred)]


def _opening(row: Row, desk: Desk) -> dict[str, Any]:
    clocks, calendar = clocks_of(row), desk.calendars.at(row["living_division"])
    return {
        **{name: row[name] for name in _KEPT},
        "alert_id": new_id(desk.now),
        "reason": "recheck",
        "report_ids": [],
        "status": "open",
        "follows": row["alert_id"],
        "opened_at": desk.now,
        "opened_on": desk.today,
        "ack_from": desk.now,
        "ack_due_at": clocks.acknowledge.after(desk.now, calendar),
        "verify_from": desk.now,
        "verify_due_at": clocks.verify.after(desk.now, calendar),
        "version": 1,
    }


def _sentence(row: Row) -> str:
    answered, found = Outcome(row["answered"]).zh, Outcome(row["found"]).zh
    return f"原结论为“{answered}”，抽查认为应为“{found}”"


def _evidence(row: Row, alert_id: UUID, desk: Desk) -> list[dict[str, Any]]:
    """The difference; whoever gave the answer, or let it stand, is barred from the next (回避)."""
    items = [
        {
            "indicator": "recheck",
            "state": "fired",
            "note": _sentence(row),
            "occurred_on": row["checked_on"].isoformat(),
            "about": str(row["verification_id"]),
            "barred": barred,
        }
        for barred in filter(None, (row["answered_by"], row["second_officer_no"]))
    ]
    return [
        {
            "alert_id": alert_id,
            "event_id": row["verification_id"],
            "kind": "finding",
            "item": item,
            "digest": digest_of("finding", item),
            "facts_version": row["facts_version"],
            "policy_version": row["policy_version"],
            "recorded_at": desk.now,
        }
        for item in items
    ]


def _log(row: Row, alert: Row, before: Row | None, desk: Desk) -> dict[str, Any]:
    return {
        "alert_id": alert["alert_id"],
        "at": desk.now,
        "actor": row["checked_by"],
        "action": "opened" if before is None else "extended",
        "status_before": before["status"] if before else None,
        "status_after": alert["status"],
        "detail": {
            "reason": "recheck",
            "verification_id": str(row["verification_id"]),
            "follows": str(row["alert_id"]),
        },
    }
