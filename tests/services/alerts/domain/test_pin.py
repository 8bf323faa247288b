"""PINs: which may be chosen, and when wrong tries lock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.alerts.domain.pin import LOCKED_FOR, MOST_WRONG, Tries, after_wrong, weakness

NOW = datetime(2026, 3, 15, 2, tzinfo=UTC)


@pytest.mark.parametrize("pin", ["274916", "100257", "998877", "123457"])
def test_these_may_be_chosen(pin: str) -> None:
    assert weakness(pin) is None


@pytest.mark.parametrize(
    "pin", ["123456", "654321", "000000", "121212", "112211", "12345", "1234567", "12345a", "１２３４５７", ""]
)
def test_these_may_not(pin: str) -> None:
    assert weakness(pin)


def test_the_fifth_wrong_try_locks_and_the_lock_ends_to_the_second() -> None:
    tries = Tries()
    for left in (4, 3, 2, 1):
        tries = after_wrong(tries, NOW)
        assert (tries.left, tries.is_locked(NOW)) == (left, False)
    tries = after_wrong(tries, NOW)
    assert tries.is_locked(NOW + LOCKED_FOR - timedelta(seconds=1))
    assert not tries.is_locked(NOW + LOCKED_FOR)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3600), max_size=60))
def test_nobody_tries_more_than_five_times_a_quarter_of_an_hour(waits: list[int]) -> None:
    """Whatever the pauses between the tries, counting only those that are looked at."""
    tries, now, looked_at = Tries(), NOW, []
    for wait in waits:
        now += timedelta(seconds=wait)
        if not tries.is_locked(now):
            tries = after_wrong(tries, now)
            looked_at.append(now)
            assert 0 <= tries.wrong < MOST_WRONG
    for i in range(len(looked_at) - 2 * MOST_WRONG + 1):
        assert looked_at[i + 2 * MOST_WRONG - 1] - looked_at[i] >= LOCKED_FOR
