"""Write down what tries came to, and what follows: the next time, the next channel, a breaker, a notice."""

import random
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository_deliveries as repository
from services.alerts.domain.breaker import Felt, after_tries
from services.alerts.domain.delivery import (
    Decision,
    OutcomeClass,
    after_inquiry,
    decide,
    leaves_alone,
    starts_next_channel,
)
from services.alerts.notify_broken import notify_broken, notify_supplier
from services.alerts.repository import set_endpoint_state
from services.alerts.start_next_channels import start_next_channels
from services.alerts.tried import Try
from shared.db.scope import transaction
from shared.logs import log
from shared.runtime import Runtime

_URGENT_AT_ONCE = 200
Decided = Sequence[tuple[Try, Decision]]


async def settle_tries(runtime: Runtime, outlet_id: UUID, tries: Sequence[Try]) -> None:
    """Record tries of one outlet in one transaction; after a lost lease (an acknowledgement) only the try itself."""
    now = runtime.clock.now()
    decided = [(one, _decide(one, now)) for one in tries]
    try:
        await _settle(runtime, outlet_id, decided, now)
    except asyncpg.DeadlockDetectedError:
        # Acknowledgements lock the deliveries of one alert, we those of one outlet: in whatever order they stand.
        await _settle(runtime, outlet_id, decided, now)


def _decide(one: Try, now: datetime) -> Decision:
    job, jitter = one.job, random.uniform(-1, 1)  # noqa: S311
    if one.inquiry is not None:
        return after_inquiry(
            one.inquiry, waited=job.waited, attempt=job.attempt, now=now, give_up_at=job.give_up_at, jitter=jitter
        )
    return decide(one.outcome, attempt=job.attempt, now=now, give_up_at=job.give_up_at, jitter=jitter)


async def _settle(runtime: Runtime, outlet_id: UUID, decided: Decided, now: datetime) -> None:
    async with transaction(runtime.worker_pool) as connection:
        held = await repository.settle_deliveries(connection, [_row(*one, now) for one in decided])
        await repository.insert_attempts(connection, [_attempt(one, now) for one, _ in decided])
        ours = [(one, decision) for one, decision in decided if one.job.delivery_id in held]
        await _mind_endpoints(connection, runtime, ours, now)
        await _mind_outlet(connection, runtime, outlet_id, decided, now)
        ending = [one.job.delivery_id for one, decision in ours if _is_ending(one, decision)]
        await start_next_channels(connection, runtime, ending)
    if len(held) < len(decided):
        log.info("delivery.lease_lost", deliveries=len(decided) - len(held))


def _is_ending(one: Try, decision: Decision) -> bool:
    return starts_next_channel(decision, one.outcome.outcome, attempt=one.job.attempt, urgent=one.job.is_urgent)


def _row(one: Try, decision: Decision, now: datetime) -> dict[str, Any]:
    return {
        "delivery_id": one.job.delivery_id,
        "lease_token": one.job.token,
        "state": decision.state,
        "due_at": decision.due_at,
        "outcome": one.outcome.outcome,
        "settled_at": None if decision.due_at else now,
        "supplier_id": one.outcome.supplier_id,
    }


def _attempt(one: Try, now: datetime) -> dict[str, Any]:
    return {
        "delivery_id": one.job.delivery_id,
        "attempt": one.job.attempt,
        "at": now,
        "outcome": one.outcome.outcome,
        "code": one.outcome.code,
        "reason": one.outcome.reason,
        "milliseconds": one.milliseconds,
        "supplier_code": one.outcome.supplier_code,
    }


async def _mind_endpoints(connection: asyncpg.Connection, runtime: Runtime, decided: Decided, now: datetime) -> None:
    """Take endpoints that cannot work out of use, and tell the county once."""
    for one, decision in decided:
        if decision.endpoint is None:
            continue
        reason = f"{one.outcome.code or ''} {one.outcome.reason}".strip()
        if await set_endpoint_state(connection, one.job.endpoint_id, decision.endpoint, reason, now):
            await notify_broken(connection, runtime, one.job.endpoint_id)


async def _mind_outlet(
    connection: asyncpg.Connection, runtime: Runtime, outlet_id: UUID, decided: Decided, now: datetime
) -> None:
    """Open or close the breaker; a receiver that is back gets at once what waited for it."""
    felt = [_felt(one, now) for one, _ in decided]
    well = all(one.outcome is OutcomeClass.OK for one in felt)
    if well and not await repository.failures_of(connection, outlet_id):
        return
    before = await repository.lock_health(connection, outlet_id)
    after = after_tries(before, felt, now)
    if after != before:
        await repository.save_health(connection, outlet_id, after)
    if before.is_open and not after.is_open:
        await repository.hasten_deliveries(connection, outlet_id, now)
        runtime.waker.wake("deliver")
    if after.is_open:
        waiting = await repository.overdue_urgent(connection, outlet_id, now, _URGENT_AT_ONCE)
        await start_next_channels(connection, runtime, waiting)
    if any(one.outcome.of_supplier and one.outcome.outcome is OutcomeClass.FIX for one, _ in decided):
        await notify_supplier(connection, runtime, _endpoints(decided), now)


def _felt(one: Try, now: datetime) -> Felt:
    """What a try says of its outlet: only a limit or a supplier to mend keeps everybody out."""
    pause = leaves_alone(one.outcome)
    return Felt(one.outcome.outcome, None if pause is None else now + pause)


def _endpoints(decided: Decided) -> Collection[UUID]:
    return [one.job.endpoint_id for one, _ in decided][:1]
