"""Let a retry that would fall into the night wait for the morning (重试顺延); urgent messages are tried at any hour.

What went out by day and failed is tried again when people may be disturbed; the schedule goes on from there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import asyncpg

from services.alerts.decide_pushes import county, rules_of
from services.alerts.dispatch import Desk
from services.alerts.domain.delivery import Decision, DeliveryState
from services.alerts.domain.flood import Rules, next_slot
from services.alerts.settings import AlertsSettings
from services.alerts.tried import Try
from shared.runtime import Runtime

Decided = Sequence[tuple[Try, Decision]]


async def wait_for_morning(
    connection: asyncpg.Connection, runtime: Runtime, decided: Decided, now: datetime
) -> Decided:
    """The same decisions; those to try again in quiet hours or on a day off wait, at most until they are given up."""
    places = {one.job.message.division for one, decision in decided if _may_wait(one, decision)}
    rules = await _rules(connection, runtime, places, now)
    if not rules:
        return decided
    return [
        (one, _later(one, decision, rules) if _may_wait(one, decision) else decision) for one, decision in decided
    ]


async def slots_at(
    connection: asyncpg.Connection, runtime: Runtime, places: Collection[str], now: datetime
) -> list[datetime]:
    """From when on somebody in each county may be disturbed: now, or in the morning; none without flood control."""
    return [next_slot(now, rules) for rules in (await _rules(connection, runtime, places, now)).values()]


async def _rules(
    connection: asyncpg.Connection, runtime: Runtime, places: Collection[str], now: datetime
) -> Mapping[str, Rules]:
    settings = runtime.settings
    assert isinstance(settings, AlertsSettings)
    if not settings.flood_control or not places:
        return {}
    return await rules_of(connection, places, Desk(now, runtime.clock.today(), settings))


def _may_wait(one: Try, decision: Decision) -> bool:
    return decision.state is DeliveryState.DUE and decision.due_at is not None and not one.job.is_urgent


def _later(one: Try, decision: Decision, rules: Mapping[str, Rules]) -> Decision:
    assert decision.due_at is not None
    slot = next_slot(decision.due_at, rules[county(one.job.message.division)])
    return replace(decision, due_at=max(decision.due_at, min(slot, one.job.give_up_at)))
