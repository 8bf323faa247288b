"""Windows are whole months, whatever the day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.domain.policy import load_policy, next_change_on
from services.monitoring.domain.window import Windows, first_day_standing, windows_on

VILLAGE = "130624100201"


def _windows(on: date) -> Windows:
    return windows_on(on, load_policy().parameters_for(VILLAGE, on))


@pytest.mark.parametrize(
    ("on", "first", "last"),
    [
        (date(2021, 6, 15), date(2020, 6, 1), date(2021, 5, 31)),
        (date(2024, 2, 29), date(2023, 2, 1), date(2024, 1, 31)),
        (date(2024, 3, 1), date(2023, 3, 1), date(2024, 2, 29)),
        (date(2026, 1, 1), date(2025, 1, 1), date(2025, 12, 31)),
    ],
)
def test_account_is_the_twelve_whole_months_before(on: date, first: date, last: date) -> None:
    windows = _windows(on)
    assert (windows.account.first, windows.account.last) == (first, last)
    assert (windows.outlay.first, windows.outlay.last) == (first, on)
    assert windows.year.first == date(on.year, 1, 1)


@pytest.mark.parametrize(
    ("on", "first"),
    [
        (date(2025, 6, 30), date(2023, 12, 30)),
        (date(2025, 7, 1), date(2024, 1, 1)),
        (date(2025, 8, 31), date(2024, 3, 1)),
    ],
)
def test_total_stands_until_eighteen_months_after_its_end(on: date, first: date) -> None:
    assert first_day_standing(on, 18) == first


@given(st.dates(date(2022, 1, 1), date(2040, 1, 1)), st.integers(1, 60))
def test_standing_moves_forward_with_time(on: date, months: int) -> None:
    assert first_day_standing(on, months) <= first_day_standing(on + timedelta(days=1), months) < on


def test_answer_may_change_with_the_month_a_parameter_or_an_expiry() -> None:
    package = load_policy()
    assert next_change_on(package, date(2026, 3, 15), division=VILLAGE) == date(2026, 4, 1)
    assert next_change_on(package, date(2026, 12, 31), division=VILLAGE) == date(2027, 1, 1)
    expiries = [date(2026, 3, 15), date(2026, 3, 20)]
    assert next_change_on(package, date(2026, 3, 15), division=VILLAGE, expiries=expiries) == date(2026, 3, 20)
