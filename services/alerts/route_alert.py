"""Route warnings: to whom, and by which ways; each person once, no warning without a person."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern, repository_routes
from services.alerts.begin_escalations import assigned_to, begin_escalations
from services.alerts.dispatch import Desk, Dispatch, Routing, Told
from services.alerts.domain.duty import (
    Listening,
    Post,
    as_held,
    copied_at,
    joined,
    listening_above,
    paired_at,
)
from services.alerts.domain.message import Kind
from services.alerts.draft import Draft
from services.alerts.notify_gaps import notify_gaps
from services.alerts.notify_listeners import notify_listeners
from services.alerts.read_scene import Scene, scene_over
from services.alerts.report_progress import Reported, report_progress
from services.alerts.rules_in_force import Rules, rules_for
from services.alerts.withhold_silenced import withhold_silenced
from shared.vocabulary.terms import Role

# The queues that routing fills, and the live streams.
WAKES = ("deliver", "relay", "inbox")
_NOBODY = frozenset[str]()
_HEARD_BY_NOBODY = Listening((), ())


async def route_alerts(connection: asyncpg.Connection, dispatches: Sequence[Dispatch], desk: Desk) -> int:
    """Assign, notify and queue for delivery; how many reach somebody. Call once a transaction: it locks inboxes."""
    if not dispatches:
        return 0
    places = {place for dispatch in dispatches for place in (dispatch.living, dispatch.registered)}
    households = {dispatch.alert["household_no"] for dispatch in dispatches if dispatch.alert["household_no"]}
    return await route_drafted(connection, dispatches, desk, await scene_over(connection, places, households, desk))


async def route_drafted(
    connection: asyncpg.Connection,
    dispatches: Sequence[Dispatch],
    desk: Desk,
    scene: Scene,
    draft: Draft | None = None,
    *,
    barred: Mapping[UUID, frozenset[str]] = MappingProxyType({}),
) -> int:
    """As route_alerts; what opens stands in the `draft` and is written with what it leads to.

    `barred`: whom those alerts are about.
    """
    draft = Draft() if draft is None else draft
    desk = await _looked_up(connection, dispatches, desk, scene, draft, barred)
    rules = await rules_for(
        connection,
        dispatches,
        desk.now,
        scene.routes,
        is_silenced=scene.is_silenced,
        drafted=draft.alert_evidence,
    )
    told = [_told(dispatch, rules, desk) for dispatch in dispatches]
    draft.assignment += _assignments(told, desk)
    await begin_escalations(connection, told, desk, draft)
    spoken = [one for one in told if one.silence is None]
    people = {listener.officer_no for one in spoken for listener in one.listening.listeners}
    endpoints = await scene.endpoints_with(connection, people, desk)
    withhold_silenced([one for one in told if one.silence is not None], endpoints, desk, draft)
    sending = await notify_listeners(connection, spoken, endpoints, desk, draft)
    notify_gaps(told, desk, draft)
    remembered = _remember_drafted(told, desk, draft)
    await sending.queue(connection, await draft.write(connection, desk.now), desk)
    await _remember(connection, [one for one in told if one.dispatch.alert_id not in remembered], desk)
    reached = [Reported(one.dispatch.alert_id, one.dispatch.new_reports) for one in told if one.listening.listeners]
    await report_progress(connection, reached, ("routed", "delivered"), desk.now)
    return len(reached)


async def _looked_up(
    connection: asyncpg.Connection,
    dispatches: Sequence[Dispatch],
    desk: Desk,
    scene: Scene,
    draft: Draft,
    barred: Mapping[UUID, frozenset[str]],
) -> Desk:
    """The desk with who holds which post and which alert; of alerts that open, nobody holds one yet."""
    known = {dispatch.alert_id for dispatch in dispatches} - draft.opened
    assigned = await assigned_to(connection, known) if known else {}
    concerned = await repository_concern.concerned_in(connection, known) if known else {}
    desk = desk.knowing(scene.posts, assigned, scene.paired, {**concerned, **barred})
    return desk if desk.calendars.of_place else desk.dated(scene.calendars)


def _told(dispatch: Dispatch, rules: Rules, desk: Desk) -> Told:
    """Those named; or, of a further report, who answers for the alert already; or these and whom the routes tell."""
    if dispatch.only is not None:
        concerned = _concerned(dispatch, desk)
        named = tuple(one for one in dispatch.only if one.officer_no not in concerned)
        return Told(dispatch, Listening(named, dispatch.gaps))
    assigned = _assigned(dispatch, desk)
    routing, silence = rules.routing(dispatch), rules.silence(dispatch)
    listening = assigned
    if not _goes_to_assigned(dispatch, desk):
        listening = joined(joined(assigned, _listening(dispatch, routing, desk)), _paired(dispatch, desk))
        listening = joined(listening, _asked_too(dispatch, desk))
    if desk.concerned and dispatch.alert_id in desk.concerned:
        # Of a warning about a cadre no group hears: he may read along there.
        dispatch = replace(dispatch, only=listening.listeners)
    return Told(dispatch, listening, routing, silence)


def _asked_too(dispatch: Dispatch, desk: Desk) -> Listening:
    if not dispatch.also:
        return _HEARD_BY_NOBODY
    barred = _barred(dispatch, desk)
    return Listening(tuple(one for one in dispatch.also if one.officer_no not in barred), ())


def _barred(dispatch: Dispatch, desk: Desk) -> frozenset[str]:
    """Whose answer is appealed, and whom the warning is about: they hear nothing of it (回避)."""
    return dispatch.barred | _concerned(dispatch, desk)


def _concerned(dispatch: Dispatch, desk: Desk) -> frozenset[str]:
    return desk.concerned.get(dispatch.alert_id, _NOBODY) if desk.concerned else _NOBODY


def _assigned(dispatch: Dispatch, desk: Desk) -> Listening:
    """Who answers for it and still may: in post there today (or his deputy is asked instead), or its helper."""
    if not desk.assigned:
        return _HEARD_BY_NOBODY
    here = {post.officer_no for place in {dispatch.living, dispatch.registered} for post in desk.posts_at(place)}
    asked = (here | set(desk.paired.get(dispatch.alert["household_no"] or "", ()))) - _barred(dispatch, desk)
    named = [one for one in desk.assigned.get(dispatch.alert_id, ()) if one.officer_no in asked]
    return Listening(tuple(named), ())


def _goes_to_assigned(dispatch: Dispatch, desk: Desk) -> bool:
    return dispatch.kind is Kind.REPORTED and bool(_assigned(dispatch, desk).listeners)


def _listening(dispatch: Dispatch, routing: Routing, desk: Desk) -> Listening:
    living, registered = dispatch.living, dispatch.registered
    posts = desk.posts_at(living)
    if registered != living:
        posts = [*posts, *desk.posts_at(registered)]
    if dispatch.barred:
        posts = [post for post in posts if post.officer_no not in dispatch.barred]
    concerned = _concerned(dispatch, desk)
    listening = hearing(living, registered, routing.plan.tell, posts, concerned)
    if concerned or dispatch.barred:
        # His post is filled, he only stands back (回避): that is no gap to be reported.
        return Listening(listening.listeners, () if listening.listeners else listening.gaps)
    return listening


def hearing(
    living: str,
    registered: str,
    tell: Iterable[Role],
    posts: Sequence[Post],
    concerned: Collection[str] = frozenset(),
) -> Listening:
    """Who of the posts told hears of a household, and who gets the copy for its registered place."""
    return _hearing(living, registered, tuple(tell), tuple(posts), frozenset(concerned))


# Who holds the posts of a village changes a few times a year.
@lru_cache(maxsize=4096)
def _hearing(
    living: str, registered: str, tell: tuple[Role, ...], posts: tuple[Post, ...], concerned: frozenset[str]
) -> Listening:
    here = [post for post in posts if post.place == living]
    listening = listening_above(living, as_held(tell, here), posts, concerned)
    return joined(listening, copied_at(registered, posts, concerned)) if registered != living else listening


def _paired(dispatch: Dispatch, desk: Desk) -> Listening:
    """The household's own helpers, beside those on duty; never those it is about."""
    helpers = desk.paired.get(dispatch.alert["household_no"] or "", ())
    if not helpers:
        return _HEARD_BY_NOBODY
    barred = _barred(dispatch, desk)
    return paired_at(dispatch.living, (one for one in helpers if one not in barred), desk.posts_at(dispatch.living))


def _assignments(told: Iterable[Told], desk: Desk) -> list[dict[str, Any]]:
    return [
        {
            "alert_id": one.dispatch.alert_id,
            "officer_no": listener.officer_no,
            "role": listener.role,
            "level": listener.level,
            "reach": listener.reach,
            "since": desk.now,
        }
        for one in told
        for listener in one.listening.listeners
    ]


def _remember_drafted(told: Sequence[Told], desk: Desk, draft: Draft) -> set[UUID]:
    """What the routes decided of alerts that open goes into their rows and timelines; which these are."""
    opening = {row["alert_id"]: row for row in draft.alert}
    remembered = set()
    for one in told:
        row = opening.get(one.dispatch.alert_id)
        if row is None or one.routing is None:
            continue
        row["route_version"], row["route_nodes"] = one.routing.version, one.routing.nodes
        row["routed_at"] = desk.now if one.listening.listeners else None
        draft.alert_log.append(_routed(one, one.routing, row, desk))
        remembered.add(one.dispatch.alert_id)
    return remembered


def _routed(told: Told, routing: Routing, alert: Mapping[str, Any], desk: Desk) -> dict[str, Any]:
    decided = _remembered(told, routing)
    return {
        "alert_id": alert["alert_id"],
        "at": desk.now,
        "actor": "alerts",
        "action": "routed",
        "status_before": alert["status"],
        "status_after": alert["status"],
        "detail": {
            "route_version": decided["route_version"],
            "nodes": decided["route_nodes"],
            "tell": decided["tell"],
        },
    }


async def _remember(connection: asyncpg.Connection, told: Sequence[Told], desk: Desk) -> None:
    """What the routes decided is written into alert and timeline; of the others, that somebody has them."""
    rows = [
        _remembered(one, one.routing)
        for one in told
        if one.routing is not None and not _goes_to_assigned(one.dispatch, desk)
    ]
    if rows:
        await repository_routes.remember_routes(connection, rows, desk.now)
    known = {row["alert_id"] for row in rows}
    rest = [one.dispatch.alert_id for one in told if one.listening.listeners and one.dispatch.alert_id not in known]
    if rest:
        await repository.mark_routed(connection, rest, desk.now)


def _remembered(told: Told, routing: Routing) -> dict[str, Any]:
    return {
        "alert_id": told.dispatch.alert_id,
        "route_version": routing.version,
        "route_nodes": routing.nodes,
        "tell": routing.plan.tell,
        "found": bool(told.listening.listeners),
    }
