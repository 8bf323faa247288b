"""Begin the escalation of alerts that got their people, or begin it anew when they got worse or went to another."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_escalation
from services.alerts.copied_chain import Snapshot, chain_snapshot, levels_of, wait_of
from services.alerts.dispatch import Desk, Told, desk_for
from services.alerts.domain.alert import Deadlines, Status
from services.alerts.domain.clocks import Length, next_step_at
from services.alerts.domain.duty import Listener, Post, Reach, by_place
from services.alerts.domain.escalation import Levels, chain_at, levels_by, lowest_level
from services.alerts.domain.message import Kind
from services.alerts.draft import Draft
from services.alerts.read_calendar import Calendars, read_calendars
from services.alerts.repository import Row
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role

# The climbing itself tells people too; it keeps its own row.
_OF_THE_CLIMB = (Kind.REMINDER, Kind.ESCALATION)
_IN_OTHER_HANDS = (Kind.HANDED_OVER, Kind.MOVED)
_AT_ONCE = 200


async def begin_escalations(connection: asyncpg.Connection, told: Iterable[Told], desk: Desk, draft: Draft) -> None:
    """Copy the chain of each alert as it is now and set its timer; later edits of duties change neither."""
    beginning = [one for one in told if one.dispatch.kind not in _OF_THE_CLIMB and one.listening.listeners]
    if not beginning:
        return
    alerts = [one.dispatch.alert for one in beginning]
    climbing = {one.dispatch.alert_id for one in beginning} - draft.opened
    known = await repository_escalation.escalations_of(connection, climbing) if climbing else {}
    calendars = await _calendars(connection, alerts, desk)
    draft.alert_escalation += [
        _row(one, known.get(one.dispatch.alert_id) if known else None, calendars, desk) for one in beginning
    ]


async def begin_missing_escalations(runtime: Runtime) -> int:
    """Set the timers of open alerts that have none, a few hundred at once; how many."""
    async with transaction(runtime.worker_pool) as connection:
        alerts = await repository_escalation.lock_without_escalation(connection, _AT_ONCE)
        if not alerts:
            return 0
        desk = await desk_for(runtime, {alert["living_division"] for alert in alerts})
        posts = await repository.posts_at(connection, {alert["living_division"] for alert in alerts}, desk.today)
        assigned = await assigned_to(connection, [alert["alert_id"] for alert in alerts])
        desk, calendars = desk.knowing(by_place(posts), assigned, {}, {}), await _calendars(connection, alerts, desk)
        rows = [_fresh(alert, assigned.get(alert["alert_id"], ()), calendars, desk) for alert in alerts]
        await repository_escalation.write_escalations(connection, rows)
    return len(alerts)


async def assigned_to(connection: asyncpg.Connection, alert_ids: Iterable[UUID]) -> dict[UUID, list[Listener]]:
    """Who answers for each alert now."""
    assigned: dict[UUID, list[Listener]] = {}
    for row in await repository.assignments_of(connection, alert_ids):
        listener = Listener(row["officer_no"], Role(row["role"]), Reach(row["reach"]))
        assigned.setdefault(row["alert_id"], []).append(listener)
    return assigned


@lru_cache(maxsize=4096)
def _chain(
    place: str, posts: tuple[Post, ...], barred: frozenset[str], levels: Levels, waits: tuple[Length, ...]
) -> list[dict[str, Any]]:
    """The chain over a place as it is stored; only to be read."""
    return chain_snapshot(chain_at(place, posts, barred, levels, waits))


async def _calendars(connection: asyncpg.Connection, alerts: Iterable[Row], desk: Desk) -> Calendars:
    places = {alert["living_division"] for alert in alerts}
    if places <= desk.calendars.of_place.keys():
        return desk.calendars
    return await read_calendars(connection, places, desk.now)


def _row(one: Told, known: Row | None, calendars: Calendars, desk: Desk) -> dict[str, Any]:
    """A new timer; of one that runs already, neither later nor on a lower level than it was, but in other hands."""
    alert, listeners = one.dispatch.alert, one.listening.listeners
    if known is None or one.dispatch.kind in _IN_OTHER_HANDS:
        return _fresh(alert, listeners, calendars, desk, one)
    row = _fresh(alert, listeners, calendars, desk, one, known)
    running = known["next_step_at"]
    soonest = min(running, row["next_step_at"]) if running else row["next_step_at"]
    return {**row, "next_step_at": soonest}


def _fresh(
    alert: Row,
    listeners: Iterable[Listener],
    calendars: Calendars,
    desk: Desk,
    told: Told | None = None,
    known: Row | None = None,
) -> dict[str, Any]:
    if told and told.routing is None and known is not None:
        # Whoever is told by name is told no other chain: it stays as it was copied.
        chain, levels = known["chain_snapshot"], levels_of(known["chain_snapshot"])
    else:
        chain, levels = _copied(alert, desk, told)
    step = max(lowest_level(listeners, levels), known["step"] if known else 1)
    return {
        "alert_id": alert["alert_id"],
        "chain_snapshot": chain,
        "step": step,
        "since": desk.now,
        "next_step_at": due_after(alert, desk.now, calendars, chain, step),
        "token": new_id(desk.now),
        "finished_at": None,
    }


def _copied(alert: Row, desk: Desk, told: Told | None) -> tuple[list[dict[str, Any]], Levels]:
    """The chain as the routes say, with who stands on it today, and its levels."""
    barred = told.dispatch.barred if told else frozenset[str]()
    if desk.concerned:
        barred |= desk.concerned.get(alert["alert_id"], frozenset())
    plan = told.routing.plan if told and told.routing else None
    levels, waits = levels_by(plan.escalate if plan else ()), plan.waits if plan else ()
    place = alert["living_division"]
    return _chain(place, tuple(desk.posts_at(place)), barred, levels, waits), levels


def due_after(alert: Row, since: datetime, calendars: Calendars, chain: Snapshot, step: int) -> datetime:
    """When an alert climbs that stands as it does, on this level of its chain, since then."""
    due = Deadlines(alert["ack_due_at"], alert["verify_due_at"])
    calendar = calendars.at(alert["living_division"])
    return next_step_at(Status(alert["status"]), due, wait_of(chain, step, alert), since, calendar)
