"""Remind of what is overdue (逾期催办): sector tasks, re-checks, correction tickets; once each, in working time.

Who owes the answer is told when it becomes overdue, and some working days later, if it still is, the county's desk
above him. Without anybody who owes it, the desk is told at once. Several things of one person are one push.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_concern, repository_reminders, repository_tasks
from services.alerts.channels.inbox import Letter, put_in_inboxes
from services.alerts.channels_in_use import channels_in_use, first_of_each
from services.alerts.dispatch import Desk, desk_for
from services.alerts.domain.duty import by_place
from services.alerts.domain.message import Kind, Matter, MatterKind, outside_overdue_text, overdue_text
from services.alerts.domain.sector import Sector, sector_of
from services.alerts.notify_listeners import PushText, delivery_row
from services.alerts.read_calendar import read_calendars
from services.alerts.repository import Row
from shared.clock import SHANGHAI
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role

_AT_ONCE = 200
_TOWNSHIP = (Role.TOWNSHIP_DEPUTY, Role.TOWNSHIP_LEADER)


@dataclass(frozen=True, slots=True)
class Reminded:
    """One overdue thing, whom it is told, and whether they stand above who owes it."""

    item: Row
    people: tuple[str, ...]
    is_above: bool

    @property
    def key(self) -> str:
        level = "above" if self.is_above else "own"
        return f"overdue:{self.item['owed']}:{self.item['item_id']}:{self.item['round']}:{level}"


async def remind_overdue(runtime: Runtime) -> int:
    """Tell what became overdue and what still is; how many things."""
    async with transaction(runtime.worker_pool) as connection:
        now = runtime.clock.now()
        await repository_reminders.forget_settled(connection, now)
        untold = await repository_reminders.untold(connection, now, _AT_ONCE)
        waiting = await repository_reminders.due_for_superiors(connection, now, _AT_ONCE)
        if not untold and not waiting:
            return 0
        desk = await _desk(connection, [*untold, *waiting], runtime)
        told = [
            *await _first(connection, [item for item in untold if _is_working(item, desk)], desk),
            *await _above(connection, [item for item in waiting if _is_working(item, desk)], desk),
        ]
        await _tell(connection, told, desk)
    if told:
        runtime.waker.wake("inbox", "deliver")
    return len(told)


async def _desk(connection: asyncpg.Connection, items: Sequence[Row], runtime: Runtime) -> Desk:
    places = {item["living_division"] for item in items}
    desk = await desk_for(runtime, places)
    concerned = await repository_concern.concerned_in(connection, {item["alert_id"] for item in items})
    posts = await repository.posts_at(connection, places, desk.today)
    return desk.knowing(by_place(posts), {}, {}, concerned).dated(await read_calendars(connection, places, desk.now))


def _is_working(item: Row, desk: Desk) -> bool:
    """At night and on days off nobody is reminded: the thing waits for working time."""
    return desk.calendars.at(item["living_division"]).is_working(desk.now)


async def _first(connection: asyncpg.Connection, items: Sequence[Row], desk: Desk) -> list[Reminded]:
    """What becomes overdue, as far as no other worker was quicker."""
    told = [await _whose(connection, item, desk) for item in items]
    rows = [_row(one, desk) for one in told]
    claimed = await repository_reminders.claim_reminders(connection, rows) if rows else set()
    return [one for one in told if one.item["item_id"] in claimed]


async def _whose(connection: asyncpg.Connection, item: Row, desk: Desk) -> Reminded:
    """Who owes it; the county's desk where nobody does."""
    people = set(await _owing(connection, item, desk)) - _barred(item, desk)
    return Reminded(item, tuple(sorted(people)), False) if people else Reminded(item, _county_desk(item, desk), True)


async def _owing(connection: asyncpg.Connection, item: Row, desk: Desk) -> Collection[str]:
    if item["owed"] == "recheck":
        return _posts(item, desk, _TOWNSHIP)
    found = await repository_tasks.liaisons_at(connection, item["living_division"], desk.today)
    if item["owed"] == "task":
        return [row["officer_no"] for row in found if sector_of(row["department"]) is Sector(item["about"])]
    return [row["officer_no"] for row in found if row["department"] == item["about"]]


def _barred(item: Row, desk: Desk) -> set[str]:
    """Whom the alert is about; whose answer is looked at again."""
    barred = set(desk.concerned.get(item["alert_id"], ()))
    return barred | {item["about"]} if item["owed"] == "recheck" else barred


def _county_desk(item: Row, desk: Desk) -> tuple[str, ...]:
    return tuple(sorted(set(_posts(item, desk, (Role.COUNTY_ADMIN,))) - _barred(item, desk)))


def _posts(item: Row, desk: Desk, roles: Collection[Role]) -> list[str]:
    return [post.officer_no for post in desk.posts_at(item["living_division"]) if post.role in roles]


def _row(one: Reminded, desk: Desk) -> dict[str, Any]:
    days = desk.settings.overdue_superior_working_days
    calendar = desk.calendars.at(one.item["living_division"])
    return {
        "owed": one.item["owed"],
        "item_id": one.item["item_id"],
        "round": one.item["round"],
        "told_at": desk.now,
        "superior_at": None if one.is_above else calendar.add_working_days(desk.now, days),
    }


async def _above(connection: asyncpg.Connection, items: Sequence[Row], desk: Desk) -> list[Reminded]:
    await repository_reminders.mark_superiors_told(connection, [item["item_id"] for item in items], desk.now)
    return [Reminded(item, _county_desk(item, desk), True) for item in items]


async def _tell(connection: asyncpg.Connection, told: Sequence[Reminded], desk: Desk) -> None:
    """A letter for each thing, one push to each person about all of them."""
    rows = {(one.key, person): _notification(one, person, desk) for one in told for person in one.people}
    made = await repository.insert_rows(
        connection,
        "notification",
        list(rows.values()),
        conflict="ON CONFLICT (dedupe_key) DO NOTHING",
        returning="notification_id",
    )
    new = {row["notification_id"] for row in made}
    kept = {key: row["notification_id"] for key, row in rows.items() if row["notification_id"] in new}
    letters = [
        _letter(one, person, kept[one.key, person], desk)
        for one in told
        for person in one.people
        if (one.key, person) in kept
    ]
    await put_in_inboxes(connection, letters, desk.now)
    await _push(connection, told, kept, desk)


def _notification(one: Reminded, person: str, desk: Desk) -> dict[str, Any]:
    return {
        "notification_id": new_id(desk.now),
        "dedupe_key": f"{one.key}:{person}",
        "alert_id": one.item["alert_id"],
        "subject": one.item["subject"],
        "division": one.item["living_division"],
        "recipient": person,
        "kind": Kind.OVERDUE,
        "decision": "send",
        "created_at": desk.now,
    }


def _letter(one: Reminded, person: str, notification_id: UUID, desk: Desk) -> Letter:
    place = desk.place(one.item["living_division"])
    due_on = one.item["due_at"].astimezone(SHANGHAI).date()
    text = overdue_text(_named(one.item), place, due_on, is_above=one.is_above)
    matter = Matter(MatterKind(one.item["owed"]), one.item["item_id"])
    return Letter(person, notification_id, one.item["alert_id"], Kind.OVERDUE, None, text, None, matter=matter)


def _named(item: Row) -> str:
    match item["owed"]:
        case "task":
            return f"{Sector(item['about']).zh}任务"
        case "recheck":
            return "抽查复核"
        case _:
            return f"数据更正单（{item['about']}）"


async def _push(
    connection: asyncpg.Connection, told: Sequence[Reminded], kept: Mapping[tuple[str, str], UUID], desk: Desk
) -> None:
    of_person: dict[str, list[Reminded]] = defaultdict(list)
    for one in told:
        for person in one.people:
            if (one.key, person) in kept:
                of_person[person].append(one)
    channels = channels_in_use(desk.settings)
    endpoints = first_of_each(await repository.endpoints_of(connection, of_person, (), channels))
    deliveries = []
    for endpoint in endpoints:
        things, person = of_person[endpoint["officer_no"]], endpoint["officer_no"]
        place = min(one.item["living_division"] for one in things)
        text = outside_overdue_text(len(things), desk.place(place))
        content = PushText(Kind.OVERDUE, text, desk.list_link, place, len(things))
        carrier = kept[things[0].key, person]
        deliveries.append(delivery_row(None, carrier, content, endpoint, desk, due_at=desk.now))
    await repository.insert_rows(connection, "delivery", deliveries)
