"""An offer ends once, by whom it may."""

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.handover import (
    ENDS,
    HandoverAnswer,
    HandoverKind,
    HandoverState,
    Party,
    ended,
    suits,
)

REPLY = st.tuples(st.sampled_from(Party), st.sampled_from(HandoverAnswer))


@given(replies=st.lists(REPLY, max_size=8))
def test_whatever_is_answered_it_ends_at_most_once(replies: list[tuple[Party, HandoverAnswer]]) -> None:
    state, ends = HandoverState.PENDING, 0
    for party, answer in replies:
        became = ended(state, party, answer)
        assert (became is not None) is (state is HandoverState.PENDING and (party, answer) in ENDS)
        state, ends = became or state, ends + (became is not None)
    assert ends <= 1
    first = next((reply for reply in replies if reply in ENDS), None)
    assert state is (ENDS[first] if first else HandoverState.PENDING)


def test_the_giver_never_accepts_and_the_receiver_never_withdraws() -> None:
    assert ended(HandoverState.PENDING, Party.GIVER, HandoverAnswer.ACCEPT) is None
    assert ended(HandoverState.PENDING, Party.RECEIVER, HandoverAnswer.WITHDRAW) is None


@given(giver=st.none() | st.integers(1, 7), receiver=st.integers(1, 7))
def test_down_is_down_and_up_is_up(giver: int | None, receiver: int) -> None:
    assert suits(HandoverKind.TRANSFER, giver, receiver)
    assert suits(HandoverKind.ASSIGN, giver, receiver) is (giver is None or receiver < giver)
    assert suits(HandoverKind.REFER, giver, receiver) is (giver is not None and receiver > giver)
