"""What happens to a message after a try to send it (投递): pure decisions, the times are arguments."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class OutcomeClass(StrEnum):
    """What a try came to: taken; try again; a person must mend something; the receiver is gone for good."""

    OK = "ok"
    RETRY = "retry"
    FIX = "fix"
    GONE = "gone"


class DeliveryState(StrEnum):
    """Where a delivery stands; `dead` waits for a person and is shown to one."""

    DUE = "due"
    DELIVERED = "delivered"
    DEAD = "dead"
    CANCELLED = "cancelled"


class EndpointState(StrEnum):
    """Whether an endpoint may be sent to; `broken` until mended, `disabled` for good."""

    ACTIVE = "active"
    BROKEN = "broken"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What a channel says of one try; `code` is the protocol's answer, `reason` never holds what was sent."""

    outcome: OutcomeClass
    code: int | None = None
    reason: str = ""
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write down: the delivery's state, its next time if any, and what the endpoint becomes (None: as is)."""

    state: DeliveryState
    due_at: datetime | None = None
    endpoint: EndpointState | None = None


# Waits after the first, second, ... failure; afterwards daily (Svix's schedule, closed by a day).
SCHEDULE = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 7200, 18000, 86400))
JITTER = 0.2


def decide(outcome: SendOutcome, *, attempt: int, now: datetime, give_up_at: datetime, jitter: float) -> Decision:
    """Decide what follows the `attempt`-th try (from 1); `jitter` in [-1, 1] spreads the wait by ± 20 %."""
    if outcome.outcome is OutcomeClass.OK:
        return Decision(DeliveryState.DELIVERED)
    if outcome.outcome is OutcomeClass.FIX:
        return Decision(DeliveryState.DEAD, endpoint=EndpointState.BROKEN)
    if outcome.outcome is OutcomeClass.GONE:
        return Decision(DeliveryState.DEAD, endpoint=EndpointState.DISABLED)
    due_at = now + wait_after(attempt, outcome.retry_after, jitter)
    return Decision(DeliveryState.DEAD) if due_at > give_up_at else Decision(DeliveryState.DUE, due_at)


def wait_after(attempt: int, retry_after: timedelta | None, jitter: float) -> timedelta:
    """The wait after a failure; a receiver's Retry-After is honoured between once and twice the schedule's step."""
    step = SCHEDULE[min(max(attempt, 1), len(SCHEDULE)) - 1]
    jittered = step * (1 + JITTER * jitter)
    if retry_after is None:
        return jittered
    return min(max(retry_after, jittered), 2 * step)
