"""Deliver messages: claim, let go of the connection, send, record. The row is the queue.

A crash between sending and recording sends once more under the same id after the lease (of an SMS the supplier is
asked first); nothing is ever lost. Outlets whose breaker is open are served apart, so that the others never wait for
a receiver that hangs.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.alerts import repository_deliveries as repository
from services.alerts.channels.channel import Channel, Message, Target
from services.alerts.domain.breaker import PROBE_EVERY, Bucket, Rate
from services.alerts.domain.delivery import DeliveryState, EndpointState
from services.alerts.phone_token import make_links
from services.alerts.put_off import put_off
from services.alerts.send_batch import Batch
from services.alerts.tried import Job
from shared.db.scope import transaction
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id

# Longer than any channel may take for one try, and for what is tried after one another within `SENDING`.
LEASE = timedelta(seconds=60)
SENDING = timedelta(seconds=30)
# For so long one turn takes on more; what it has in hand is finished after that.
TURN = timedelta(seconds=10)
OUTLETS_AT_ONCE = 32
BATCH = 256
# A second message of these costs money: what a dead worker may have sent is asked for first.
COSTLY = ("sms",)


async def deliver_due(runtime: Runtime, channels: Mapping[str, Channel], *, sick: bool = False) -> int:
    """Try what is due, until nothing is or the turn is over; how many. `sick`: one probe of each open breaker."""
    ends = time.monotonic() + TURN.total_seconds()
    in_hand: dict[asyncio.Task[int], UUID] = {}
    tried = 0
    try:
        while True:
            if time.monotonic() < ends:
                for outlet_id, jobs in (await _claim(runtime, sick=sick, busy=set(in_hand.values()))).items():
                    until = time.monotonic() + SENDING.total_seconds()
                    in_hand[asyncio.create_task(Batch(runtime, channels, outlet_id, jobs, until).run())] = outlet_id
            if not in_hand:
                return tried
            done, _ = await asyncio.wait(in_hand, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del in_hand[task]
                tried += task.result()
    finally:
        for task in in_hand:
            task.cancel()
        await asyncio.gather(*in_hand, return_exceptions=True)


async def _claim(runtime: Runtime, *, sick: bool, busy: Collection[UUID]) -> dict[UUID, list[Job]]:
    """Jobs by outlet; one round trip more than needed when nothing is due is one query."""
    now, limit = runtime.clock.now(), OUTLETS_AT_ONCE - len(busy)
    if limit <= 0:
        return {}
    async with transaction(runtime.worker_pool) as connection:
        outlets = await repository.lock_waiting_outlets(connection, now, sick=sick, busy=busy, limit=limit)
        buckets = {row["outlet_id"]: bucket for row in outlets if (bucket := _bucket(row, now)) is not None}
        most = {row["outlet_id"]: _most(row["outlet_id"], buckets, sick=sick) for row in outlets}
        if not any(most.values()):
            return {}
        claimed = await repository.claim_deliveries(
            connection, most, now=now, lease=LEASE, token=new_id(), costly=COSTLY
        )
        rows = await put_off(connection, runtime, claimed)
        await _spend(connection, rows, buckets)
        if sick:
            await repository.hold_outlets(connection, most.keys(), now + PROBE_EVERY)
        return await _jobs(runtime, connection, rows)


def _bucket(outlet: asyncpg.Record, now: datetime) -> Bucket | None:
    """The tokens of an outlet with a rate, as of now; a new bucket is full."""
    if outlet["per_minute"] is None:
        return None
    rate = Rate(outlet["per_minute"], outlet["burst"])
    held = Bucket(float(rate.burst), now)
    if outlet["tokens_at"] is not None:
        held = Bucket(outlet["tokens"], outlet["tokens_at"])
    return held.refilled(rate, now)


def _most(outlet_id: UUID, buckets: Mapping[UUID, Bucket], *, sick: bool) -> int:
    allowed = buckets[outlet_id].allows if outlet_id in buckets else BATCH
    return min(allowed, 1 if sick else BATCH)


async def _spend(
    connection: asyncpg.Connection, rows: Collection[asyncpg.Record], buckets: Mapping[UUID, Bucket]
) -> None:
    for outlet_id, bucket in buckets.items():
        left = bucket.less(sum(row["outlet_id"] == outlet_id for row in rows))
        await repository.save_tokens(connection, outlet_id, left.tokens, left.at)


async def _jobs(
    runtime: Runtime, connection: asyncpg.Connection, rows: Collection[asyncpg.Record]
) -> dict[UUID, list[Job]]:
    places = {row["owned_in"] for row in rows if row["channel"] in COSTLY}
    gateways = await repository.gateways_of(connection, places) if places else {}
    links = await _own_links(runtime, connection, rows)
    jobs = defaultdict(list)
    for row in rows:
        jobs[row["outlet_id"]].append(_job(row, _target(runtime, row, gateways.get(row["owned_in"])), links))
    return dict(jobs)


async def _own_links(
    runtime: Runtime, connection: asyncpg.Connection, rows: Collection[asyncpg.Record]
) -> Mapping[UUID, str]:
    """A link that opens once for each message to a person; only its hash is kept."""
    to_people = {
        row["delivery_id"]: (row["officer_no"], row["alert_id"])
        for row in rows
        if row["officer_no"] and row["alert_id"]
    }
    return await make_links(connection, to_people, runtime.settings.public_url, runtime.clock.now())


def _job(row: asyncpg.Record, target: Target, links: Mapping[UUID, str]) -> Job:
    said = {**row["message"], "link": links.get(row["delivery_id"], row["message"]["link"])}
    return Job(
        message=Message(message_id=row["delivery_id"], created_at=row["created_at"], **said),
        target=target,
        channel=row["channel"],
        endpoint_id=row["endpoint_id"],
        endpoint_state=EndpointState(row["endpoint_state"]),
        token=row["lease_token"],
        attempt=row["attempts"],
        give_up_at=row["give_up_at"],
        is_urgent=row["priority"] == 0,
        is_uncertain=row["state"] == DeliveryState.UNCERTAIN,
        waited=row["was"] == DeliveryState.UNCERTAIN,
    )


def _target(runtime: Runtime, row: asyncpg.Record, gateway: asyncpg.Record | None) -> Target:
    """Where a delivery goes, with its secrets opened."""
    if row["channel"] in COSTLY:
        return _phone(runtime, row["address"], gateway)
    id_, address, keys = str(row["endpoint_id"]), row["address"], runtime.keys
    if row["sealed_query"] is not None:
        address = f"{address.partition('?')[0]}?{keys.open(row['sealed_query'], 'endpoint', 'query', id_)}"
    if row["sealed_secret"] is None:
        return Target(address)
    return Target(address, bytes.fromhex(keys.open(row["sealed_secret"], "endpoint", "secret", id_)))


def _phone(runtime: Runtime, address: str, gateway: asyncpg.Record | None) -> Target:
    if gateway is None:
        return Target(address)
    sealed, secret = gateway["sealed_secret"], None
    if sealed is not None:
        secret = runtime.keys.open(sealed, "sms_gateway", "secret", str(gateway["gateway_id"])).encode()
    return Target(address, secret, gateway["mapping"])
