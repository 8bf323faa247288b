"""Tell groups that are due (合并推送): one message about one village to one person, with how many households wait.

A group's row is claimed, its message made and its next time set in one transaction: killed in between, it is due
again as if nothing had been; two workers never make the same message.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository, repository_groups
from services.alerts.channels_in_use import channels_in_use, first_of_each
from services.alerts.decide_pushes import county, rules_of
from services.alerts.dispatch import Desk, desk_for
from services.alerts.domain.flood import (
    NO_WAY_OUT,
    Ending,
    Known,
    Message,
    Push,
    Rules,
    SentSet,
    decide,
    needs_sending,
)
from services.alerts.domain.message import Kind, outside_text
from services.alerts.notify_listeners import URGENT, USUAL, PushText, delivery_row
from shared.clock import SHANGHAI
from shared.db.scope import transaction
from shared.queue.claim import Queue, claim
from shared.runtime import Runtime
from shared.vocabulary.division import lineage_of
from shared.vocabulary.terms import Severity

QUEUE = Queue("notify_group", ("group_key",))
_LEASE = timedelta(seconds=60)
_AT_ONCE = 500


@dataclass(slots=True)
class Telling:
    """What telling some groups comes to: rows to be written."""

    endings: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Round:
    """What is known of all groups of one round."""

    desk: Desk
    rules: Mapping[str, Rules]
    members: Mapping[str, Sequence[asyncpg.Record]]
    open_: Mapping[UUID, str]
    endpoints: Sequence[asyncpg.Record]
    pushes: dict[str, int]


async def tell_due_groups(runtime: Runtime) -> int:
    """Tell up to 500 groups; how many."""
    now = runtime.clock.now()
    async with transaction(runtime.worker_pool) as connection:
        groups = await claim(connection, QUEUE, now=now, limit=_AT_ONCE, lease=_LEASE)
        if not groups:
            return 0
        round_ = await _look_up(connection, runtime, groups)
        telling = Telling()
        for group in groups:
            _tell(group, round_, telling)
        await repository_groups.end_messages(connection, telling.endings)
        await repository.insert_rows(connection, "delivery", telling.deliveries)
        await repository_groups.finish_groups(connection, telling.groups, groups[0]["lease_token"])
    runtime.waker.wake("deliver")
    return len(groups)


async def _look_up(connection: asyncpg.Connection, runtime: Runtime, groups: Sequence[asyncpg.Record]) -> Round:
    villages = {group["division"] for group in groups}
    desk = await desk_for(runtime, villages)
    members = defaultdict(list)
    for row in await repository_groups.members_of(connection, (g["group_key"] for g in groups), desk.now):
        members[row["group_key"]].append(row)
    people = {group["recipient"] for group in groups if group["recipient"]}
    midnight = datetime.combine(desk.today, time.min, SHANGHAI)
    return Round(
        desk,
        await rules_of(connection, villages, desk),
        members,
        await repository_groups.open_among(connection, {one for group in groups for one in group["sent_alerts"]}),
        first_of_each(
            await repository.endpoints_of(
                connection, people, {d for v in villages for d in lineage_of(v)}, channels_in_use(desk.settings)
            )
        ),
        await repository_groups.pushes_since(connection, people, midnight),
    )


def _tell(group: asyncpg.Record, round_: Round, telling: Telling) -> None:
    """Decide each member; those that go make one message with the ones told before and still waiting."""
    going = [one for one in round_.members.get(group["group_key"], ()) if _goes(one, round_, telling)]
    if not any(_hears(one, group) for one in round_.endpoints):
        telling.endings += [_without_push(one) for one in going]
        going = []
    before = {one for one in group["sent_alerts"] if round_.open_.get(one) == group["division"]}
    open_ = before | {one["alert_id"] for one in going}
    # A further message about an alert told before is news as a new alert is.
    told = frozenset(map(str, before - {one["alert_id"] for one in going}))
    has_news = needs_sending(SentSet(told, group["sent_at"]), set(map(str, open_)), round_.desk.now) and bool(going)
    if has_news:
        carrier = going[0]["notification_id"]
        telling.endings += [_ending(one, carrier, round_.desk.now) for one in going]
        is_urgent = any(one["urgent"] for one in going)
        telling.deliveries += _deliveries(group, going[0]["alert_id"], carrier, open_, round_, is_urgent=is_urgent)
        if group["recipient"] and not is_urgent:
            round_.pushes[group["recipient"]] = round_.pushes.get(group["recipient"], 0) + 1
    telling.groups.append(
        {
            "group_key": group["group_key"],
            "sent_set": digest_of(open_),
            "sent_alerts": sorted(open_),
            "sent_at": round_.desk.now if has_news else group["sent_at"],
        }
    )


def digest_of(alerts: Iterable[UUID]) -> str:
    """Names a set of alerts, in whatever order they came."""
    return hashlib.sha256(",".join(sorted(map(str, alerts))).encode()).hexdigest()


def _goes(member: asyncpg.Record, round_: Round, telling: Telling) -> bool:
    """Whether a message goes now; if not, what becomes of it is noted."""
    severity = Severity(member["severity"]) if member["severity"] else None
    known = Known(is_outdone=member["is_outdone"], pushes_today=round_.pushes.get(member["recipient"], 0))
    message = Message(severity, is_urgent=member["urgent"], is_for_group=member["recipient"] is None)
    decision = decide(message, known, round_.rules[county(member["division"])], round_.desk.now)
    if decision.push is Push.SEND:
        return True
    stays = decision.push is Push.DEFER
    telling.endings.append(
        {
            **_as_it_is(member),
            "decision": decision.push,
            "reason": decision.reason,
            "not_before": decision.not_before,
            "group_key": member["group_key"] if stays else None,
        }
    )
    return False


def _as_it_is(member: asyncpg.Record) -> dict[str, Any]:
    return {
        "notification_id": member["notification_id"],
        "decision": member["decision"],
        "reason": None,
        "not_before": member["not_before"],
        "group_key": member["group_key"],
        "carried_by": None,
        "outcome": None,
        "ended_at": None,
    }


def _ending(member: asyncpg.Record, carrier: UUID, now: datetime) -> dict[str, Any]:
    return {**_as_it_is(member), "carried_by": carrier, "outcome": Ending.SENT, "ended_at": now}


def _without_push(member: asyncpg.Record) -> dict[str, Any]:
    """Its way out went away while it waited: what is left is the letter, and of a group's message nothing."""
    return {**_as_it_is(member), "decision": Push.SEND, "reason": NO_WAY_OUT, "not_before": None, "group_key": None}


def _deliveries(
    group: asyncpg.Record, alert_id: UUID, carrier: UUID, open_: set[UUID], round_: Round, *, is_urgent: bool
) -> list[dict[str, Any]]:
    desk, place = round_.desk, group["division"]
    text = outside_text(Kind(group["kind"]), count=len(open_), place=desk.place(place))
    link = desk.link(alert_id) if len(open_) == 1 else desk.list_link
    content = PushText(group["kind"], text, link, place, len(open_))
    return [
        delivery_row(
            alert_id, carrier, content, endpoint, desk, due_at=desk.now, priority=URGENT if is_urgent else USUAL
        )
        for endpoint in round_.endpoints
        if _hears(endpoint, group)
    ]


def _hears(endpoint: asyncpg.Record, group: asyncpg.Record) -> bool:
    if group["recipient"] is not None:
        return bool(endpoint["officer_no"] == group["recipient"])
    return endpoint["officer_no"] is None and endpoint["division"] in lineage_of(group["division"])
