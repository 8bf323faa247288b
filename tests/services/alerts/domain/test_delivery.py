"""What follows a try to send."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.delivery import (
    SCHEDULE,
    DeliveryState,
    EndpointState,
    OutcomeClass,
    SendOutcome,
    decide,
    wait_after,
)

NOW = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
RETRY = SendOutcome(OutcomeClass.RETRY)


@pytest.mark.parametrize(
    ("outcome", "state", "endpoint"),
    [
        (OutcomeClass.OK, DeliveryState.DELIVERED, None),
        (OutcomeClass.FIX, DeliveryState.DEAD, EndpointState.BROKEN),
        (OutcomeClass.GONE, DeliveryState.DEAD, EndpointState.DISABLED),
    ],
)
def test_final_outcomes(outcome: OutcomeClass, state: DeliveryState, endpoint: EndpointState | None) -> None:
    decision = decide(SendOutcome(outcome), attempt=1, now=NOW, give_up_at=NOW + timedelta(days=7), jitter=0)
    assert (decision.state, decision.endpoint, decision.due_at) == (state, endpoint, None)


def test_waits_grow_and_end_daily() -> None:
    waits = [wait_after(attempt, None, 0).total_seconds() for attempt in range(1, 10)]
    assert waits == [5, 60, 300, 1800, 7200, 18000, 86400, 86400, 86400]


def test_given_up_when_the_next_try_would_be_too_late() -> None:
    give_up = NOW + timedelta(seconds=5)
    assert decide(RETRY, attempt=1, now=NOW, give_up_at=give_up, jitter=0).state is DeliveryState.DUE
    assert decide(RETRY, attempt=1, now=NOW, give_up_at=give_up, jitter=0.1).state is DeliveryState.DEAD


@given(st.integers(1, 20), st.integers(0, 10**7), st.floats(-1, 1))
def test_retry_after_is_honoured_between_once_and_twice_the_step(attempt: int, asked: int, jitter: float) -> None:
    step = SCHEDULE[min(attempt, len(SCHEDULE)) - 1]
    wait = wait_after(attempt, timedelta(seconds=asked), jitter)
    assert step * 0.8 <= wait <= step * 2
    if step * 1.2 <= timedelta(seconds=asked) <= step * 2:
        assert wait == timedelta(seconds=asked)
