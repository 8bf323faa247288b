"""Send what the outbox holds: claim, let go of the connection, post signed, record.

What one message stumbles over puts off that message. While a peer as a whole is away nothing is put off but the peer:
what waits keeps its place, and drains in the order in which it was said.
"""

import asyncio
import base64
import contextlib
import json
import time
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg
import httpx

from shared.contracts.envelope import WrittenEvent
from shared.contracts.outside import as_told_outside
from shared.db.pool import to_json
from shared.db.scope import transaction
from shared.logs import log, mask
from shared.messaging.signing import sign
from shared.messaging.subscription import INTERNAL_PREFIX
from shared.queue.backoff import RETRY_SCHEDULE, delay
from shared.queue.claim import LeaseLost, Queue, claim, finish
from shared.runtime import Runtime

QUEUE = Queue("outbox_delivery", ("outbox_id", "subscription_id"), where="state = 'due'")
# A crash holds up what it claimed until the lease ends: for what somebody waits for, that must be soon.
LEASE, URGENT_LEASE = timedelta(seconds=60), timedelta(seconds=15)
TIMEOUT = httpx.Timeout(30, connect=3)
# For the whole try, within the lease: each byte of a slow answer starts the reading time afresh.
WHOLE_TRY = timedelta(seconds=40)
GIVE_UP_AFTER = 60
# A peer that restarts is back in seconds; a subscriber outside may be away for days.
INTERNAL_SCHEDULE = tuple(timedelta(seconds=s) for s in (0.5, 1, 2, 5, 10, 30))
GONE = 410


@dataclass(frozen=True, slots=True)
class Post:
    """One message on its way to one subscriber."""

    key: tuple[object, object]
    token: object
    attempts: int
    receiver: str
    url: str
    sealed_secret: bytes
    division: str | None
    event: WrittenEvent
    failures: int = 0

    @property
    def internal(self) -> bool:
        return self.receiver.startswith(INTERNAL_PREFIX)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the subscriber said; `status` is None when it said nothing."""

    status: int | None
    error: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def final(self) -> bool:
        """Trying again cannot help: the subscriber is gone, or the message itself is refused."""
        return self.status in {400, 409, 410, 413, 415, 422}

    @property
    def away(self) -> bool:
        """Nobody is there who could have taken any message; that one took too long says nothing of the others."""
        took_long = self.error != "ConnectTimeout" and "Timeout" in (self.error or "Timeout")
        return self.status in {502, 503} or (self.status is None and not took_long)

    @property
    def stumbled(self) -> bool:
        """The subscriber is there, and breaks over this very message."""
        return self.status == 500


@dataclass(frozen=True, slots=True)
class Hand:
    """A claimed post; what could not be tried by `until` is given back, since another might send it meanwhile."""

    post: Post
    until: float
    patience: timedelta


NOTHING_TO_SEND = Answer(204)
AWAY = """
UPDATE subscription SET failures = failures + 1, quiet_until = $2
WHERE subscription_id = $1 AND (quiet_until IS NULL OR quiet_until <= $3)
"""
BACK = "UPDATE subscription SET failures = 0, quiet_until = NULL WHERE subscription_id = $1 AND failures > 0"
# How often one turn claims, so that a worker can stop between two.
TURN_CLAIMS = 8


async def relay_urgent(runtime: Runtime) -> int:
    """Send messages somebody waits for; its own task, so that they never queue behind a file."""
    extra = f"priority = 0 AND subscription_id IN ({_PEERS} {_THERE})"
    return await _relay(runtime, limit=16, at_once=16, extra=extra, lease=URGENT_LEASE)


async def relay_once(runtime: Runtime) -> int:
    """Send some due messages, the other services' before anybody else's; the number taken.

    Three to a peer at once: more of a file would queue there before one lock, on connections that a report needs.
    """
    inside = f"priority > 0 AND subscription_id IN ({_PEERS} {_THERE})"
    outside = f"priority > 0 AND subscription_id NOT IN ({_PEERS})"
    return await _relay(runtime, limit=12, at_once=3, extra=inside) or await _relay(
        runtime, limit=8, at_once=8, extra=outside
    )


_PEERS = f"SELECT subscription_id FROM subscription WHERE name LIKE '{INTERNAL_PREFIX}%'"
_THERE = "AND (quiet_until IS NULL OR quiet_until <= $1)"


async def _relay(runtime: Runtime, *, limit: int, at_once: int, extra: str, lease: timedelta = LEASE) -> int:
    """Send until nothing is due, or the turn is over; the next are claimed before the last of these are sent."""
    turn, waiting, taken = TURN_CLAIMS, deque[Hand](), 0
    sending: set[asyncio.Task[None]] = set()
    try:
        while True:
            if turn and len(waiting) < at_once:
                more = await _take(runtime, limit, extra, lease)
                turn, taken = turn - 1 if more else 0, taken + len(more)
                waiting.extend(more)
            while waiting and len(sending) < at_once:
                sending.add(asyncio.create_task(_deliver(runtime, waiting.popleft())))
            if not sending:
                return taken
            done, sending = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
    finally:
        for one in sending:
            one.cancel()
        await asyncio.gather(*sending, return_exceptions=True)


async def _take(runtime: Runtime, limit: int, extra: str, lease: timedelta) -> list[Hand]:
    patience = min(WHOLE_TRY, lease * 2 / 3)
    until = time.monotonic() + (lease - patience).total_seconds() / 2
    async with transaction(runtime.worker_pool) as connection:
        posts = await _claim(runtime, connection, limit, extra, lease)
    return [Hand(post, until, patience) for post in posts]


async def _deliver(runtime: Runtime, hand: Hand) -> None:
    if time.monotonic() < hand.until:
        await _record(runtime, hand.post, await _post(runtime, hand.post, hand.patience))
    else:
        await _give_back(runtime, hand.post)


async def _claim(
    runtime: Runtime, connection: asyncpg.Connection, limit: int, extra: str, lease: timedelta
) -> list[Post]:
    claimed = await claim(
        connection,
        QUEUE,
        now=runtime.clock.now(),
        limit=limit,
        lease=lease,
        extra=extra,
        returning="outbox_id, subscription_id, lease_token, attempts",
    )
    if not claimed:
        return []
    details = await connection.fetch(
        """
        SELECT o.id, o.aggregateid, o.type, o.payload::text AS payload, o.traceparent, o.created_at,
               s.subscription_id, s.name, s.url, s.secret, s.division, s.failures
        FROM unnest($1::uuid[], $2::uuid[]) AS due (outbox_id, subscription_id)
        JOIN outbox o ON o.id = due.outbox_id JOIN subscription s ON s.subscription_id = due.subscription_id
        """,
        [row["outbox_id"] for row in claimed],
        [row["subscription_id"] for row in claimed],
    )
    told = {(row["id"], row["subscription_id"]): row for row in details}
    leases = [((lease["outbox_id"], lease["subscription_id"]), lease) for lease in claimed]
    return [_as_post(runtime, told[key], lease) for key, lease in leases if key in told]


def _as_post(runtime: Runtime, row: asyncpg.Record, lease: asyncpg.Record) -> Post:
    event = WrittenEvent(
        id=row["id"],
        source=f"fangpin/{runtime.service}",
        type=row["type"],
        time=row["created_at"],
        subject=row["aggregateid"] or None,
        data=row["payload"],
        traceparent=row["traceparent"],
    )
    return Post(
        key=(row["id"], row["subscription_id"]),
        token=lease["lease_token"],
        attempts=lease["attempts"],
        receiver=row["name"],
        url=row["url"],
        sealed_secret=row["secret"],
        division=row["division"],
        event=event,
        failures=row["failures"],
    )


def _secret(runtime: Runtime, post: Post) -> bytes:
    if post.internal:
        return runtime.keys.message_secret(runtime.service, post.receiver.removeprefix(INTERNAL_PREFIX))
    return base64.b64decode(runtime.keys.open(post.sealed_secret, "subscription", "secret", str(post.key[1])))


async def _post(runtime: Runtime, post: Post, patience: timedelta) -> Answer:
    """Try once. Whatever one message stumbles over, the others in hand must still be sent and recorded."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            return await _send(runtime, post)
    except Exception as error:
        return Answer(None, type(error).__name__)


def _body(post: Post) -> bytes | None:
    """The message as its receiver may have it; None if nothing of it concerns a subscriber outside."""
    event = post.event
    if not post.internal:
        told = as_told_outside(event.type, json.loads(event.data), post.division or "")
        if told is None:
            return None
        event = replace(event, data=to_json(told))
    return event.text().encode()


async def _send(runtime: Runtime, post: Post) -> Answer:
    body = _body(post)
    if body is None:
        return NOTHING_TO_SEND
    headers = sign(_secret(runtime, post), str(post.event.id), body, runtime.clock.now())
    headers["content-type"] = "application/cloudevents+json"
    if post.event.traceparent:
        headers["traceparent"] = post.event.traceparent
    async with runtime.http.stream(
        "POST", post.url, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False
    ) as answer:
        return Answer(answer.status_code, None if answer.is_success else await _beginning(answer))


async def _beginning(answer: httpx.Response) -> str:
    """As much of an answer as helps to find the mistake; the rest, however long, is not read."""
    async for part in answer.aiter_raw():
        return str(mask(part[:300].decode(errors="replace").replace("\x00", "")))
    return ""


async def _record(runtime: Runtime, post: Post, answer: Answer) -> None:
    try:
        async with transaction(runtime.worker_pool) as connection:
            await _settle(runtime, connection, post, answer)
    except LeaseLost:
        log.warning("relay.lease_lost", event_id=str(post.event.id))


async def _give_back(runtime: Runtime, post: Post) -> None:
    with contextlib.suppress(LeaseLost):
        async with transaction(runtime.worker_pool) as connection:
            not_tried = "due_at = $1, attempts = attempts - 1"
            await finish(
                connection,
                QUEUE,
                post.key,
                post.token,  # type: ignore[arg-type]
                set_sql=not_tried,
                args=(runtime.clock.now(),),
            )


async def _leave_alone(connection: asyncpg.Connection, post: Post, answer: Answer, now: datetime) -> None:
    """Let the message keep its place, and the peer be tried again after a while; of several that fail once."""
    log.warning("relay.peer_away", to=post.receiver, status=answer.status, error=answer.error)
    said = "last_status = $1, last_error = $2"
    await finish(connection, QUEUE, post.key, post.token, set_sql=said, args=(answer.status, answer.error))  # type: ignore[arg-type]
    await connection.execute(AWAY, post.key[1], now + delay(post.failures + 1, INTERNAL_SCHEDULE), now)


async def _settle(runtime: Runtime, connection: asyncpg.Connection, post: Post, answer: Answer) -> None:
    now = runtime.clock.now()
    if answer.accepted:
        await finish(
            connection,
            QUEUE,
            post.key,
            post.token,  # type: ignore[arg-type]
            set_sql="state = 'delivered', due_at = NULL, delivered_at = $1, last_status = $2, last_error = NULL",
            args=(now, answer.status),
        )
        if post.failures:
            await connection.execute(BACK, post.key[1])
        return
    if post.internal and answer.away:
        await _leave_alone(connection, post, answer, now)
        return
    # A peer that is away for a weekend still gets everything; only what it breaks over waits for a person.
    given_up = post.attempts >= GIVE_UP_AFTER and (answer.stumbled or not post.internal)
    gone = answer.status == GONE and not post.internal
    dead = gone or given_up or (answer.final and post.attempts >= 3)
    wait = delay(post.attempts, INTERNAL_SCHEDULE if post.internal else RETRY_SCHEDULE)
    if gone:
        await connection.execute("UPDATE subscription SET active = false WHERE subscription_id = $1", post.key[1])
    log.warning("relay.failed", event_id=str(post.event.id), to=post.receiver, status=answer.status, dead=dead)
    await finish(
        connection,
        QUEUE,
        post.key,
        post.token,  # type: ignore[arg-type]
        set_sql="state = $1, due_at = $2, last_status = $3, last_error = $4",
        args=("dead" if dead else "due", None if dead else now + wait, answer.status, answer.error),
    )
