"""When an outlet is left alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.breaker import (
    OPENS_AFTER,
    PROBE_EVERY,
    Breaker,
    Bucket,
    Felt,
    Health,
    Rate,
    after_tries,
)
from services.alerts.domain.delivery import OutcomeClass
from services.alerts.put_endpoint import ROBOT_RATE

NOW = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)
OK, RETRY = Felt(OutcomeClass.OK), Felt(OutcomeClass.RETRY)


@pytest.mark.parametrize(
    ("before", "tries", "failures", "opened"),
    [
        (0, [RETRY] * (OPENS_AFTER - 1), OPENS_AFTER - 1, False),
        (0, [RETRY] * OPENS_AFTER, OPENS_AFTER, True),
        (OPENS_AFTER - 1, [RETRY], OPENS_AFTER, True),
        (OPENS_AFTER, [RETRY], OPENS_AFTER + 1, True),
        (OPENS_AFTER, [OK], 0, False),
        (9, [RETRY, OK], 0, False),
        (2, [Felt(OutcomeClass.FIX)], 2, False),
        (2, [Felt(OutcomeClass.ASKED)], 2, False),
    ],
)
def test_failures_in_a_row_open_it_and_one_success_closes_it(
    before: int, tries: list[Felt], failures: int, opened: bool
) -> None:
    health = after_tries(Health(before), tries, NOW)
    assert (health.failures, health.is_open) == (failures, opened)
    assert health.blocked_until == (NOW + PROBE_EVERY if opened else None)


def test_a_limit_keeps_everybody_out_and_counts_as_no_failure() -> None:
    until = NOW + timedelta(minutes=10)
    health = after_tries(Health(), [OK, Felt(OutcomeClass.LIMITED, until)], NOW)
    assert (health.failures, health.blocked_until) == (0, until)
    assert health.breaker(NOW) is Breaker.BLOCKED
    assert health.breaker(until) is Breaker.CLOSED
    assert Health(OPENS_AFTER).breaker(NOW) is Breaker.OPEN


@given(
    st.integers(1, 6000),
    st.integers(1, 100),
    st.lists(st.tuples(st.floats(0, 90), st.integers(0, 200)), max_size=60),
)
def test_in_no_minute_more_than_the_rate_and_the_burst(
    per_minute: int, burst: int, asked: list[tuple[float, int]]
) -> None:
    rate, now = Rate(per_minute, burst), NOW
    bucket, sent = Bucket(float(burst), NOW), []
    for wait, wanted in asked:
        now += timedelta(seconds=wait)
        bucket = bucket.refilled(rate, now)
        taken = min(bucket.allows, wanted)
        bucket = bucket.less(taken)
        sent += [now] * taken
    for start in set(sent):
        assert sum(start <= one < start + timedelta(minutes=1) for one in sent) <= per_minute + burst


def test_a_robot_says_no_more_than_twenty_in_any_minute() -> None:
    assert sum(ROBOT_RATE) == 20


def test_a_clock_set_back_gives_no_tokens() -> None:
    bucket = Bucket(0.0, NOW).refilled(Rate(60, 5), NOW - timedelta(hours=1))
    assert bucket.allows == 0
    assert bucket.refilled(Rate(60, 5), NOW + timedelta(seconds=2)).allows == 2
