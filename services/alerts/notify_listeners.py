"""Notify who hears a warning: a letter into each inbox at once, a push to each endpoint when it may go."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.channels.inbox import Letter
from services.alerts.channels_in_use import first_of_each
from services.alerts.decide_pushes import Pushes, decide_pushes, put_in_groups
from services.alerts.dispatch import Desk, Dispatch, Told
from services.alerts.domain.message import Text, inbox_text, outside_text
from services.alerts.draft import Draft
from shared.security.access import FIELD_CLASSES_OF_ROLE
from shared.vocabulary.division import lineage_of
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role

URGENT, USUAL = 0, 5


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out: the first of each person, all of each division's groups."""

    of_person: Mapping[str, repository.Row]
    of_division: Mapping[str, Sequence[repository.Row]]

    def out(self, told: Told, recipient: str | None) -> Sequence[repository.Row]:
        """Of one who hears it; or (None) of the groups, which hear what happens in their divisions and is for all."""
        if recipient is not None:
            endpoint = self.of_person.get(recipient)
            return () if endpoint is None else (endpoint,)
        if told.dispatch.only is not None or not self.of_division:
            return ()
        return [each for above in lineage_of(told.dispatch.living) for each in self.of_division.get(above, ())]


def ways_of(endpoints: Iterable[repository.Row]) -> Ways:
    of_person, of_division = {}, dict[str, list[repository.Row]]()
    for endpoint in first_of_each(endpoints):
        if endpoint["officer_no"] is not None:
            of_person[endpoint["officer_no"]] = endpoint
        else:
            of_division.setdefault(endpoint["division"], []).append(endpoint)
    return Ways(of_person, of_division)


@dataclass(frozen=True, slots=True)
class Sending:
    """The pushes of a draft: what goes at once, and what waits with others of its group; by the message's id."""

    deliveries: Sequence[dict[str, Any]]
    groups: Sequence[tuple[UUID, dict[str, Any]]]

    async def queue(self, connection: asyncpg.Connection, made: Collection[UUID], desk: Desk) -> None:
        """Queue the pushes of the messages that are new."""
        going = [row for row in self.deliveries if row["notification_id"] in made]
        await repository.insert_rows(connection, "delivery", going)
        await put_in_groups(connection, [row for message, row in self.groups if message in made], desk)


async def notify_listeners(
    connection: asyncpg.Connection,
    told: Sequence[Told],
    endpoints: Iterable[repository.Row],
    desk: Desk,
    draft: Draft,
) -> Sending:
    """Draft messages and letters; the pushes are returned, to be queued when the draft is written."""
    ways = ways_of(endpoints)
    pushes = await decide_pushes(connection, told, _reachable(ways), desk)
    deliveries, groups = [], []
    for one in told:
        for recipient, role in _recipients(one, ways):
            message = _notification(one.dispatch, recipient, pushes, desk)
            draft.notify([message])
            message_id: UUID = message["notification_id"]
            if role is not None and recipient is not None:
                draft.letters.append(_letter(one.dispatch, recipient, role, message_id, desk))
            if pushes.goes_at_once(one.dispatch, recipient):
                ways_out = ways.out(one, recipient)
                deliveries += [_delivery(one.dispatch, message_id, endpoint, desk) for endpoint in ways_out]
            elif (group := pushes.group(one.dispatch, recipient, desk)) is not None:
                groups.append((message_id, group))
    return Sending(deliveries, groups)


def _reachable(ways: Ways) -> set[str | None]:
    return {*ways.of_person, *([None] if ways.of_division else [])}


def _recipients(told: Told, ways: Ways) -> list[tuple[str | None, Role | None]]:
    """Each person once, and the groups if any of them hears it."""
    people: list[tuple[str | None, Role | None]] = [(one.officer_no, one.role) for one in told.listening.listeners]
    return [*people, (None, None)] if ways.out(told, None) else people


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


def _letter(dispatch: Dispatch, officer_no: str, role: Role, notification_id: UUID, desk: Desk) -> Letter:
    text = inbox_text(dispatch.kind, dispatch.subject(desk.place(dispatch.living)), FIELD_CLASSES_OF_ROLE[role])
    return Letter(
        officer_no,
        notification_id,
        dispatch.alert_id,
        dispatch.kind,
        dispatch.alert["severity"],
        text,
        desk.link(dispatch.alert_id),
    )
