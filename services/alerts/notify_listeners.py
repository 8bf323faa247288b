"""Notify who hears a warning: a letter into each inbox at once, a push to each endpoint when it may go."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.channels.inbox import Letter
from services.alerts.channels_in_use import channels_in_use, first_of_each
from services.alerts.decide_pushes import Pushes, decide_pushes, put_in_groups
from services.alerts.dispatch import Desk, Dispatch, Told
from services.alerts.domain.duty import Listener
from services.alerts.domain.message import Text, inbox_text, outside_text
from shared.security.access import FIELD_CLASSES_OF_ROLE
from shared.vocabulary.division import lineage_of
from shared.vocabulary.identifiers import new_id

# (alert, officer) -> notification; officer None is the notification of the divisions' groups.
Made = Mapping[tuple[UUID, str | None], UUID]
URGENT, USUAL = 0, 5


async def notify_listeners(connection: asyncpg.Connection, told: Sequence[Told], desk: Desk) -> list[Letter]:
    """Write notifications and deliveries; the letters that are new are returned, to be put into inboxes."""
    endpoints = await _endpoints(connection, told, desk)
    pushes = await decide_pushes(connection, told, {endpoint["officer_no"] for endpoint in endpoints}, desk)
    made = await _notify(connection, told, endpoints, pushes, desk)
    deliveries = [
        _delivery(one.dispatch, made[one.dispatch.alert_id, endpoint["officer_no"]], endpoint, desk)
        for one in told
        for endpoint in endpoints
        if (one.dispatch.alert_id, endpoint["officer_no"]) in made
        and _reaches(endpoint, one)
        and pushes.goes_at_once(one.dispatch, endpoint["officer_no"])
    ]
    await repository.insert_rows(connection, "delivery", deliveries)
    await put_in_groups(connection, told, made, pushes, desk)
    return [
        _letter(one.dispatch, listener, made[one.dispatch.alert_id, listener.officer_no], desk)
        for one in told
        for listener in one.listening.listeners
        if (one.dispatch.alert_id, listener.officer_no) in made
    ]


async def _endpoints(connection: asyncpg.Connection, told: Iterable[Told], desk: Desk) -> Sequence[asyncpg.Record]:
    officers = {listener.officer_no for one in told for listener in one.listening.listeners}
    divisions = {division for one in told for division in lineage_of(one.dispatch.living)}
    found = await repository.endpoints_of(connection, officers, divisions, channels_in_use(desk.settings))
    return first_of_each(found)


def _reaches(endpoint: repository.Row, told: Told) -> bool:
    """A person's endpoint hears what he hears; a group's, what happens in its division and is for all."""
    if endpoint["officer_no"] is not None:
        return any(listener.officer_no == endpoint["officer_no"] for listener in told.listening.listeners)
    return told.dispatch.only is None and endpoint["division"] in lineage_of(told.dispatch.living)


async def _notify(
    connection: asyncpg.Connection,
    told: Sequence[Told],
    endpoints: Sequence[repository.Row],
    pushes: Pushes,
    desk: Desk,
) -> Made:
    rows = [
        _notification(one.dispatch, recipient, pushes, desk)
        for one in told
        for recipient in _recipients(one, endpoints)
    ]
    made = await repository.insert_rows(
        connection,
        "notification",
        rows,
        conflict="ON CONFLICT (dedupe_key) DO NOTHING",
        returning="notification_id, alert_id, recipient",
    )
    return {(row["alert_id"], row["recipient"]): row["notification_id"] for row in made}


def _recipients(told: Told, endpoints: Iterable[repository.Row]) -> list[str | None]:
    people: list[str | None] = [listener.officer_no for listener in told.listening.listeners]
    has_group = any(e["officer_no"] is None and _reaches(e, told) for e in endpoints)
    return [*people, None] if has_group else people


def _notification(dispatch: Dispatch, recipient: str | None, pushes: Pushes, desk: Desk) -> dict[str, Any]:
    return {
        "notification_id": new_id(desk.now),
        "dedupe_key": f"{dispatch.key}:{recipient or 'group'}",
        "alert_id": dispatch.alert_id,
        "subject": dispatch.alert["subject"],
        "division": dispatch.living,
        "recipient": recipient,
        "kind": dispatch.kind,
        **pushes.columns(dispatch, recipient, desk.now),
        "created_at": desk.now,
    }


def _delivery(dispatch: Dispatch, notification_id: UUID, endpoint: repository.Row, desk: Desk) -> dict[str, Any]:
    text = outside_text(dispatch.kind, count=1, place=desk.place(dispatch.living))
    # A person's own message gets a link of its own when it is sent.
    link = desk.link(dispatch.alert_id) if endpoint["officer_no"] else desk.list_link
    priority = URGENT if dispatch.is_urgent else USUAL
    content = PushText(dispatch.kind, text, link, dispatch.living, 1)
    return delivery_row(
        dispatch.alert_id, notification_id, content, endpoint, desk, due_at=desk.now, priority=priority
    )


@dataclass(frozen=True, slots=True)
class PushText:
    """What a push says, of how many households of which division."""

    kind: str
    text: Text
    link: str
    division: str
    count: int


def delivery_row(
    alert_id: UUID | None,
    notification_id: UUID,
    content: PushText,
    endpoint: repository.Row,
    desk: Desk,
    *,
    due_at: datetime,
    priority: int = USUAL,
) -> dict[str, Any]:
    """The row of one push to one endpoint."""
    return {
        "delivery_id": new_id(desk.now),
        "notification_id": notification_id,
        "alert_id": alert_id,
        "channel": endpoint["channel"],
        "endpoint_id": endpoint["endpoint_id"],
        "outlet_id": endpoint["outlet_id"],
        "message": {
            "kind": content.kind,
            "title": content.text.title,
            "body": content.text.body,
            "link": content.link,
            "division": content.division,
            "place": desk.place(content.division),
            "count": content.count,
        },
        "state": "due",
        "due_at": due_at,
        "priority": priority,
        "attempts": 0,
        "created_at": desk.now,
        "give_up_at": max(due_at, desk.now) + desk.settings.give_up_after,
    }


def _letter(dispatch: Dispatch, listener: Listener, notification_id: UUID, desk: Desk) -> Letter:
    text = inbox_text(
        dispatch.kind, dispatch.subject(desk.place(dispatch.living)), FIELD_CLASSES_OF_ROLE[listener.role]
    )
    return Letter(
        listener.officer_no,
        notification_id,
        dispatch.alert_id,
        dispatch.kind,
        dispatch.alert["severity"],
        text,
        desk.link(dispatch.alert_id),
    )
