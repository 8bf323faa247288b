"""Who hears a warning: each person once, nobody forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.duty import LADDER, Post, Reach, copied_at, joined, listening_at
from shared.vocabulary.terms import Role, Severity

PLACE = "130624100202"
POSTS = st.lists(
    st.builds(Post, st.just(PLACE), st.sampled_from(["A", "B", "C"]), st.sampled_from(Role), st.just(PLACE))
)
SEVERITIES = st.one_of(st.none(), st.sampled_from(Severity))


def post(officer_no: str, role: Role) -> Post:
    return Post(PLACE, officer_no, role, PLACE)


FULL = [post(name, role) for name, role in zip("GSFTC", LADDER, strict=True)]


def heard(severity: Severity | None, posts: list[Post]) -> dict[str, Reach]:
    return {x.officer_no: x.reach for x in listening_at(PLACE, severity, posts).listeners}


def test_village_hears_all_and_the_township_red() -> None:
    assert heard(Severity.ORANGE, FULL) == {"G": Reach.DUTY, "S": Reach.DUTY}
    assert heard(None, FULL) == {"G": Reach.DUTY, "S": Reach.DUTY}
    assert heard(Severity.RED, FULL) == dict.fromkeys("GSFT", Reach.DUTY)


def test_an_empty_post_falls_to_the_next_filled_one() -> None:
    listening = listening_at(PLACE, Severity.BLUE, [post("T", Role.TOWNSHIP_LEADER)])
    assert [(x.officer_no, x.reach) for x in listening.listeners] == [("T", Reach.FALLTHROUGH)]
    assert [gap.role for gap in listening.gaps] == [Role.GRID_WORKER, Role.VILLAGE_SECRETARY]


def test_duty_outranks_fallthrough() -> None:
    assert heard(Severity.ORANGE, [post("S", Role.VILLAGE_SECRETARY)]) == {"S": Reach.DUTY}


def test_the_copy_goes_to_those_not_told_already() -> None:
    both = joined(listening_at(PLACE, None, FULL), copied_at(PLACE, FULL))
    assert [x.officer_no for x in both.listeners] == ["G", "S"]


@given(SEVERITIES, POSTS)
def test_each_person_once_and_somebody_if_anybody_is_on_the_ladder(
    severity: Severity | None, posts: list[Post]
) -> None:
    people = [x.officer_no for x in listening_at(PLACE, severity, posts).listeners]
    assert len(people) == len(set(people))
    reachable = {p.role for p in posts} & set(LADDER)
    lowest_needed = {Role.VILLAGE_SECRETARY, *LADDER[2:]}
    assert bool(people) or not (reachable & (lowest_needed | {Role.GRID_WORKER}))
