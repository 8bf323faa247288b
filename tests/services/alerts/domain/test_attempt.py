"""Every third different day of tries in vain takes an alert one level up."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.attempt import goes_up

DAY = date(2026, 3, 15)


@given(days=st.lists(st.integers(0, 20), max_size=40))
def test_as_many_levels_as_there_are_threes_of_days(days: list[int]) -> None:
    tried: set[date] = set()
    ups = 0
    for number in days:
        day = DAY + timedelta(days=number)
        ups += goes_up(tried, day)
        tried.add(day)
    assert ups == len(tried) // 3


def test_several_tries_of_one_day_are_one() -> None:
    tried = {DAY, DAY + timedelta(days=1)}
    assert not goes_up(tried, DAY)
    assert goes_up(tried, DAY + timedelta(days=2))
