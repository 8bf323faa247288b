"""Decide what becomes of the pushes of a transaction, and put those that wait into their groups.

Nothing is asked of the database but the calendar: how many pushes a person had, and whether something more urgent was
told meanwhile, is looked up when a group is told.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository_groups
from services.alerts.dispatch import Desk, Dispatch, Told
from services.alerts.domain.flood import Decision, Ending, Known, Message, Push, Rules, decide
from services.alerts.read_calendar import Calendars, read_calendars
from services.alerts.settings import AlertsSettings
from shared.clock import SHANGHAI
from shared.vocabulary.division import FULL_LENGTH, county_of

_NOTHING_KNOWN = Known()
_AT_ONCE = Decision(Push.SEND)
_URGENT = ":urgent"


@dataclass(frozen=True, slots=True)
class Pushes:
    """The decisions by alert and recipient (None: the divisions' groups). Who is not `reachable` has no push."""

    reachable: Collection[str | None]
    decided: Mapping[tuple[UUID, str | None], Decision] = field(default_factory=dict)

    def goes_at_once(self, dispatch: Dispatch, recipient: str | None) -> bool:
        return not self.decided or (dispatch.alert_id, recipient) not in self.decided

    def group(self, dispatch: Dispatch, recipient: str | None, desk: Desk) -> dict[str, Any] | None:
        """The row of the group that a message waits in; None if it waits in none."""
        decision = self.decided.get((dispatch.alert_id, recipient))
        if decision is None or decision.push not in (Push.SEND, Push.DEFER):
            return None
        return _group(dispatch, recipient, decision, desk)

    def columns(self, dispatch: Dispatch, recipient: str | None, now: datetime) -> dict[str, Any]:
        """What the notification's row says of its push."""
        known = self.decided.get((dispatch.alert_id, recipient)) if self.decided else None
        decision, waits, is_urgent = known or _AT_ONCE, known is not None, dispatch.is_urgent
        is_grouped = waits and decision.push in (Push.SEND, Push.DEFER)
        key = group_key(recipient, dispatch.living, dispatch.kind, is_urgent=is_urgent) if is_grouped else None
        is_pushed_now = not waits and recipient in self.reachable
        return {
            "decision": decision.push,
            "reason": decision.reason,
            "not_before": decision.not_before,
            "group_key": key,
            "urgent": is_urgent,
            "outcome": Ending.SENT if is_pushed_now else None,
            "ended_at": now if is_pushed_now else None,
        }


def group_key(recipient: str | None, division: str, kind: str, *, is_urgent: bool = False) -> str:
    """Names the pushes that are one message; urgent ones never wait with the others."""
    return f"{recipient or 'group'}:{division}:{kind}{_URGENT if is_urgent else ''}"


async def decide_pushes(
    connection: asyncpg.Connection, told: Sequence[Told], reachable: Collection[str | None], desk: Desk
) -> Pushes:
    """Decide for those who have an endpoint; what is not in the answer goes at once."""
    waiting = [one for one in told if _waits(one.dispatch, desk)]
    if not desk.settings.flood_control or not waiting or not reachable:
        return Pushes(reachable)
    rules = await rules_of(connection, {one.dispatch.living for one in waiting}, desk)
    decided = {}
    # Many alerts of one transaction are decided alike.
    alike: dict[tuple[str, Message], Decision] = {}
    for one in waiting:
        code, severity, is_urgent = county(one.dispatch.living), one.dispatch.severity, one.dispatch.is_urgent
        for recipient in (*_people(one), None):
            if recipient in reachable:
                message = Message(severity, is_urgent=is_urgent, is_for_group=recipient is None)
                if (code, message) not in alike:
                    alike[code, message] = decide(message, _NOTHING_KNOWN, rules[code], desk.now)
                decided[one.dispatch.alert_id, recipient] = alike[code, message]
    return Pushes(reachable, decided)


def _waits(dispatch: Dispatch, desk: Desk) -> bool:
    """Whether a push waits for others of its village: what is urgent only where it may, and a moment."""
    return not dispatch.is_urgent or (dispatch.may_wait_for_others and bool(desk.settings.red_group_wait))


def _people(told: Told) -> Iterable[str]:
    return (listener.officer_no for listener in told.listening.listeners)


async def rules_of(connection: asyncpg.Connection, places: Iterable[str], desk: Desk) -> dict[str, Rules]:
    """The rules of the counties in which some places lie, by the county's code."""
    counties = {county(place) for place in places}
    calendars: Calendars = desk.calendars
    if not counties <= calendars.of_place.keys():
        calendars = await read_calendars(connection, counties, desk.now)
    return {code: rules_for(calendars, code, desk.settings, desk.now) for code in counties}


def rules_for(calendars: Calendars, code: str, settings: AlertsSettings, now: datetime) -> Rules:
    local = now.astimezone(SHANGHAI)
    digest_at = datetime.combine(local.date(), settings.digest_at, SHANGHAI)
    return Rules(calendars.at(code), settings.quiet, digest_at, settings.pushes_a_day)


def county(place: str) -> str:
    """The code of the county in which a place lies."""
    return county_of(place).ljust(FULL_LENGTH, "0")


async def put_in_groups(connection: asyncpg.Connection, rows: Iterable[dict[str, Any]], desk: Desk) -> None:
    """Let groups be told when the time of the soonest of their messages comes; in the order of their keys."""
    due: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = due.setdefault(row["group_key"], row)
        if row["due_at"] < known["due_at"]:
            due[row["group_key"]] = row
    for is_urgent, interval in ((False, desk.settings.group_interval), (True, desk.settings.red_group_wait)):
        rows = [due[key] for key in sorted(due) if key.endswith(_URGENT) is is_urgent]
        await repository_groups.make_groups_due(connection, rows, desk.now, interval)


def _group(dispatch: Dispatch, recipient: str | None, decision: Decision, desk: Desk) -> dict[str, Any]:
    wait = desk.settings.red_group_wait if dispatch.is_urgent else desk.settings.group_wait
    return {
        "group_key": group_key(recipient, dispatch.living, dispatch.kind, is_urgent=dispatch.is_urgent),
        "recipient": recipient,
        "division": dispatch.living,
        "kind": dispatch.kind,
        "due_at": decision.not_before or desk.now + wait,
    }
