"""Notify who hears a warning: a letter into each inbox, a delivery to each endpoint, none of them twice."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.channels.inbox import Letter
from services.alerts.channels_in_use import channels_in_use, first_of_each
from services.alerts.dispatch import Desk, Dispatch, Told
from services.alerts.domain.duty import Listener
from services.alerts.domain.message import inbox_text, outside_text
from shared.security.access import FIELD_CLASSES_OF_ROLE
from shared.vocabulary.division import lineage_of
from shared.vocabulary.identifiers import new_id

# (alert, officer) -> notification; officer None is the notification of the divisions' groups.
Made = Mapping[tuple[UUID, str | None], UUID]
_URGENT, _USUAL = 0, 5


async def notify_listeners(connection: asyncpg.Connection, told: Sequence[Told], desk: Desk) -> list[Letter]:
    """Write notifications and deliveries; the letters that are new are returned, to be put into inboxes."""
    endpoints = await _endpoints(connection, told, desk)
    made = await _notify(connection, told, endpoints, desk)
    deliveries = [
        _delivery(one.dispatch, made[one.dispatch.alert_id, endpoint["officer_no"]], endpoint, desk)
        for one in told
        for endpoint in endpoints
        if (one.dispatch.alert_id, endpoint["officer_no"]) in made and _reaches(endpoint, one)
    ]
    await repository.insert_rows(connection, "delivery", deliveries)
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
    connection: asyncpg.Connection, told: Sequence[Told], endpoints: Sequence[repository.Row], desk: Desk
) -> Made:
    rows = [_notification(one.dispatch, recipient, desk) for one in told for recipient in _recipients(one, endpoints)]
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


def _notification(dispatch: Dispatch, recipient: str | None, desk: Desk) -> dict[str, Any]:
    return {
        "notification_id": new_id(desk.now),
        "dedupe_key": f"{dispatch.key}:{recipient or 'group'}",
        "alert_id": dispatch.alert_id,
        "subject": dispatch.alert["subject"],
        "division": dispatch.living,
        "recipient": recipient,
        "kind": dispatch.kind,
        "decision": "send",
        "created_at": desk.now,
    }


def _delivery(dispatch: Dispatch, notification_id: UUID, endpoint: repository.Row, desk: Desk) -> dict[str, Any]:
    place = desk.place(dispatch.living)
    text = outside_text(dispatch.kind, count=1, place=place)
    return {
        "delivery_id": new_id(desk.now),
        "notification_id": notification_id,
        "alert_id": dispatch.alert_id,
        "channel": endpoint["channel"],
        "endpoint_id": endpoint["endpoint_id"],
        "outlet_id": endpoint["outlet_id"],
        "message": {
            "kind": dispatch.kind,
            "title": text.title,
            "body": text.body,
            # A person's own message gets a link of its own when it is sent.
            "link": desk.link(dispatch.alert_id) if endpoint["officer_no"] else desk.list_link,
            "division": dispatch.living,
            "place": place,
            "count": 1,
        },
        "state": "due",
        "due_at": desk.now,
        "priority": _URGENT if dispatch.is_urgent else _USUAL,
        "attempts": 0,
        "created_at": desk.now,
        "give_up_at": desk.now + desk.settings.give_up_after,
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
