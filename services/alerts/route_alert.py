"""Route warnings: to whom, and by which ways; each person once, no warning without a person."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern, repository_pairing
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.dispatch import Desk, Dispatch, Told
from services.alerts.domain.duty import (
    Listener,
    Listening,
    Reach,
    copied_at,
    default_roles,
    joined,
    listening_above,
    paired_at,
)
from services.alerts.domain.message import Kind
from services.alerts.notify_gaps import notify_gaps
from services.alerts.notify_listeners import notify_listeners
from services.alerts.report_progress import Reported, report_progress
from shared.vocabulary.terms import Role

# The queues that routing fills, and the live streams.
WAKES = ("deliver", "relay", "inbox")


async def route_alerts(connection: asyncpg.Connection, dispatches: Sequence[Dispatch], desk: Desk) -> int:
    """Assign, notify and queue for delivery; how many reach somebody. Call once a transaction: it locks inboxes."""
    if not dispatches:
        return 0
    desk = await _looked_up(connection, dispatches, desk)
    told = [_told(dispatch, desk) for dispatch in dispatches]
    await _assign(connection, told, desk)
    letters = [*await notify_listeners(connection, told, desk), *await notify_gaps(connection, told, desk)]
    await put_in_inboxes(connection, letters, desk.now)
    found = [one.dispatch.alert_id for one in told if one.listening.listeners]
    await repository.mark_routed(connection, found, desk.now)
    reached = [Reported(one.dispatch.alert_id, one.dispatch.new_reports) for one in told if one.listening.listeners]
    await report_progress(connection, reached, ("routed", "delivered"), desk.now)
    return len(found)


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


def _told(dispatch: Dispatch, desk: Desk) -> Told:
    """Of a warning about a cadre no group hears: he may read along there."""
    listening = _listening(dispatch, desk)
    if dispatch.alert_id in desk.concerned:
        dispatch = replace(dispatch, only=listening.listeners)
    return Told(dispatch, listening)


def _listening(dispatch: Dispatch, desk: Desk) -> Listening:
    """Those named; or, of a further report, who answers for the alert already; or these and the duty holders."""
    concerned = desk.concerned.get(dispatch.alert_id, frozenset())
    if dispatch.only is not None:
        return Listening(tuple(one for one in dispatch.only if one.officer_no not in concerned), ())
    barred = dispatch.barred | concerned
    named = [one for one in desk.assigned.get(dispatch.alert_id, ()) if one.officer_no not in barred]
    assigned = Listening(tuple(named), ())
    if dispatch.kind is Kind.REPORTED and assigned.listeners:
        return assigned
    listening = _by_duty(dispatch, concerned, desk)
    if barred:
        # His post is filled, he only stands back (回避): that is no gap to be reported.
        listening = Listening(listening.listeners, () if listening.listeners else listening.gaps)
    return joined(joined(assigned, listening), _paired(dispatch, barred, desk))


def _by_duty(dispatch: Dispatch, concerned: frozenset[str], desk: Desk) -> Listening:
    posts = [post for post in desk.posts if post.officer_no not in dispatch.barred]
    roles = default_roles(dispatch.severity, [post for post in posts if post.place == dispatch.living])
    listening = listening_above(dispatch.living, roles, posts, concerned)
    if dispatch.registered != dispatch.living:
        listening = joined(listening, copied_at(dispatch.registered, posts, concerned))
    return listening


def _paired(dispatch: Dispatch, barred: frozenset[str], desk: Desk) -> Listening:
    """The household's own helpers, beside those on duty; never those it is about."""
    helpers = desk.paired.get(dispatch.alert["household_no"] or "", ())
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
