"""A hand-over (移交) as an offer: until a colleague accepts it, whoever gives the alert answers for it."""

from enum import StrEnum

from shared.vocabulary.terms import Term


class HandoverKind(Term):
    """Down, up or across; `refer` keeps the giver beside the colleague, the others let him go."""

    ASSIGN = "assign", "交办"
    REFER = "refer", "转请"
    TRANSFER = "transfer", "移交"


class HandoverState(StrEnum):
    """Where an offer stands; `lapsed`: the alert was answered meanwhile."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class HandoverAnswer(StrEnum):
    """What ends an offer: its receiver accepts or declines, its giver withdraws."""

    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


class Party(StrEnum):
    """Whose answer it is."""

    GIVER = "giver"
    RECEIVER = "receiver"


# Every end there is: who may give which answer, and what becomes of the offer. Settled offers stay as they are.
ENDS: dict[tuple[Party, HandoverAnswer], HandoverState] = {
    (Party.RECEIVER, HandoverAnswer.ACCEPT): HandoverState.ACCEPTED,
    (Party.RECEIVER, HandoverAnswer.DECLINE): HandoverState.DECLINED,
    (Party.GIVER, HandoverAnswer.WITHDRAW): HandoverState.WITHDRAWN,
}


def ended(state: HandoverState, party: Party, answer: HandoverAnswer) -> HandoverState | None:
    """What an offer becomes by an answer; None: the answer is not possible."""
    return ENDS.get((party, answer)) if state is HandoverState.PENDING else None


def suits(kind: HandoverKind, giver_level: int | None, receiver_level: int) -> bool:
    """Whether the colleague stands where the kind says: below, above or anywhere; a giver without post may assign."""
    if kind is HandoverKind.TRANSFER:
        return True
    if kind is HandoverKind.ASSIGN:
        return giver_level is None or receiver_level < giver_level
    return giver_level is not None and receiver_level > giver_level
