"""Who may help which household, and who is proposed."""

import pytest

from services.alerts.domain.duty import LADDER, Post
from services.alerts.domain.pairing import Household, allows, needs_senior, propose
from shared.vocabulary.terms import BaseGroup, Role, Severity

PLACE = "130624100202"
POSTS = [Post(PLACE, name, role, PLACE) for name, role in zip("GSFBDTC", LADDER, strict=True)]
SENIOR = "SFDT"


def household(number: int = 1, **changes: object) -> Household:
    return Household(f"H{number}", PLACE, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "senior"),
    [
        (household(is_listed=True), True),
        (household(is_listed=True, base_group=BaseGroup.GENERAL, severity=Severity.BLUE), True),
        (household(base_group=BaseGroup.LIFTED_OUT, severity=Severity.RED), True),
        (household(base_group=BaseGroup.LIFTED_OUT, severity=Severity.ORANGE), True),
        (household(base_group=BaseGroup.LIFTED_OUT, severity=Severity.YELLOW), False),
        (household(base_group=BaseGroup.GENERAL, severity=Severity.RED), False),
        (household(severity=Severity.ORANGE), True),
        (household(), False),
    ],
)
def test_the_rule_by_severity(case: Household, senior: bool) -> None:
    assert needs_senior(case) is senior
    allowed = {post.officer_no for post in POSTS if allows(case, {post.role})}
    assert allowed == set(SENIOR if senior else SENIOR + "GB")


def test_the_least_loaded_is_proposed_and_loads_are_shared() -> None:
    cases = [household(n, is_listed=True) for n in range(1, 6)]
    proposed = [one.officer_no for one in propose(cases, POSTS, {"F": 1}, {})]
    assert proposed == ["S", "D", "T", "F", "S"]


def test_nobody_is_proposed_for_his_own_or_where_no_post_is_filled() -> None:
    assert [p.officer_no for p in propose([household()], POSTS, {}, {"H1": ["B"]})] == ["G"]
    assert propose([household(is_listed=True)], [p for p in POSTS if p.role is Role.GRID_WORKER], {}, {}) == []
