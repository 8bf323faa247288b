"""What happens to a message after a try to send it (投递): pure decisions, the times are arguments."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class OutcomeClass(StrEnum):
    """What a try came to.

    Taken; try again; too many at once, so nothing more goes there for a while; a person must mend something; the
    receiver is gone for good; the supplier took it and reports that it did not arrive; nothing was sent, the supplier
    was asked about an earlier try.
    """

    OK = "ok"
    RETRY = "retry"
    LIMITED = "limited"
    FIX = "fix"
    GONE = "gone"
    UNREACHED = "unreached"
    ASKED = "asked"


class DeliveryState(StrEnum):
    """Where a delivery stands.

    `uncertain`: a worker died over it, and a second message would cost money, so the supplier is asked first.
    `delivered`: the supplier took it; `confirmed`: its receipt (回执) says that it arrived. `dead` waits for a person
    and is shown to one.
    """

    DUE = "due"
    UNCERTAIN = "uncertain"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    DEAD = "dead"
    CANCELLED = "cancelled"


class EndpointState(StrEnum):
    """Whether an endpoint may be sent to; `broken` until mended, `disabled` for good."""

    ACTIVE = "active"
    BROKEN = "broken"
    DISABLED = "disabled"


class Inquiry(StrEnum):
    """What the supplier says of a message that may have been sent."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NO_ANSWER = "no_answer"
    CANNOT_ASK = "cannot_ask"


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What a channel says of one try.

    `code` is the protocol's answer, `supplier_code` the supplier's own, `supplier_id` its name for the message;
    `reason` never holds what was sent. With `of_supplier` it is the supplier that needs mending (an empty account, a
    wrong key), not this address. `retry_after` is what the receiver wishes, `block` how long a supplier's rules
    keep everybody out after too many messages.
    """

    outcome: OutcomeClass
    code: int | None = None
    reason: str = ""
    retry_after: timedelta | None = None
    block: timedelta | None = None
    supplier_code: str | None = None
    supplier_id: str | None = None
    of_supplier: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write down: the delivery's state, its next time if any, and what the endpoint becomes (None: as is)."""

    state: DeliveryState
    due_at: datetime | None = None
    endpoint: EndpointState | None = None


# Waits after the first, second, ... failure; afterwards daily (Svix's schedule, closed by a day).
SCHEDULE = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 7200, 18000, 86400))
JITTER = 0.2
# How long the receipt of an SMS is waited for where its supplier cannot be asked; then it is sent again.
RECEIPT_WAIT = timedelta(minutes=10)
# How long a supplier that must be mended is left alone.
SUPPLIER_PAUSE = timedelta(minutes=10)
# How long a receiver is left alone that takes no more for now: usually, and at most whatever it asks.
LIMIT_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
# After so many failures of an urgent message the next channel of the same person starts too.
URGENT_FAILURES = 2
WAITING = frozenset({DeliveryState.DUE, DeliveryState.UNCERTAIN})


def decide(outcome: SendOutcome, *, attempt: int, now: datetime, give_up_at: datetime, jitter: float) -> Decision:
    """Decide what follows the `attempt`-th try (from 1); `jitter` in [-1, 1] spreads the wait by ± 20 %."""
    match outcome.outcome:
        case OutcomeClass.OK:
            return Decision(DeliveryState.DELIVERED)
        case OutcomeClass.FIX if outcome.of_supplier:
            return _later(now + SUPPLIER_PAUSE, give_up_at)
        case OutcomeClass.FIX:
            return Decision(DeliveryState.DEAD, endpoint=EndpointState.BROKEN)
        case OutcomeClass.GONE:
            return Decision(DeliveryState.DEAD, endpoint=EndpointState.DISABLED)
        case OutcomeClass.UNREACHED:
            return Decision(DeliveryState.DEAD)
        case OutcomeClass.RETRY | OutcomeClass.LIMITED | OutcomeClass.ASKED:
            return _later(now + (outcome.block or wait_after(attempt, outcome.retry_after, jitter)), give_up_at)


def _later(due_at: datetime, give_up_at: datetime) -> Decision:
    return Decision(DeliveryState.DEAD) if due_at > give_up_at else Decision(DeliveryState.DUE, due_at)


def wait_after(attempt: int, retry_after: timedelta | None, jitter: float) -> timedelta:
    """The wait after a failure; a receiver's Retry-After is honoured between once and twice the schedule's step."""
    step = SCHEDULE[min(max(attempt, 1), len(SCHEDULE)) - 1]
    jittered = step * (1 + JITTER * jitter)
    if retry_after is None:
        return jittered
    return min(max(retry_after, jittered), 2 * step)


def leaves_alone(outcome: SendOutcome) -> timedelta | None:
    """How long everybody leaves the receiver alone, however often this message failed; None: not at all."""
    if outcome.outcome is OutcomeClass.LIMITED:
        return outcome.block or min(outcome.retry_after or LIMIT_PAUSE, LONGEST_PAUSE)
    return SUPPLIER_PAUSE if outcome.outcome is OutcomeClass.FIX and outcome.of_supplier else None


def after_inquiry(
    said: Inquiry, *, waited: bool, attempt: int, now: datetime, give_up_at: datetime, jitter: float
) -> Decision:
    """Decide about a message that may have been sent; `waited`: its receipt was waited for already.

    What the supplier does not know is sent. Where it cannot be asked and no receipt came, it is sent again: a second
    message costs little, a lost one a household's help. After the end of all tries it waits for a person.
    """
    if said is Inquiry.SENT:
        return Decision(DeliveryState.DELIVERED)
    if said is Inquiry.FAILED:
        return Decision(DeliveryState.DEAD)
    if said is Inquiry.UNKNOWN or (said is Inquiry.CANNOT_ASK and waited):
        return _later(now, give_up_at)
    due_at = now + (RECEIPT_WAIT if said is Inquiry.CANNOT_ASK else wait_after(attempt, None, jitter))
    return Decision(DeliveryState.DEAD) if due_at > give_up_at else Decision(DeliveryState.UNCERTAIN, due_at)


def after_receipt(state: DeliveryState, *, arrived: bool) -> DeliveryState:
    """Where a receipt leads: arrived is final; a failure counts unless the message is known to have arrived.

    A receipt may come before the answer it belongs to, twice, or late.
    """
    if arrived:
        return state if state is DeliveryState.CANCELLED else DeliveryState.CONFIRMED
    return DeliveryState.DEAD if state in {*WAITING, DeliveryState.DELIVERED} else state


def starts_next_channel(decision: Decision, outcome: OutcomeClass, *, attempt: int, urgent: bool) -> bool:
    """Whether the next channel of the same person starts: when this one ends without success, or is slow to."""
    if decision.state is DeliveryState.DEAD or outcome is OutcomeClass.FIX:
        return True
    failed = outcome in {OutcomeClass.RETRY, OutcomeClass.LIMITED}
    return urgent and failed and attempt >= URGENT_FAILURES
