"""The route tree does what Alertmanager's does: its vectors, ours run with amtool, and what holds of every tree."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.domain.route import Finding, Labels, Matcher, Node, Operator, Plan, matching, plan_for, visits
from shared.vocabulary.terms import Role


def plan(*tell: Role, urgent: bool = False, calendar: str = "x") -> Plan:
    wait = timedelta(0)
    return Plan(tell or (Role.GRID_WORKER,), (), (), wait, wait, wait, calendar, urgent)


def node(name: str, *matchers: str, children: tuple[Node, ...] = (), **more: Any) -> Node:
    return Node(name, plan(), tuple(map(matcher, matchers)), more.get("continues", False), children)


def matcher(text: str) -> Matcher:
    sign = next(sign for sign in ("=~", "!~", "!=", "=") if sign in text)
    label, _, value = text.partition(sign)
    return Matcher(label, Operator(sign), value)


def labels(**given: str) -> Labels:
    return {name: (value,) for name, value in given.items()}


def reached(root: Node, given: Labels) -> list[str]:
    return [found.name for found in matching(root, given)]


# Alertmanager cli/test_routing_test.go.
FIRST, SECOND = node("test1", "test=~^[12]$", continues=True), node("test2", "test=2")


@pytest.mark.parametrize(
    ("given_labels", "order", "expected"),
    [
        ({"test": "1"}, (FIRST, SECOND), ["test1"]),
        ({"test": "2"}, (FIRST, SECOND), ["test1", "test2"]),
        ({"test": "volovina"}, (FIRST, SECOND), ["default"]),
        ({"test": "2"}, (node("test2", "test=2", continues=True), node("test1", "test=~^[12]$")), ["test2", "test1"]),
    ],
)
def test_alertmanagers_own_vectors(given_labels: Any, order: tuple[Node, ...], expected: list[str]) -> None:
    assert reached(node("default", children=order), labels(**given_labels)) == expected


COUNTY = node(
    "county",
    children=(
        node("township-lead", "severity=high", continues=True),
        node(
            "t01-desk",
            "town=t01",
            children=(
                node("v0001-grid", "village=v0001"),
                node("v0002-3-grid", "village=~v000[2-3]", "rule!=medical"),
            ),
        ),
        node("data-quality", "household="),
    ),
)


# Run with amtool 0.25.
@pytest.mark.parametrize(
    ("given_labels", "expected"),
    [
        ({"town": "t01", "village": "v0001", "household": "h1", "severity": "low"}, ["v0001-grid"]),
        ({"town": "t01", "village": "v0001", "household": "h1", "severity": "high"}, ["township-lead", "v0001-grid"]),
        ({"town": "t01", "village": "v0002", "rule": "medical", "household": "h1"}, ["t01-desk"]),
        ({"town": "t01", "village": "v0002", "rule": "income", "household": "h1"}, ["v0002-3-grid"]),
        ({"town": "t02", "village": "v0001", "household": "h2"}, ["county"]),
        ({"town": "t02", "village": "v0009", "household": "h9", "severity": "high"}, ["township-lead"]),
        ({"town": "t02", "severity": "high"}, ["township-lead", "data-quality"]),
        ({"town": "t02"}, ["data-quality"]),
        ({"town": "t01"}, ["t01-desk"]),
    ],
)
def test_our_shape(given_labels: Any, expected: list[str]) -> None:
    assert reached(COUNTY, labels(**given_labels)) == expected


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        ("cause=illness", ("illness", "schooling"), True),
        ("cause!=illness", ("illness", "schooling"), False),
        ("cause!=illness", ("schooling",), True),
        ("cause!=illness", (), True),
        ("cause=~ill", ("illness",), False),
        ("cause=~ill.*|x", ("illness",), True),
        ("cause!~ill.*", ("illness",), False),
        ("cause!~ill.*", (), True),
        ("cause=~.*", (), True),
        ("cause=~.+", (), False),
        ("cause=", (), True),
        ("cause!=", (), False),
    ],
)
def test_a_label_of_several_values_and_one_that_is_missing(
    condition: str, values: tuple[str, ...], holds: bool
) -> None:
    assert matcher(condition).matches({"cause": values}) is holds
    assert not values or matcher(condition).matches({}) is matcher(condition).matches({"cause": ("",)})


def test_the_visit_says_what_each_node_came_to() -> None:
    given_labels = labels(town="t01", village="v0001", household="h1")
    assert {visit.node.name: visit.finding.value for visit in visits(COUNTY, given_labels)} == {
        "county": "passed",
        "township-lead": "refused",
        "t01-desk": "passed",
        "v0001-grid": "chosen",
        "v0002-3-grid": "unreached",
        "data-quality": "unreached",
    }


def test_one_plan_tells_everybody_and_does_the_rest_as_the_last_says() -> None:
    first = Node("a", plan(Role.TOWNSHIP_LEADER, Role.GRID_WORKER, urgent=True, calendar="a"))
    last = Node("b", plan(Role.GRID_WORKER, Role.VILLAGE_SECRETARY, calendar="b"))
    joined = plan_for([first, last])
    assert joined.tell == (Role.TOWNSHIP_LEADER, Role.GRID_WORKER, Role.VILLAGE_SECRETARY)
    assert (joined.calendar, joined.is_urgent) == ("b", True)


VALUES = st.sampled_from(["", "1", "2", "12"])
GIVEN = st.dictionaries(st.sampled_from("abc"), st.lists(VALUES, max_size=2).map(tuple))
MATCHERS = st.lists(
    st.builds(
        Matcher, st.sampled_from("abc"), st.sampled_from(Operator), st.sampled_from(["", "1", "2", "1|2", "1.*"])
    ),
    max_size=2,
).map(tuple)


@st.composite
def trees(draw: st.DrawFn) -> Node:
    count = iter(range(1000))

    def below(depth: int) -> tuple[Node, ...]:
        many = draw(st.integers(0, 3)) if depth else 0
        return tuple(
            Node(f"n{next(count)}", plan(), draw(MATCHERS), draw(st.booleans()), below(depth - 1))
            for _ in range(many)
        )

    return Node("root", plan(), (), False, below(3))


def _stopping(tree: Node) -> Node:
    return Node(tree.name, tree.plan, tree.matchers, False, tuple(map(_stopping, tree.children)))


@given(trees(), GIVEN)
def test_every_alert_reaches_a_node(tree: Node, given_labels: Labels) -> None:
    assert matching(tree, given_labels)


@given(trees(), GIVEN)
def test_without_continue_nobody_is_added(tree: Node, given_labels: Labels) -> None:
    assert set(reached(_stopping(tree), given_labels)) <= set(reached(tree, given_labels))
    assert len(reached(_stopping(tree), given_labels)) == 1


@given(trees(), GIVEN)
def test_a_node_applies_once_and_only_if_all_above_it_match(tree: Node, given_labels: Labels) -> None:
    found = visits(tree, given_labels)
    parents = {visit.node.name: visit.parent for visit in found}
    assert len(parents) == len(found)
    by_name = {visit.node.name: visit for visit in found}
    for visit in found:
        if visit.finding is Finding.CHOSEN and visit.parent:
            assert by_name[visit.parent].finding is Finding.PASSED
            assert visit.node.matches(given_labels)
