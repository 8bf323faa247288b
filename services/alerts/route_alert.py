"""Route warnings: to whom, and by which ways; each person once, no warning without a person."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.begin_escalations import begin_escalations
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.dispatch import Desk, Dispatch, Told
from services.alerts.domain.duty import Listener, Listening, Reach, copied_at, joined, listening_at
from services.alerts.domain.message import Kind
from services.alerts.notify_gaps import notify_gaps
from services.alerts.notify_listeners import notify_listeners
from services.alerts.report_progress import Reported, report_progress
from shared.vocabulary.terms import Role

# The queues that routing fills, and the live streams.
WAKES = ("deliver", "relay", "inbox")


async def route_alerts(connection: asyncpg.Connection, dispatches: Sequence[Dispatch], desk: Desk) -> None:
    """Assign, notify and queue for delivery. Call once a transaction: it takes the locks of inboxes."""
    if not dispatches:
        return
    desk = await _looked_up(connection, dispatches, desk)
    told = [Told(dispatch, _listening(dispatch, desk)) for dispatch in dispatches]
    await _assign(connection, told, desk)
    await begin_escalations(connection, told, desk)
    letters = [*await notify_listeners(connection, told, desk), *await notify_gaps(connection, told, desk)]
    await put_in_inboxes(connection, letters, desk.now)
    found = [one.dispatch.alert_id for one in told if one.listening.listeners]
    await repository.mark_routed(connection, found, desk.now)
    reached = [Reported(one.dispatch.alert_id, one.dispatch.new_reports) for one in told if one.listening.listeners]
    await report_progress(connection, reached, ("routed", "delivered"), desk.now)


async def _looked_up(connection: asyncpg.Connection, dispatches: Sequence[Dispatch], desk: Desk) -> Desk:
    places = {place for dispatch in dispatches for place in (dispatch.living, dispatch.registered)}
    posts = await repository.posts_at(connection, places, desk.today)
    assigned: dict[UUID, list[Listener]] = {}
    for row in await repository.assignments_of(connection, [d.alert_id for d in dispatches]):
        listener = Listener(row["officer_no"], Role(row["role"]), Reach(row["reach"]))
        assigned.setdefault(row["alert_id"], []).append(listener)
    return desk.knowing(posts, assigned)


def _listening(dispatch: Dispatch, desk: Desk) -> Listening:
    """Those named; or, of a further report, who answers for the alert already; or these and the duty holders."""
    if dispatch.only is not None:
        return Listening(dispatch.only, dispatch.gaps)
    named = [one for one in desk.assigned.get(dispatch.alert_id, ()) if one.officer_no not in dispatch.barred]
    assigned = Listening(tuple(named), ())
    if dispatch.kind is Kind.REPORTED and assigned.listeners:
        return assigned
    posts = [post for post in desk.posts if post.officer_no not in dispatch.barred]
    listening = listening_at(dispatch.living, dispatch.severity, posts)
    if dispatch.registered != dispatch.living:
        listening = joined(listening, copied_at(dispatch.registered, posts))
    if dispatch.barred:
        # His post is filled, he only stands back (回避): that is no gap to be reported.
        listening = Listening(listening.listeners, () if listening.listeners else listening.gaps)
    return joined(assigned, listening)


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
