"""The wait after a failure stays within a fifth of its step."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.queue.backoff import RETRY_SCHEDULE, delay


@given(attempt=st.integers(-5, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_the_wait_is_within_a_fifth_of_its_step(attempt: int, chance: float) -> None:
    step = RETRY_SCHEDULE[min(max(attempt, 1), len(RETRY_SCHEDULE)) - 1]
    assert step * 0.8 <= delay(attempt, chance=lambda: chance) <= step * 1.2


@given(attempt=st.integers(1, 100))
def test_the_middle_wait_never_shrinks(attempt: int) -> None:
    middle = [delay(n, chance=lambda: 0.5) for n in (attempt, attempt + 1)]
    assert middle[0] <= middle[1]


def test_the_first_failure_waits_the_first_step() -> None:
    assert delay(1, (timedelta(seconds=10), timedelta(days=1)), chance=lambda: 0.5) == timedelta(seconds=10)
