"""Who hears a warning: each person once, nobody forgotten, nobody about himself."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.duty import (
    LADDER,
    Absence,
    Listening,
    Post,
    Reach,
    copied_at,
    default_roles,
    joined,
    listening_above,
    listening_by,
    paired_at,
    present,
)
from shared.vocabulary.terms import Role, Severity

PLACE = "130624100202"
TODAY = date(2026, 3, 15)
PEOPLE = st.sampled_from(["A", "B", "C"])
POSTS = st.lists(
    st.builds(
        Post, st.just(PLACE), PEOPLE, st.sampled_from(Role), st.just(PLACE), st.one_of(st.none(), PEOPLE), st.none()
    )
)
SEVERITIES = st.one_of(st.none(), st.sampled_from(Severity))
AWAY = st.sets(PEOPLE).map(lambda people: [Absence(person, TODAY, TODAY) for person in people])


def post(officer_no: str, role: Role, deputy: str | None = None) -> Post:
    return Post(PLACE, officer_no, role, PLACE, deputy)


G, S, F, B, D, T, C = (post(name, role) for name, role in zip("GSFBDTC", LADDER, strict=True))
FULL = [G, S, F, B, D, T, C]
FIVE = [G, S, F, T, C]  # A county without 包村干部 and 分管领导.


def listening(severity: Severity | None, posts: list[Post]) -> Listening:
    return listening_by(PLACE, default_roles(severity, posts), posts)


def heard(severity: Severity | None, posts: list[Post]) -> dict[str, Reach]:
    return {x.officer_no: x.reach for x in listening(severity, posts).listeners}


def on_post(role: Role, posts: list[Post]) -> list[str]:
    return [p.officer_no for p in posts if p.role is role]


def test_village_hears_all_and_the_township_red() -> None:
    assert heard(Severity.ORANGE, FULL) == {"G": Reach.DUTY, "S": Reach.DUTY}
    assert heard(None, FULL) == {"G": Reach.DUTY, "S": Reach.DUTY}
    assert heard(Severity.RED, FIVE) == dict.fromkeys("GSFT", Reach.DUTY)
    assert heard(Severity.RED, FULL) == dict.fromkeys("GSFTBD", Reach.DUTY)


def test_posts_that_not_every_county_has_are_no_gaps() -> None:
    assert listening(Severity.RED, FIVE).gaps == ()
    deputy_only = listening(Severity.RED, [G, S, F, D, C])
    assert (heard(Severity.RED, [G, S, F, D, C]), deputy_only.gaps) == (dict.fromkeys("GSFD", Reach.DUTY), ())
    nobody = listening(Severity.RED, [G, S, F, C])
    assert [gap.role for gap in nobody.gaps] == [Role.TOWNSHIP_LEADER]


def test_an_empty_post_falls_to_the_next_filled_one() -> None:
    empty = listening(Severity.BLUE, [T])
    assert [(x.officer_no, x.reach) for x in empty.listeners] == [("T", Reach.FALLTHROUGH)]
    assert [gap.role for gap in empty.gaps] == [Role.GRID_WORKER, Role.VILLAGE_SECRETARY]
    assert heard(Severity.BLUE, [B, T]) == {"B": Reach.FALLTHROUGH}


def test_duty_outranks_fallthrough() -> None:
    assert heard(Severity.ORANGE, [post("S", Role.VILLAGE_SECRETARY)]) == {"S": Reach.DUTY}


def test_the_copy_goes_to_those_not_told_already() -> None:
    both = joined(listening(None, FULL), copied_at(PLACE, FULL))
    assert [x.officer_no for x in both.listeners] == ["G", "S"]


def test_a_route_may_ask_other_posts() -> None:
    routed = listening_by(PLACE, (Role.VILLAGE_CADRE, Role.COUNTY_ADMIN), FIVE)
    assert {x.officer_no: x.reach for x in routed.listeners} == {"T": Reach.FALLTHROUGH, "C": Reach.DUTY}


# --- absence and deputies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "hears"), [(-1, "S"), (0, "X"), (2, "X"), (3, "S")])
def test_the_deputy_hears_from_the_first_day_to_the_last(day: int, hears: str) -> None:
    secretary, absence = post("S", Role.VILLAGE_SECRETARY, "X"), Absence("S", TODAY, TODAY + timedelta(days=2))
    on = TODAY + timedelta(days=day)
    assert on_post(Role.VILLAGE_SECRETARY, present([secretary, G], [absence], on)) == [hears]
    reach = Reach.DEPUTY if hears == "X" else Reach.DUTY
    assert heard(Severity.ORANGE, present([secretary, G], [absence], on))[hears] is reach


def test_without_a_deputy_the_level_above_hears() -> None:
    away = [Absence("S", TODAY, TODAY)]
    assert heard(Severity.ORANGE, present(FIVE, away, TODAY)) == {"G": Reach.DUTY, "F": Reach.FALLTHROUGH}


def test_a_deputy_who_is_away_too_is_no_deputy() -> None:
    posts = [post("S", Role.VILLAGE_SECRETARY, "X"), T]
    away = [Absence(person, TODAY, TODAY) for person in "SX"]
    assert on_post(Role.VILLAGE_SECRETARY, present(posts, away, TODAY)) == []


def test_the_countys_last_desk_is_never_left() -> None:
    away = [Absence("C", TODAY, TODAY)]
    assert present([C], away, TODAY) == [C]
    second = post("C2", Role.COUNTY_ADMIN)
    assert present([C, second], away, TODAY) == [second]


# --- whom it is about ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("concerned", "hear"), [("G", ["S"]), ("S", ["F"]), ("F", ["B"]), ("T", ["C"]), ("stranger", ["G", "S"])]
)
def test_a_warning_about_a_cadre_goes_one_level_up(concerned: str, hear: list[str]) -> None:
    above = listening_above(PLACE, (Role.GRID_WORKER, Role.VILLAGE_SECRETARY), FULL, {concerned})
    assert [x.officer_no for x in above.listeners] == hear


def test_a_deputy_does_not_answer_for_whom_he_stands_in_for() -> None:
    posts = present([post("S", Role.VILLAGE_SECRETARY, "G"), G, F], [Absence("S", TODAY, TODAY)], TODAY)
    above = listening_above(PLACE, (Role.GRID_WORKER, Role.VILLAGE_SECRETARY), posts, {"S"})
    assert [x.officer_no for x in above.listeners] == ["F"]


def test_a_helper_hears_in_his_lowest_post() -> None:
    helpers = paired_at(PLACE, ["T", "outsider"], [*FULL, post("T", Role.COUNTY_ADMIN)]).listeners
    assert [(x.officer_no, x.role) for x in helpers] == [("T", Role.TOWNSHIP_LEADER), ("outsider", Role.GRID_WORKER)]
    assert {x.reach for x in helpers} == {Reach.PAIRED}


@given(SEVERITIES, POSTS)
def test_each_person_once_and_somebody_if_anybody_is_on_the_ladder(
    severity: Severity | None, posts: list[Post]
) -> None:
    people = [x.officer_no for x in listening(severity, posts).listeners]
    assert len(people) == len(set(people))
    assert bool(people) is bool({p.role for p in posts} & set(LADDER))


@given(SEVERITIES, POSTS, AWAY, st.sets(PEOPLE))
def test_no_warning_is_without_a_person_while_somebody_above_may_hear_it(
    severity: Severity | None, posts: list[Post], away: list[Absence], concerned: set[str]
) -> None:
    here = present(posts, away, TODAY)
    roles = (Role.GRID_WORKER, Role.VILLAGE_SECRETARY)
    people = {x.officer_no for x in listening_above(PLACE, roles, here, concerned).listeners}
    assert not people & concerned
    involved = [LADDER.index(p.role) for p in here if p.role in LADDER and {p.officer_no, p.stands_for} & concerned]
    lowest = max(involved, default=-1)
    free = [p for p in here if p.role in LADDER and p.officer_no not in concerned and LADDER.index(p.role) > lowest]
    assert bool(people) or not free
    # An absence alone never leaves the county's desk empty.
    desk = {p.officer_no for p in posts if p.role is Role.COUNTY_ADMIN}
    assert not desk or any(p.role is Role.COUNTY_ADMIN for p in here)
