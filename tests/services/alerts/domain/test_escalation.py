"""Which level is next, who is still there, and when."""

from datetime import datetime

from services.alerts.domain.alert import Deadlines, Status
from services.alerts.domain.clocks import Clocks, ClockUnit, Length, deadlines, next_step_at
from services.alerts.domain.duty import LADDER, Listener, Post, Reach
from services.alerts.domain.escalation import LEVELS, TOP, as_answered, chain_at, climb, level_of, lowest_level
from services.alerts.domain.work_time import SHANGHAI, WorkCalendar
from shared.vocabulary.terms import Role

PLACE = "130624100202"
POSTS = [
    Post(PLACE, "G1", Role.GRID_WORKER, PLACE),
    Post(PLACE, "S1", Role.VILLAGE_SECRETARY, PLACE),
    Post(PLACE, "F1", Role.FIRST_SECRETARY, PLACE),
    Post(PLACE, "T1", Role.TOWNSHIP_LEADER, "130624100000"),
    Post(PLACE, "C1", Role.COUNTY_ADMIN, "130624000000"),
]
EVERYBODY = {post.officer_no for post in POSTS}
PLAIN = WorkCalendar({}, frozenset({2026}))


def test_every_post_of_the_ladder_stands_on_one_level() -> None:
    assert [sum(role in roles for roles in LEVELS) for role in LADDER] == [1] * len(LADDER)
    assert level_of(Role.COUNTY_ADMIN) == TOP


def test_it_climbs_by_one_level_and_ends_at_the_county() -> None:
    chain, level, told = chain_at(PLACE, POSTS), 1, []
    while (step := climb(chain, level, EVERYBODY)) is not None:
        told.append([person.officer_no for person in step.people])
        assert step.level == level + 1
        level = step.level
    assert told == [["F1", "S1"], ["T1"], ["C1"]]


def test_who_left_is_passed_over() -> None:
    step = climb(chain_at(PLACE, POSTS), 2, EVERYBODY - {"T1"})
    assert step is not None
    assert (step.level, step.passed_over) == (TOP, (3,))


def test_nobody_left_above_is_none() -> None:
    assert climb(chain_at(PLACE, POSTS), 2, {"G1", "S1"}) is None


def test_the_second_level_waits_the_first_wait_and_the_last_levels_as_usual() -> None:
    four, two = Length(4, ClockUnit.HOURS), Length(2, ClockUnit.WORKING_HOURS)
    assert [rung.wait for rung in chain_at(PLACE, POSTS, waits=(four, two))] == [None, four, two, None]
    assert [rung.wait for rung in chain_at(PLACE, POSTS, waits=(four,))] == [None, four, None, None]
    answered = as_answered(chain_at(PLACE, POSTS, waits=(four, two)), POSTS)
    assert [rung.wait for rung in answered] == [None, four, two, None]


def test_who_is_barred_is_not_in_the_chain() -> None:
    assert chain_at(PLACE, POSTS, {"S1"})[1].people == (Listener("F1", Role.FIRST_SECRETARY, Reach.ESCALATED),)


def test_it_begins_at_the_lowest_level_that_was_told() -> None:
    secretary = Listener("S1", Role.VILLAGE_SECRETARY, Reach.DUTY)
    copy = Listener("G9", Role.GRID_WORKER, Reach.COPY)
    assert lowest_level([secretary, copy]) == 2
    assert lowest_level([copy]) == TOP


def test_clocks_run_in_their_units() -> None:
    start = datetime(2026, 3, 16, 9, 0, tzinfo=SHANGHAI)
    told = {unit: Length(3, unit).after(start, PLAIN).strftime("%d %H:%M") for unit in ClockUnit}
    assert told == {
        ClockUnit.HOURS: "16 12:00",
        ClockUnit.WORKING_HOURS: "16 12:00",
        ClockUnit.DAYS: "19 18:00",
        ClockUnit.WORKING_DAYS: "19 18:00",
    }
    clocks = Clocks(Length(24, ClockUnit.HOURS), Length(5, ClockUnit.WORKING_DAYS))
    due = deadlines(start, clocks, PLAIN)
    assert (due.acknowledge_by.day, due.verify_by.day) == (17, 23)


def test_it_climbs_at_the_deadline_and_later_by_the_clock_of_the_level() -> None:
    due = Deadlines(datetime(2026, 3, 17, 9, 0, tzinfo=SHANGHAI), datetime(2026, 3, 19, 18, 0, tzinfo=SHANGHAI))
    day = Length(24, ClockUnit.HOURS)
    since = datetime(2026, 3, 16, 9, 0, tzinfo=SHANGHAI)
    assert next_step_at(Status.OPEN, due, day, since, PLAIN) == due.acknowledge_by
    assert next_step_at(Status.VERIFYING, due, day, since, PLAIN) == due.verify_by
    stepped = due.acknowledge_by
    assert next_step_at(Status.OPEN, due, day, stepped, PLAIN) == datetime(2026, 3, 18, 9, 0, tzinfo=SHANGHAI)
