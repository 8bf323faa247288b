"""Deliver messages: claim, let go of the connection, send, record. The row is the queue.

A crash between sending and recording sends once more under the same id after the lease; nothing is ever lost.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.channels.channel import Channel, Message, Target
from services.alerts.domain.delivery import Decision, EndpointState, OutcomeClass, SendOutcome, decide
from services.alerts.notify_broken import notify_broken
from services.alerts.phone_token import make_links
from shared.db.scope import transaction
from shared.logs import log
from shared.queue.claim import LeaseLost, Queue, claim, finish
from shared.runtime import Runtime

QUEUE = Queue("delivery", ("delivery_id",), where="state = 'due'")
# Longer than any channel may take for one try.
LEASE = timedelta(seconds=60)
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed delivery, with all that sending it needs."""

    message: Message
    target: Target
    channel: str
    endpoint_id: UUID
    endpoint_state: EndpointState
    token: UUID
    attempt: int
    give_up_at: datetime

    @property
    def delivery_id(self) -> UUID:
        return self.message.message_id


@dataclass(frozen=True, slots=True)
class Try:
    """One try and what it came to."""

    job: Job
    outcome: SendOutcome
    milliseconds: int


async def deliver_due(runtime: Runtime, channels: Mapping[str, Channel]) -> int:
    """Try up to sixteen due deliveries at once; how many."""
    async with transaction(runtime.worker_pool) as connection:
        jobs = await _claim(runtime, connection)
    tries = await asyncio.gather(*(_send(job, channels, runtime.clock.now()) for job in jobs))
    for one in tries:
        await _record(runtime, one)
    return len(jobs)


async def _claim(runtime: Runtime, connection: asyncpg.Connection) -> list[Job]:
    rows = await claim(connection, QUEUE, now=runtime.clock.now(), limit=_AT_ONCE, lease=LEASE)
    endpoints = await repository.endpoints_by_id(connection, {row["endpoint_id"] for row in rows})
    links = await _own_links(runtime, connection, rows, endpoints)
    return [_job(runtime, row, endpoints[row["endpoint_id"]], links) for row in rows]


Links = Mapping[UUID, str]


async def _own_links(
    runtime: Runtime, connection: asyncpg.Connection, rows: Sequence[asyncpg.Record], endpoints: Mapping[UUID, Any]
) -> Links:
    """A link that opens once for each message to a person; only its hash is kept."""
    to_people = {
        row["delivery_id"]: (endpoints[row["endpoint_id"]]["officer_no"], row["alert_id"])
        for row in rows
        if endpoints[row["endpoint_id"]]["officer_no"] and row["alert_id"]
    }
    return await make_links(connection, to_people, runtime.settings.public_url, runtime.clock.now())


def _job(runtime: Runtime, row: asyncpg.Record, endpoint: asyncpg.Record, links: Links) -> Job:
    link = links.get(row["delivery_id"], row["message"]["link"])
    said = {**row["message"], "link": link}
    message = Message(message_id=row["delivery_id"], created_at=row["created_at"], **said)
    target = Target(endpoint["address"], open_secret(runtime, endpoint))
    return Job(
        message,
        target,
        row["channel"],
        row["endpoint_id"],
        EndpointState(endpoint["state"]),
        row["lease_token"],
        row["attempts"],
        row["give_up_at"],
    )


def open_secret(runtime: Runtime, endpoint: asyncpg.Record) -> bytes | None:
    """The signing secret of an endpoint, if it has one."""
    if endpoint["sealed_secret"] is None:
        return None
    opened = runtime.keys.open(endpoint["sealed_secret"], "endpoint", "secret", str(endpoint["endpoint_id"]))
    return bytes.fromhex(opened)


async def _send(job: Job, channels: Mapping[str, Channel], now: datetime) -> Try:
    started = time.perf_counter()
    outcome = await _outcome(job, channels.get(job.channel), now)
    return Try(job, outcome, round((time.perf_counter() - started) * 1000))


async def _outcome(job: Job, channel: Channel | None, now: datetime) -> SendOutcome:
    if job.endpoint_state is not EndpointState.ACTIVE:
        return SendOutcome(OutcomeClass.FIX, reason=f"endpoint is {job.endpoint_state}")
    if channel is None:
        # The relay's settings went away after routing; they may come back.
        return SendOutcome(OutcomeClass.RETRY, reason="channel not configured")
    return await channel.send(job.message, job.target, now=now)


async def _record(runtime: Runtime, one: Try) -> None:
    """Write the try down and what follows; after a lost lease (an acknowledgement, another worker) only the try."""
    try:
        async with transaction(runtime.worker_pool) as connection:
            await _settle(runtime, connection, one)
    except LeaseLost:
        log.info("delivery.lease_lost", delivery_id=str(one.job.delivery_id))
        async with transaction(runtime.worker_pool) as connection:
            await _write_attempt(connection, one, runtime.clock.now())


async def _settle(runtime: Runtime, connection: asyncpg.Connection, one: Try) -> None:
    job, now = one.job, runtime.clock.now()
    decision = decide(
        one.outcome,
        attempt=job.attempt,
        now=now,
        give_up_at=job.give_up_at,
        jitter=random.uniform(-1, 1),  # noqa: S311
    )
    await finish(
        connection,
        QUEUE,
        (job.delivery_id,),
        job.token,
        set_sql="state = $1, due_at = $2, outcome = $3, settled_at = $4",
        args=(decision.state, decision.due_at, one.outcome.outcome, None if decision.due_at else now),
    )
    await _write_attempt(connection, one, now)
    await _mind_endpoint(connection, runtime, one, decision, now)


async def _mind_endpoint(
    connection: asyncpg.Connection, runtime: Runtime, one: Try, decision: Decision, now: datetime
) -> None:
    """Take an endpoint that cannot work out of use, and tell the county once."""
    if decision.endpoint is None:
        return
    reason = f"{one.outcome.code or ''} {one.outcome.reason}".strip()
    if await repository.set_endpoint_state(connection, one.job.endpoint_id, decision.endpoint, reason, now):
        await notify_broken(connection, runtime, one.job.endpoint_id)


async def _write_attempt(connection: asyncpg.Connection, one: Try, now: datetime) -> None:
    row = {
        "delivery_id": one.job.delivery_id,
        "attempt": one.job.attempt,
        "at": now,
        "outcome": one.outcome.outcome,
        "code": one.outcome.code,
        "reason": one.outcome.reason,
        "milliseconds": one.milliseconds,
    }
    await repository.insert_rows(connection, "delivery_attempt", [row], conflict="ON CONFLICT DO NOTHING")
