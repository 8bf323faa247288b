"""The chain of an alert: from the grid to the county, each person in one step, empty steps left out and told."""

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.chain import STEPS, Chain, chain_for
from services.alerts.domain.duty import LADDER, Post
from shared.vocabulary.terms import Role

PLACE, ELSEWHERE = "130624100202", "130624100203"


def post(officer_no: str, role: Role, place: str = PLACE) -> Post:
    return Post(place, officer_no, role, place)


FULL = [post(name, role) for name, role in zip("GSFBDTC", LADDER, strict=True)]


def steps(chain: Chain) -> dict[int, str]:
    return {level.step: "".join(x.officer_no for x in level.listeners) for level in chain.levels}


def test_four_steps() -> None:
    assert steps(chain_for(PLACE, PLACE, FULL)) == {1: "G", 2: "S", 3: "BD", 4: "C"}


def test_the_second_choice_serves_where_the_first_is_empty() -> None:
    posts = [p for p in FULL if p.officer_no in "GFTC"]
    assert steps(chain_for(PLACE, PLACE, posts)) == {1: "G", 2: "F", 3: "T", 4: "C"}


def test_an_empty_step_is_left_out_and_told() -> None:
    chain = chain_for(PLACE, PLACE, [p for p in FULL if p.officer_no in "SC"])
    assert (steps(chain), [gap.role for gap in chain.gaps]) == (
        {2: "S", 4: "C"},
        [Role.GRID_WORKER, Role.VILLAGE_CADRE],
    )


def test_the_registered_place_answers_where_the_living_place_cannot() -> None:
    posts = [*(p for p in FULL if p.officer_no in "TC"), post("S2", Role.VILLAGE_SECRETARY, ELSEWHERE)]
    assert steps(chain_for(PLACE, ELSEWHERE, posts)) == {2: "S2", 3: "T", 4: "C"}


def test_a_person_in_two_steps_stands_in_the_lower() -> None:
    posts = [post("A", Role.GRID_WORKER), post("A", Role.VILLAGE_SECRETARY), post("C", Role.COUNTY_ADMIN)]
    chain = chain_for(PLACE, PLACE, posts)
    assert (steps(chain), [gap.role for gap in chain.gaps]) == ({1: "A", 4: "C"}, [Role.VILLAGE_CADRE])


def test_whom_it_is_about_and_the_steps_up_to_his_are_left_out() -> None:
    assert steps(chain_for(PLACE, PLACE, FULL, concerned={"S"})) == {3: "BD", 4: "C"}
    two = [*FULL, post("C2", Role.COUNTY_ADMIN)]
    assert steps(chain_for(PLACE, PLACE, two, concerned={"C"})) == {4: "C2"}


POSTS = st.lists(st.builds(post, st.sampled_from("ABC"), st.sampled_from(Role), st.sampled_from([PLACE, ELSEWHERE])))


@given(POSTS, st.sets(st.sampled_from("ABC")))
def test_each_person_once_and_none_concerned(posts: list[Post], concerned: set[str]) -> None:
    chain = chain_for(PLACE, ELSEWHERE, posts, concerned=concerned)
    people = [x.officer_no for level in chain.levels for x in level.listeners]
    assert len(people) == len(set(people))
    assert not set(people) & concerned
    numbers = [level.step for level in chain.levels]
    assert numbers == sorted(numbers)
    assert set(numbers) <= set(range(1, len(STEPS) + 1))
