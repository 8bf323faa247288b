"""A correction ticket (数据更正单): a visitor found data wrong, and its department mends it at the source."""

from enum import StrEnum


class TicketState(StrEnum):
    """How far a correction got; only a corrected record, or the department's word with a reason, ends it."""

    OPEN = "open"
    ANSWERED = "answered"  # The department says it has mended it; the corrected record is awaited.
    CORRECTED = "corrected"
    KEPT = "kept"  # The department looked again and stands by its data, and says why.


class Reply(StrEnum):
    """What a department says to a ticket."""

    MENDED = "mended"
    STANDS = "stands"


_AFTER = {
    (TicketState.OPEN, Reply.MENDED): TicketState.ANSWERED,
    (TicketState.OPEN, Reply.STANDS): TicketState.KEPT,
    (TicketState.ANSWERED, Reply.MENDED): TicketState.ANSWERED,
    (TicketState.ANSWERED, Reply.STANDS): TicketState.KEPT,
}
WAITING = (TicketState.OPEN, TicketState.ANSWERED)


def after_reply(state: TicketState, reply: Reply) -> TicketState | None:
    """The state after the department's word; None: the ticket is at an end."""
    return _AFTER.get((state, reply))
