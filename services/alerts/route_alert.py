"""Route warnings: to whom, and by which ways; each person once, no warning without a person."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern, repository_pairing, repository_routes
from services.alerts.begin_escalations import begin_escalations
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.dispatch import Desk, Dispatch, Routing, Told
from services.alerts.domain.duty import (
    Listener,
    Listening,
    Post,
    Reach,
    as_held,
    copied_at,
    joined,
    listening_above,
    paired_at,
)
from services.alerts.domain.message import Kind
from services.alerts.notify_gaps import notify_gaps
from services.alerts.notify_listeners import notify_listeners
from services.alerts.report_progress import Reported, report_progress
from services.alerts.rules_in_force import Rules, rules_for
from services.alerts.withhold_silenced import withhold_silenced
from shared.vocabulary.terms import Role

# The queues that routing fills, and the live streams.
WAKES = ("deliver", "relay", "inbox")


async def route_alerts(connection: asyncpg.Connection, dispatches: Sequence[Dispatch], desk: Desk) -> int:
    """Assign, notify and queue for delivery; how many reach somebody. Call once a transaction: it locks inboxes."""
    if not dispatches:
        return 0
    desk = await _looked_up(connection, dispatches, desk)
    rules = await rules_for(connection, dispatches, desk.now, desk.today)
    told = [_told(dispatch, rules, desk) for dispatch in dispatches]
    await _assign(connection, told, desk)
    await begin_escalations(connection, told, desk)
    spoken = [one for one in told if one.silence is None]
    await withhold_silenced(connection, [one for one in told if one.silence is not None], desk)
    letters = [*await notify_listeners(connection, spoken, desk), *await notify_gaps(connection, told, desk)]
    await put_in_inboxes(connection, letters, desk.now)
    await _remember(connection, told, desk)
    reached = [Reported(one.dispatch.alert_id, one.dispatch.new_reports) for one in told if one.listening.listeners]
    await report_progress(connection, reached, ("routed", "delivered"), desk.now)
    return len(reached)


async def _looked_up(connection: asyncpg.Connection, dispatches: Sequence[Dispatch], desk: Desk) -> Desk:
    places = {place for dispatch in dispatches for place in (dispatch.living, dispatch.registered)}
    posts = await repository.posts_at(connection, places, desk.today)
    assigned: dict[UUID, list[Listener]] = {}
    ids = [dispatch.alert_id for dispatch in dispatches]
    for row in await repository.assignments_of(connection, ids):
        listener = Listener(row["officer_no"], Role(row["role"]), Reach(row["reach"]))
        assigned.setdefault(row["alert_id"], []).append(listener)
    households = [dispatch.alert["household_no"] for dispatch in dispatches if dispatch.alert["household_no"]]
    paired = await repository_pairing.paired_with(connection, households, desk.today)
    return desk.knowing(posts, assigned, paired, await repository_concern.concerned_in(connection, ids))


def _told(dispatch: Dispatch, rules: Rules, desk: Desk) -> Told:
    """Those named; or, of a further report, who answers for the alert already; or these and whom the routes tell."""
    if dispatch.only is not None:
        concerned = desk.concerned.get(dispatch.alert_id, frozenset())
        named = tuple(one for one in dispatch.only if one.officer_no not in concerned)
        return Told(dispatch, Listening(named, dispatch.gaps))
    assigned = _assigned(dispatch, desk)
    routing, silence = rules.routing(dispatch), rules.silence(dispatch)
    listening = assigned
    if not _goes_to_assigned(dispatch, desk):
        listening = joined(joined(assigned, _listening(dispatch, routing, desk)), _paired(dispatch, desk))
    if dispatch.alert_id in desk.concerned:
        # Of a warning about a cadre no group hears: he may read along there.
        dispatch = replace(dispatch, only=listening.listeners)
    return Told(dispatch, listening, routing, silence)


def _barred(dispatch: Dispatch, desk: Desk) -> frozenset[str]:
    """Whose answer is appealed, and whom the warning is about: they hear nothing of it (回避)."""
    return dispatch.barred | desk.concerned.get(dispatch.alert_id, frozenset())


def _assigned(dispatch: Dispatch, desk: Desk) -> Listening:
    """Who answers for it and still may: in post there today (or his deputy is asked instead), or its helper."""
    here = {post.officer_no for post in desk.posts if post.place in (dispatch.living, dispatch.registered)}
    asked = (here | set(desk.paired.get(dispatch.alert["household_no"] or "", ()))) - _barred(dispatch, desk)
    named = [one for one in desk.assigned.get(dispatch.alert_id, ()) if one.officer_no in asked]
    return Listening(tuple(named), ())


def _goes_to_assigned(dispatch: Dispatch, desk: Desk) -> bool:
    return dispatch.kind is Kind.REPORTED and bool(_assigned(dispatch, desk).listeners)


def _listening(dispatch: Dispatch, routing: Routing, desk: Desk) -> Listening:
    posts = [post for post in desk.posts if post.officer_no not in dispatch.barred]
    concerned = desk.concerned.get(dispatch.alert_id, frozenset())
    listening = hearing(dispatch.living, dispatch.registered, routing.plan.tell, posts, concerned)
    if _barred(dispatch, desk):
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
    here = [post for post in posts if post.place == living]
    listening = listening_above(living, as_held(tell, here), posts, concerned)
    return joined(listening, copied_at(registered, posts, concerned)) if registered != living else listening


def _paired(dispatch: Dispatch, desk: Desk) -> Listening:
    """The household's own helpers, beside those on duty; never those it is about."""
    barred, helpers = _barred(dispatch, desk), desk.paired.get(dispatch.alert["household_no"] or "", ())
    return paired_at(dispatch.living, (one for one in helpers if one not in barred), desk.posts)


async def _assign(connection: asyncpg.Connection, told: Iterable[Told], desk: Desk) -> None:
    rows = [
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
    conflict = "ON CONFLICT (alert_id, officer_no) WHERE until IS NULL DO NOTHING"
    await repository.insert_rows(connection, "assignment", rows, conflict=conflict)


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
