"""How a correction ticket moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.ticket import WAITING, Reply, TicketState, after_reply


@pytest.mark.parametrize(
    ("state", "reply", "after"),
    [
        (TicketState.OPEN, Reply.MENDED, TicketState.ANSWERED),
        (TicketState.OPEN, Reply.STANDS, TicketState.KEPT),
        (TicketState.ANSWERED, Reply.MENDED, TicketState.ANSWERED),
        (TicketState.ANSWERED, Reply.STANDS, TicketState.KEPT),
        (TicketState.CORRECTED, Reply.MENDED, None),
        (TicketState.KEPT, Reply.STANDS, None),
    ],
)
def test_a_department_answers(state: TicketState, reply: Reply, after: TicketState | None) -> None:
    assert after_reply(state, reply) is after


@given(st.lists(st.sampled_from(Reply)))
def test_its_word_alone_never_says_that_the_data_is_corrected(replies: list[Reply]) -> None:
    state: TicketState | None = TicketState.OPEN
    for reply in replies:
        state = after_reply(state, reply) if state is not None else None
        assert state is not TicketState.CORRECTED
        assert state is None or state in WAITING or after_reply(state, reply) is None
