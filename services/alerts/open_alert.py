"""Open alerts, or extend the open ones: the effect of monitoring's news, in one transaction.

One household, one open alert, many pieces of evidence. What does not open is stored with the reason.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern
from services.alerts.dispatch import Desk, Dispatch, desk_for
from services.alerts.domain.change import Change, change_for
from services.alerts.domain.message import Kind
from services.alerts.news import (
    News,
    digest_of,
    evidence_of,
    extended,
    extension,
    newest_of_each,
    opening,
)
from services.alerts.open_tickets import close_corrected
from services.alerts.read_calendar import read_calendars
from services.alerts.repository_calendar import hold_calendar
from services.alerts.route_alert import WAKES, route_alerts
from shared.contracts.envelope import Event
from shared.contracts.monitoring import RiskChanged, RiskItem
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id

MONITORING = "monitoring"


async def open_alerts(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Take in a `risk_changed` message; the names of the queues it filled."""
    told = RiskChanged.model_validate(event.data)
    items = newest_of_each(told.items)
    await hold_calendar(connection)
    desk = await desk_for(runtime, {place for i in items for place in (i.living_division, i.registered_division)})
    desk = desk.dated(await read_calendars(connection, {i.living_division for i in items}, desk.now))
    news, withheld = await _decide(connection, items, told.policy_version, desk)
    await _write(connection, news, event, desk)
    moved = await repository_concern.bar_concerned(connection, [one.alert_id for one in news], desk.now)
    quiet = [_quiet(one, desk) for one in news if _dispatch(one) is None]
    await repository.insert_rows(
        connection, "notification", [*withheld, *quiet], conflict="ON CONFLICT (dedupe_key) DO NOTHING"
    )
    await repository.remember_subjects(connection, [_seen(item) for item in items])
    await close_corrected(connection, items, desk.now)
    await route_alerts(connection, [d for d in map(_dispatch, news) if d is not None], desk)
    return (*WAKES, "route") if moved else WAKES


async def _decide(
    connection: asyncpg.Connection, items: Sequence[RiskItem], policy_version: str, desk: Desk
) -> tuple[list[News], list[dict[str, Any]]]:
    """Read what is known under locks and decide each item: what opens or extends, and the rows of what does not."""
    names = [item.subject for item in items]
    reported = [
        (f"report:{report_id}", item.subject, item.household_no)
        for item in items
        if item.household_no is not None
        for report_id in item.report_ids
    ]
    subjects = await repository.lock_subjects(connection, [*names, *(report for report, _, _ in reported)])
    await repository.adopt_alerts(connection, reported)
    alerts = await repository.lock_open_alerts(connection, names)
    closed = await repository.last_closed_alerts(connection, set(names) - alerts.keys())
    news, withheld = [], []
    for item in items:
        before, calendar = alerts.get(item.subject), desk.calendars.at(item.living_division)
        known = repository.known(subjects[item.subject], before)
        change = change_for(known, facts_version=item.facts_version, opens=item.opens, report_ids=item.report_ids)
        if change is Change.WITHHOLD:
            withheld.append(_withheld(item, desk))
        elif change is not Change.IGNORE:
            new_reports = tuple(r for r in item.report_ids if r not in known.report_ids)
            alert = (
                opening(item, policy_version, closed.get(item.subject), calendar, now=desk.now, today=desk.today)
                if before is None
                else extended(before, item, policy_version, new_reports, calendar, now=desk.now)
            )
            news.append(News(item, alert, before, new_reports))
    return news, withheld


async def _write(connection: asyncpg.Connection, news: Sequence[News], event: Event, desk: Desk) -> None:
    await repository.insert_rows(connection, "alert", [one.alert for one in news if one.before is None])
    await repository.extend_alerts(connection, [extension(one.alert) for one in news if one.before is not None])
    fresh = await _add_evidence(connection, news, event, desk)
    rows = [_log_row(one, fresh.get(one.alert_id, 0), event, desk) for one in news]
    await repository.insert_rows(connection, "alert_log", rows)


async def _add_evidence(
    connection: asyncpg.Connection, news: Iterable[News], event: Event, desk: Desk
) -> dict[UUID, int]:
    """Write each piece of evidence once; how many are new, by alert."""
    rows = [
        {
            "alert_id": one.alert_id,
            "event_id": event.id,
            "kind": kind,
            "item": item,
            "digest": digest_of(kind, item),
            "facts_version": one.item.facts_version,
            "policy_version": one.alert["policy_version"],
            "recorded_at": desk.now,
        }
        for one in news
        for kind, item in evidence_of(one.item)
    ]
    made = await repository.insert_rows(
        connection,
        "alert_evidence",
        rows,
        conflict="ON CONFLICT (alert_id, digest) DO NOTHING",
        returning="alert_id",
    )
    fresh: dict[UUID, int] = {}
    for row in made:
        fresh[row["alert_id"]] = fresh.get(row["alert_id"], 0) + 1
    return fresh


def _log_row(one: News, new_evidence: int, event: Event, desk: Desk) -> dict[str, Any]:
    return {
        "alert_id": one.alert_id,
        "at": desk.now,
        "actor": MONITORING,
        "action": "opened" if one.before is None else "extended",
        "status_before": one.before["status"] if one.before else None,
        "status_after": one.alert["status"],
        "detail": {
            "event_id": str(event.id),
            "severity": one.alert["severity"],
            "reason": one.item.reason,
            "new_evidence": new_evidence,
            "new_reports": len(one.new_reports),
        },
    }


def _dispatch(one: News) -> Dispatch | None:
    """What people are told: an opening, a worse severity, a further report; more of the same is not sent."""
    kind, key = Kind.OPENED, f"opened:{one.alert_id}"
    if one.is_worse:
        kind, key = Kind.RAISED, f"raised:{one.alert_id}:{one.alert['severity']}"
    elif one.before is not None and one.new_reports:
        kind, key = Kind.REPORTED, f"reported:{one.alert_id}:{'+'.join(sorted(one.new_reports))}"
    elif one.before is not None:
        return None
    return Dispatch(one.alert, kind, key, one.sentences, one.new_reports, barred=one.barred)


def _withheld(item: RiskItem, desk: Desk) -> dict[str, Any]:
    reason = item.withheld_because or "未达到开启条件"
    key = f"withheld:{item.subject}:{item.facts_version}"
    return _suppressed(key, Kind.WITHHELD, None, item.subject, item.living_division, reason, desk)


def _quiet(one: News, desk: Desk) -> dict[str, Any]:
    key = f"evidence:{one.alert_id}:{one.item.facts_version}"
    reason = "已有未办结预警，依据已补充，不重复发送"
    return _suppressed(key, Kind.EVIDENCE, one.alert_id, one.item.subject, one.alert["living_division"], reason, desk)


def _suppressed(
    key: str, kind: Kind, alert_id: UUID | None, subject: str, division: str, reason: str, desk: Desk
) -> dict[str, Any]:
    """The row of a message that is not sent; every one has its reason."""
    return {
        "notification_id": new_id(desk.now),
        "dedupe_key": key,
        "alert_id": alert_id,
        "subject": subject,
        "division": division,
        "kind": kind,
        "decision": "suppress",
        "reason": reason,
        "created_at": desk.now,
    }


def _seen(item: RiskItem) -> dict[str, Any]:
    return {"subject": item.subject, "facts_version": item.facts_version, "report_ids": item.report_ids}
