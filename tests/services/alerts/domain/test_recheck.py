"""A share of answers is drawn, the same ones always, and nobody without the secret knows which."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.recheck import RecheckState, is_drawn, state_of
from shared.vocabulary.terms import Outcome


@given(number=st.uuids(), secret=st.binary(min_size=32, max_size=32), percent=st.floats(0, 100))
def test_the_same_answer_always_or_never(number: UUID, secret: bytes, percent: float) -> None:
    drawn = is_drawn(secret, number, Outcome.NO_RISK, percent)
    assert is_drawn(secret, number, Outcome.NO_RISK, percent) is drawn
    assert not is_drawn(secret, number, Outcome.IDENTIFY, percent)
    assert is_drawn(secret, number, Outcome.MOVED, 100)
    assert not is_drawn(secret, number, Outcome.MOVED, 0)


def test_about_the_share_and_others_under_another_secret() -> None:
    answers = [UUID(int=number) for number in range(20_000)]
    drawn = {n for n in answers if is_drawn(b"a" * 32, n, Outcome.NO_RISK, 5)}
    others = {n for n in answers if is_drawn(b"b" * 32, n, Outcome.NO_RISK, 5)}
    assert 900 < len(drawn) < 1100
    assert len(drawn & others) < 100


@pytest.mark.parametrize("found", Outcome)
def test_only_the_same_outcome_agrees(found: Outcome) -> None:
    agrees = state_of(Outcome.NO_RISK, found) is RecheckState.AGREES
    assert agrees is (found is Outcome.NO_RISK)
