"""Let alerts climb that nobody acknowledged or verified in time (逐级督办): one level a scan, each step once.

The row is the timer: it is locked together with its alert, so that whoever acknowledges at the same moment comes
either before the step, and it does not happen, or after it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern, repository_escalation
from services.alerts.begin_escalations import assigned_to
from services.alerts.copied_chain import chain_of, wait_of
from services.alerts.dispatch import Desk, Dispatch, desk_for
from services.alerts.domain.alert import Status
from services.alerts.domain.duty import Gap, Listener, Post, Reach, by_place
from services.alerts.domain.escalation import LEVELS, TOP, Climb, as_answered, chain_at, climb
from services.alerts.domain.message import Kind
from services.alerts.read_calendar import read_calendars
from services.alerts.repository import Row
from services.alerts.repository_calendar import hold_calendar
from services.alerts.route_alert import WAKES, route_alerts
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id

ACTOR = "alerts"
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Step:
    """What is done with one due alert: to whom it climbs (None: nobody is above), and who is reminded."""

    alert: Row
    climb: Climb | None
    reminded: tuple[Listener, ...]
    next_step_at: datetime | None

    @property
    def alert_id(self) -> UUID:
        found: UUID = self.alert["alert_id"]
        return found


async def escalate_due(runtime: Runtime) -> int:
    """Take one step for up to a hundred alerts that are due; how many were."""
    async with transaction(runtime.worker_pool) as connection:
        await hold_calendar(connection)
        due = await repository_escalation.lock_due(connection, runtime.clock.now(), _AT_ONCE)
        if not due:
            return 0
        desk = await _desk(connection, due, runtime)
        for alert in due:
            await _settle_without_step(connection, alert, desk)
        climbing = [alert for alert in due if _is_climbing(alert, desk)]
        steps = await _decide(connection, climbing, desk)
        await route_alerts(connection, [dispatch for step in steps for dispatch in _dispatches(step)], desk)
        for step in steps:
            await _write(connection, step, desk)
    runtime.waker.wake(*WAKES)
    return len(due)


async def _desk(connection: asyncpg.Connection, due: Sequence[Row], runtime: Runtime) -> Desk:
    places = {alert["living_division"] for alert in due}
    desk = await desk_for(runtime, places)
    posts = await repository.posts_at(connection, places, desk.today)
    assigned = await assigned_to(connection, [alert["alert_id"] for alert in due])
    calendars = await read_calendars(connection, places, desk.now)
    return desk.knowing(by_place(posts), assigned, {}, {}).dated(calendars)


def _is_climbing(alert: Row, desk: Desk) -> bool:
    return alert["status"] != Status.CLOSED and desk.calendars.at(alert["living_division"]).is_working(desk.now)


async def _settle_without_step(connection: asyncpg.Connection, alert: Row, desk: Desk) -> None:
    """An answered alert is finished; at night and on days off the step waits for working time."""
    if alert["status"] == Status.CLOSED:
        await repository_escalation.finish_escalation(
            connection, alert["alert_id"], token=new_id(desk.now), now=desk.now
        )
    elif not _is_climbing(alert, desk):
        later = desk.calendars.at(alert["living_division"]).first_working_moment(desk.now)
        await repository_escalation.set_step(connection, alert["alert_id"], alert["token"], {"next_step_at": later})


async def _decide(connection: asyncpg.Connection, alerts: Sequence[Row], desk: Desk) -> list[Step]:
    ids = [alert["alert_id"] for alert in alerts]
    barred = await repository_concern.barred_in(connection, ids)
    concerned = await repository_concern.concerned_in(connection, ids)
    none = frozenset[str]()
    kept = {each: barred.get(each, none) | concerned.get(each, none) for each in ids}
    return [_step(alert, kept, desk) for alert in alerts]


def _step(alert: Row, barred: Mapping[UUID, frozenset[str]], desk: Desk) -> Step:
    alert_id, place = alert["alert_id"], alert["living_division"]
    kept = barred.get(alert_id, frozenset())
    posts = [post for post in desk.posts_at(place) if post.officer_no not in kept]
    climbed = _climb(alert, posts)
    told = {person.officer_no for person in climbed.people} if climbed else set()
    reminded = _reminded(desk.assigned.get(alert_id, ()), told, {post.officer_no for post in posts})
    level = climbed.level if climbed else alert["step"]
    top = max((rung["level"] for rung in alert["chain_snapshot"]), default=TOP)
    finished = level >= top or (climbed is None and alert["step"] >= top)
    wait = wait_of(alert["chain_snapshot"], level, alert)
    next_at = None if finished else wait.after(desk.now, desk.calendars.at(place))
    return Step(alert, climbed, reminded, next_at)


def _climb(alert: Row, posts: Sequence[Post]) -> Climb | None:
    """The next level of the copied chain with somebody still in post; if all have left, of those in post today."""
    in_post = {post.officer_no for post in posts}
    climbed = climb(as_answered(chain_of(alert["chain_snapshot"]), posts), alert["step"], in_post)
    return climbed or climb(chain_at(alert["living_division"], posts), alert["step"], in_post)


def _reminded(
    assigned: Collection[Listener], told: Collection[str], in_post: Collection[str]
) -> tuple[Listener, ...]:
    return tuple(
        one
        for one in assigned
        if one.officer_no not in told and one.officer_no in in_post and one.reach is not Reach.COPY
    )


def _dispatches(step: Step) -> list[Dispatch]:
    """The messages of a step, keyed by the timer that ran out: whoever runs it again sends none of them twice."""
    token = step.alert["token"]
    dispatches = []
    if step.climb is not None:
        place = step.alert["living_division"]
        gaps = tuple(Gap(place, LEVELS[level - 1][0]) for level in step.climb.passed_over if level <= TOP)
        key = f"{Kind.ESCALATION}:{token}"
        dispatches.append(Dispatch(step.alert, Kind.ESCALATION, key, only=step.climb.people, gaps=gaps))
    if step.reminded:
        dispatches.append(Dispatch(step.alert, Kind.REMINDER, f"{Kind.REMINDER}:{token}", only=step.reminded))
    return dispatches


async def _write(connection: asyncpg.Connection, step: Step, desk: Desk) -> None:
    level = step.climb.level if step.climb else step.alert["step"]
    changes = {
        "step": level,
        "since": desk.now,
        "next_step_at": step.next_step_at,
        "token": new_id(desk.now),
        "finished_at": None if step.next_step_at else desk.now,
    }
    await repository_escalation.set_step(connection, step.alert_id, step.alert["token"], changes)
    await repository.insert_rows(connection, "alert_log", [_log_row(step, level, desk)])


def _log_row(step: Step, level: int, desk: Desk) -> dict[str, Any]:
    status = step.alert["status"]
    return {
        "alert_id": step.alert_id,
        "at": desk.now,
        "actor": ACTOR,
        "action": "escalated" if step.climb else "reminded",
        "status_before": status,
        "status_after": status,
        "detail": {
            "because": "not_acknowledged" if status == Status.OPEN else "not_verified",
            "level": level,
            "to": [person.officer_no for person in step.climb.people] if step.climb else [],
            "reminded": [person.officer_no for person in step.reminded],
            "passed_over": list(step.climb.passed_over) if step.climb else [],
            "next_step_at": step.next_step_at.isoformat() if step.next_step_at else None,
        },
    }
