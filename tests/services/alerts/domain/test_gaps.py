"""What is wrong with who is on duty: both sides of each boundary."""

from datetime import date, timedelta

import pytest

from services.alerts.domain.duty import Absence
from services.alerts.domain.gaps import (
    HeldPost,
    empty_posts,
    large_grids,
    overloaded,
    uncounted_grids,
    uncovered_absences,
)
from services.alerts.domain.officer_list import LineError, read_day
from shared.vocabulary.terms import Role

VILLAGE, TOWNSHIP, COUNTY = "130624100202", "130624100000", "130624000000"
TODAY = date(2026, 3, 15)


def grid(officer_no: str, households: int | None = None, deputy: str | None = None) -> HeldPost:
    return HeldPost(officer_no, Role.GRID_WORKER, VILLAGE, deputy, households)


def test_a_township_needs_one_of_its_leaders() -> None:
    (gap,) = empty_posts([TOWNSHIP], [])
    assert (gap.role, gap.detail) == (Role.TOWNSHIP_LEADER, "没有乡镇长或乡镇分管领导")
    assert empty_posts([TOWNSHIP], [HeldPost("D", Role.TOWNSHIP_DEPUTY, TOWNSHIP)]) == []
    assert [gap.role for gap in empty_posts([VILLAGE, COUNTY], [grid("G")])] == [
        Role.VILLAGE_SECRETARY,
        Role.FIRST_SECRETARY,
        Role.COUNTY_ADMIN,
    ]


def test_a_grid_of_a_hundred_is_not_over_a_hundred() -> None:
    posts = [grid("A", 100), grid("B", 101), grid("C")]
    assert [(gap.officer_no, gap.number) for gap in large_grids(posts, 100)] == [("B", 101)]
    assert uncounted_grids(posts) == 1


def test_three_duties_are_not_more_than_three() -> None:
    posts = [HeldPost("A", Role.GRID_WORKER, f"1306241002{n:02d}") for n in range(3)]
    assert overloaded(posts, 3) == []
    (gap,) = overloaded([*posts, HeldPost("A", Role.TOWNSHIP_DEPUTY, TOWNSHIP)], 3)
    assert (gap.number, gap.division) == (4, TOWNSHIP)


@pytest.mark.parametrize(
    ("deputy", "deputy_away", "last", "gaps"),
    [(None, None, 0, 1), (None, None, -1, 0), ("D", None, 5, 0), ("D", 5, 5, 1), ("D", 6, 5, 0)],
)
def test_an_absence_wants_a_deputy_who_is_there(
    deputy: str | None, deputy_away: int | None, last: int, gaps: int
) -> None:
    absences = [Absence("G", TODAY - timedelta(days=9), TODAY + timedelta(days=last))]
    if deputy_away is not None:
        day = TODAY + timedelta(days=deputy_away)
        absences.append(Absence("D", day, day))
    assert len(uncovered_absences([grid("G", deputy=deputy)], absences, TODAY)) == gaps


@pytest.mark.parametrize("text", ["2026-03-15", "2026/3/15", "2026.03.15", "20260315", "2026年3月15日"])
def test_a_day_as_people_write_it(text: str) -> None:
    assert read_day(1, "请假起", text) == TODAY


@pytest.mark.parametrize(
    "text", ["2026-02-30", "3月15日", "2026315", "15/3/2026", "46096", "２０２６-03-15", "2026-03"]
)
def test_what_is_no_day(text: str) -> None:
    assert isinstance(read_day(1, "请假起", text), LineError)
