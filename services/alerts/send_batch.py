"""Send a batch of deliveries of one outlet, some at once, and record them in groups as they come back.

Whatever stops the batch (failures in a row, the supplier's limit, the lease running out) gives the rest back untried.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.alerts import repository_deliveries as repository
from services.alerts.channels.channel import Channel, Inquiring
from services.alerts.domain.breaker import OPENS_AFTER
from services.alerts.domain.delivery import EndpointState, Inquiry, OutcomeClass, SendOutcome
from services.alerts.domain.message import Kind
from services.alerts.settle_tries import settle_tries
from services.alerts.tried import Job, Try
from shared.db.scope import transaction
from shared.logs import log
from shared.runtime import Runtime

# So many may fail together when a receiver goes away.
AT_ONCE = 8
# What comes back within so long is recorded in one transaction; a kill repeats no more than that, under the same id.
GATHER_SECONDS = 0.02


@dataclass(slots=True)
class Batch:
    """The jobs of one outlet, sent until they are through, something stops them, or `until` (monotonic)."""

    runtime: Runtime
    channels: Mapping[str, Channel]
    outlet_id: UUID
    jobs: Sequence[Job]
    until: float
    _waiting: deque[Job] = field(default_factory=deque)
    _back: list[Try] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _failed: int = 0
    _stopped: bool = False
    _over: bool = False
    _unusable: set[UUID] = field(default_factory=set)
    _untried: list[Job] = field(default_factory=list)

    async def run(self) -> int:
        """How many were tried."""
        self._waiting.extend(self.jobs)
        async with asyncio.TaskGroup() as recording:
            recording.create_task(self._record())
            async with asyncio.TaskGroup() as sending:
                for _ in range(min(AT_ONCE, len(self.jobs))):
                    sending.create_task(self._send())
            self._over = True
            self._news.set()
        await self._give_back()
        return len(self.jobs) - len(self._untried)

    async def _send(self) -> None:
        while self._waiting:
            job = self._waiting.popleft()
            if self._stopped or job.endpoint_id in self._unusable or time.monotonic() >= self.until:
                self._untried.append(job)
                continue
            one = await try_once(self.runtime, self.channels.get(job.channel), job)
            self._feel(one)
            self._back.append(one)
            self._news.set()

    def _feel(self, one: Try) -> None:
        """Notice what the others of the batch should not run into as well."""
        outcome = one.outcome.outcome
        self._failed = self._failed + 1 if outcome is OutcomeClass.RETRY else 0
        if outcome in {OutcomeClass.FIX, OutcomeClass.GONE}:
            self._unusable.add(one.job.endpoint_id)
        if self._failed >= OPENS_AFTER or outcome is OutcomeClass.LIMITED or one.outcome.block is not None:
            self._stopped = True
        if outcome is OutcomeClass.FIX and one.outcome.of_supplier:
            self._stopped = True

    async def _record(self) -> None:
        while not self._over or self._back:
            await self._news.wait()
            if not self._over:
                await asyncio.sleep(GATHER_SECONDS)
            self._news.clear()
            batch, self._back = self._back, []
            if batch:
                await settle_tries(self.runtime, self.outlet_id, batch)

    async def _give_back(self) -> None:
        if self._untried:
            ids = [job.delivery_id for job in self._untried]
            async with transaction(self.runtime.worker_pool) as connection:
                await repository.release(connection, ids, self._untried[0].token)


async def try_once(runtime: Runtime, channel: Channel | None, job: Job) -> Try:
    """Send, or ask the supplier about what may have been sent. Whatever one message stumbles over is its outcome."""
    started, inquiry = time.perf_counter(), None
    try:
        if job.is_uncertain:
            inquiry = await _inquire(runtime, channel, job)
            outcome = SendOutcome(_FELT[inquiry], reason=f"supplier asked: {inquiry}")
        else:
            outcome = await _outcome(runtime, channel, job)
    except Exception as error:
        log.error("delivery.failed", delivery_id=str(job.delivery_id), error=type(error).__name__, exc_info=True)
        outcome = SendOutcome(OutcomeClass.RETRY, reason=type(error).__name__)
        inquiry = Inquiry.NO_ANSWER if job.is_uncertain else None
    return Try(job, outcome, round((time.perf_counter() - started) * 1000), inquiry)


_FELT = {
    Inquiry.SENT: OutcomeClass.OK,
    Inquiry.FAILED: OutcomeClass.UNREACHED,
    Inquiry.UNKNOWN: OutcomeClass.ASKED,
    Inquiry.CANNOT_ASK: OutcomeClass.ASKED,
    Inquiry.NO_ANSWER: OutcomeClass.RETRY,
}


async def _outcome(runtime: Runtime, channel: Channel | None, job: Job) -> SendOutcome:
    is_test = job.message.kind == Kind.TEST
    if job.endpoint_state is not EndpointState.ACTIVE and not is_test:
        return SendOutcome(OutcomeClass.FIX, reason=f"endpoint is {job.endpoint_state}")
    if channel is None:
        # The relay's settings went away after routing; they may come back.
        return SendOutcome(OutcomeClass.RETRY, reason="channel not configured")
    return await channel.send(job.message, job.target, now=runtime.clock.now())


async def _inquire(runtime: Runtime, channel: Channel | None, job: Job) -> Inquiry:
    if not isinstance(channel, Inquiring):
        return Inquiry.CANNOT_ASK
    return await channel.inquire(job.message, job.target, now=runtime.clock.now())
