"""Bursts: many answers of one person within minutes, and visits that cannot all have been made."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.burst import Closing, closing_bursts, visit_bursts

MORNING = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)  # Ten in the morning in China.
QUARTER = timedelta(minutes=15)


def closing(minute: float, officer_no: str = "S1") -> Closing:
    return Closing(UUID(int=int(minute * 60)), officer_no, MORNING + timedelta(minutes=minute))


def visit(hour: float, minutes: int, by: str = "S1", on: date = date(2026, 3, 15)) -> Closing:
    """A visit answered `hour` hours after ten in the morning."""
    return Closing(UUID(int=int(hour * 3600)), by, MORNING + timedelta(hours=hour), by, on, minutes)


@pytest.mark.parametrize(("spread", "listed"), [(15, 1), (15.1, 0)])
def test_ten_within_a_quarter_of_an_hour_are_a_burst_and_a_moment_more_is_none(spread: float, listed: int) -> None:
    closings = [closing(spread * n / 9) for n in range(10)]
    assert len(closing_bursts(closings, fewest=10, within=QUARTER)) == listed
    assert closing_bursts(closings[:9], fewest=10, within=QUARTER) == []


def test_each_person_for_himself_in_the_order_of_time() -> None:
    closings = [closing(n, officer) for n in range(10) for officer in ("S1", "S2")]
    found = closing_bursts(reversed(closings), fewest=10, within=QUARTER)
    assert [(burst.officer_no, len(burst.closings)) for burst in found] == [("S1", 10), ("S2", 10)]
    assert all(burst.began_at < burst.ended_at for burst in found)
    assert closing_bursts([closing(n, f"S{n}") for n in range(10)], fewest=10, within=QUARTER) == []


@given(minutes=st.lists(st.integers(0, 200), max_size=60), fewest=st.integers(2, 6))
def test_an_answer_is_listed_once_if_and_only_if_it_stands_in_a_dense_span(minutes: list[int], fewest: int) -> None:
    closings = sorted((closing(m) for m in minutes), key=lambda one: one.at)
    found = closing_bursts(closings, fewest=fewest, within=QUARTER)
    listed = [id(one) for burst in found for one in burst.closings]
    dense = {
        id(one)
        for first in range(len(closings) - fewest + 1)
        if closings[first + fewest - 1].at - closings[first].at <= QUARTER
        for one in closings[first : first + fewest]
    }
    assert len(listed) == len(set(listed))
    assert set(listed) == dense


def test_visits_that_fit_into_the_day_are_not_listed() -> None:
    # Four hours lie between six and ten; 240 minutes fit, one more does not.
    assert visit_bursts([visit(0, 120), visit(0, 120)]) == []
    (found,) = visit_bursts([visit(0, 120), visit(0, 121)])
    assert (found.officer_no, len(found.closings)) == ("S1", 2)


def test_other_days_and_other_people_do_not_overlap() -> None:
    assert visit_bursts([visit(0, 200, by="S1"), visit(0, 200, by="S2")]) == []
    earlier = date(2026, 3, 14)
    assert visit_bursts([visit(0, 600, on=earlier), visit(0, 600, on=earlier)]) == []
    assert len(visit_bursts([visit(0, 800, on=earlier), visit(0, 800, on=earlier)])) == 1


def test_what_says_no_minutes_is_no_visit_that_overlaps() -> None:
    assert visit_bursts([closing(n) for n in range(50)]) == []
