"""An alert (预警): one household, one open alert, until a person closes it with an answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.vocabulary.terms import Severity, Term


class Status(Term):
    """Where an alert stands (处置状态)."""

    OPEN = "open", "待签收"
    ACKNOWLEDGED = "acknowledged", "已签收"
    VERIFYING = "verifying", "核实中"
    CONFIRMING = "confirming", "待复核"
    CLOSED = "closed", "已办结"


class Step(StrEnum):
    """What a person does to an alert; only an answer closes it, at once or confirmed by a second officer (双人复核).

    `propose`: an answer that waits for the second officer, who then will `confirm` or `refuse` it.
    `consult`: the alert goes to a joint consultation (联合会商).
    """

    ACKNOWLEDGE = "acknowledge"
    CANNOT_REACH = "cannot_reach"
    HAND_OVER = "hand_over"
    ACCEPT = "accept"
    CONSULT = "consult"
    PROPOSE = "propose"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    VERIFY = "verify"


# Every transition there is. A step that is not listed for a status is refused.
TRANSITIONS: dict[tuple[Status, Step], Status] = {
    (Status.OPEN, Step.ACKNOWLEDGE): Status.ACKNOWLEDGED,
    (Status.ACKNOWLEDGED, Step.ACKNOWLEDGE): Status.ACKNOWLEDGED,
    (Status.VERIFYING, Step.ACKNOWLEDGE): Status.VERIFYING,
    (Status.CONFIRMING, Step.ACKNOWLEDGE): Status.CONFIRMING,
    (Status.OPEN, Step.CANNOT_REACH): Status.VERIFYING,
    (Status.ACKNOWLEDGED, Step.CANNOT_REACH): Status.VERIFYING,
    (Status.VERIFYING, Step.CANNOT_REACH): Status.VERIFYING,
    # Until a colleague accepts, whoever gives it answers for it as before.
    (Status.OPEN, Step.HAND_OVER): Status.OPEN,
    (Status.ACKNOWLEDGED, Step.HAND_OVER): Status.ACKNOWLEDGED,
    (Status.VERIFYING, Step.HAND_OVER): Status.VERIFYING,
    # Whoever accepts has seen it.
    (Status.OPEN, Step.ACCEPT): Status.ACKNOWLEDGED,
    (Status.ACKNOWLEDGED, Step.ACCEPT): Status.ACKNOWLEDGED,
    (Status.VERIFYING, Step.ACCEPT): Status.VERIFYING,
    (Status.OPEN, Step.CONSULT): Status.VERIFYING,
    (Status.ACKNOWLEDGED, Step.CONSULT): Status.VERIFYING,
    (Status.VERIFYING, Step.CONSULT): Status.VERIFYING,
    (Status.OPEN, Step.PROPOSE): Status.CONFIRMING,
    (Status.ACKNOWLEDGED, Step.PROPOSE): Status.CONFIRMING,
    (Status.VERIFYING, Step.PROPOSE): Status.CONFIRMING,
    (Status.CONFIRMING, Step.CONFIRM): Status.CLOSED,
    (Status.CONFIRMING, Step.REFUSE): Status.VERIFYING,
    (Status.OPEN, Step.VERIFY): Status.CLOSED,
    (Status.ACKNOWLEDGED, Step.VERIFY): Status.CLOSED,
    (Status.VERIFYING, Step.VERIFY): Status.CLOSED,
}

# Steps that show that a person has seen the alert: what is still undelivered is then not sent.
SEEN_BY = (Step.ACKNOWLEDGE, Step.CANNOT_REACH, Step.ACCEPT, Step.CONSULT, Step.PROPOSE, Step.CONFIRM, Step.VERIFY)


def after(status: Status, step: Step) -> Status | None:
    """The status after a step; None: the step is not possible."""
    return TRANSITIONS.get((status, step))


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By when an alert must be acknowledged and verified."""

    acknowledge_by: datetime
    verify_by: datetime


def is_overdue(status: Status, due: Deadlines, now: datetime) -> bool:
    """Whether a clock of an alert has run out: the first while it is open, the second until it is closed."""
    if status is Status.CLOSED:
        return False
    return now >= due.verify_by or (status is Status.OPEN and now >= due.acknowledge_by)


def worse(known: Severity | None, told: Severity | None) -> Severity | None:
    """The more urgent of two: an open alert is never lowered in silence."""
    return max((known, told), key=lambda severity: severity.rank if severity else 0)
