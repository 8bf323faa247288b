"""No shown number gives a hidden one away: not within a division, not between a division and its children."""

from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from services.monitoring.domain.suppression import (
    FEWEST,
    TOTAL,
    Cell,
    Group,
    Hidden,
    hide_children,
    hide_root,
)

PARTS = Group("parts", tuple(Cell("severity", key) for key in ("red", "yellow", "none")))
STEPS = Group("steps", (Cell("warned"), Cell("visited"), Cell("helped")))
ALONE = Group("alone", (Cell("cause", "illness"), Cell("cause", "schooling")))
GROUPS = (PARTS, STEPS, ALONE)


def division(red: int, yellow: int, none: int, warned: int = 0, visited: int = 0, helped: int = 0) -> Counter[Cell]:
    total = red + yellow + none
    counts = Counter(dict(zip(PARTS.cells, (red, yellow, none), strict=True)))
    counts.update(dict(zip(STEPS.cells, (warned, visited, helped), strict=True)))
    counts.update({TOTAL: total, ALONE.cells[0]: warned, ALONE.cells[1]: visited})
    return counts


@st.composite
def divisions(draw: st.DrawFn) -> Counter[Cell]:
    red, yellow, none = (draw(st.one_of(st.integers(0, 9), st.integers(0, 200))) for _ in range(3))
    total = red + yellow + none
    warned = draw(st.integers(0, total))
    visited = draw(st.integers(0, warned))
    return division(red, yellow, none, warned, visited, draw(st.integers(0, visited)))


def whole(children: dict[str, Counter[Cell]]) -> Counter[Cell]:
    total = Counter[Cell]()
    for counts in children.values():
        total.update(counts)
    return total


def test_four_is_hidden_and_five_is_shown() -> None:
    big = division(5, 5, 50)
    assert hide_root(big, [PARTS]) == frozenset()
    small = division(4, 20, 50)
    # Hiding one alone would leave the total less the others.
    assert hide_root(small, [PARTS]) == {PARTS.cells[0], PARTS.cells[1]}
    assert TOTAL in hide_root(division(1, 1, 2), GROUPS)
    assert TOTAL not in hide_root(division(1, 1, 3), GROUPS)


def test_a_division_of_few_shows_nothing() -> None:
    assert hide_root(division(4, 0, 0), GROUPS) == {TOTAL, *(cell for group in GROUPS for cell in group.cells)}


def test_what_fell_away_between_steps_is_not_small() -> None:
    assert Cell("visited") in hide_root(division(0, 0, 50, 30, 28, 10), GROUPS)
    assert Cell("visited") not in hide_root(division(0, 0, 50, 30, 25, 10), GROUPS)
    assert Cell("visited") not in hide_root(division(0, 0, 50, 30, 30, 10), GROUPS)


def test_a_child_is_not_the_parent_less_its_brothers() -> None:
    children = {"a": division(3, 20, 50), "b": division(30, 20, 50), "c": division(40, 20, 50)}
    above = hide_root(whole(children), [PARTS])
    hidden = hide_children(above, children, [PARTS])
    assert above == frozenset()
    assert [PARTS.cells[0] in hidden[name] for name in children] == [True, True, False]


def test_a_hidden_parent_is_not_the_sum_of_its_children() -> None:
    children = {"a": division(6, 0, 90), "b": division(7, 4, 90)}
    above = hide_root(whole(children), [PARTS])
    assert PARTS.cells[0] in above
    hidden = hide_children(above, children, [PARTS])
    assert any(PARTS.cells[0] in each for each in hidden.values())


@given(counts=divisions())
def test_nothing_small_is_shown_nor_left_over(counts: Counter[Cell]) -> None:
    hidden = hide_root(counts, GROUPS)
    assert all(
        counts[cell] >= FEWEST for cell in [TOTAL, *(c for g in GROUPS for c in g.cells)] if cell not in hidden
    )
    if TOTAL in hidden:
        return
    out = [counts[cell] for cell in PARTS.cells if cell in hidden]
    assert not sum(out) or (len(out) > 1 and sum(out) >= FEWEST)
    for before, after, between in _shown_steps(counts, hidden):
        assert before - after == 0 or before - after >= FEWEST
        assert not (between and before == after)
    assert all(not 0 < counts[TOTAL] - counts[cell] < FEWEST for cell in ALONE.cells if cell not in hidden)


def _shown_steps(counts: Counter[Cell], hidden: Hidden) -> Iterator[tuple[int, int, bool]]:
    before, between = counts[TOTAL], False
    for cell in STEPS.cells:
        if cell in hidden:
            between = True
            continue
        yield before, counts[cell], between
        before, between = counts[cell], False


@given(children=st.dictionaries(st.sampled_from("abcdef"), divisions(), min_size=1))
def test_no_brothers_give_a_child_away(children: dict[str, Counter[Cell]]) -> None:
    above = hide_root(whole(children), GROUPS)
    hidden = hide_children(above, children, GROUPS)
    for cell in [TOTAL, *(c for g in GROUPS for c in g.cells)]:
        out = [counts[cell] for name, counts in children.items() if cell in hidden[name]]
        if cell in above:
            assert sum(out) or not whole(children)[cell]
        elif sum(out):
            assert len(out) == len(children) or (len(out) > 1 and sum(out) >= FEWEST)
    for name, counts in children.items():
        out = [counts[cell] for cell in PARTS.cells if cell in hidden[name]]
        assert TOTAL in hidden[name] or not sum(out) or (len(out) > 1 and sum(out) >= FEWEST)


@given(children=st.dictionaries(st.sampled_from("abcdef"), divisions(), min_size=1))
def test_what_is_hidden_depends_on_the_counts_alone(children: dict[str, Counter[Cell]]) -> None:
    """Asked for one figure or for all, the total is hidden or not: boards do not contradict each other."""
    above_all, above_one = hide_root(whole(children), GROUPS), hide_root(whole(children), [PARTS])
    all_, one = hide_children(above_all, children, GROUPS), hide_children(above_one, children, [PARTS])
    for name in children:
        assert (TOTAL in all_[name]) == (TOTAL in one[name])
        assert all_[name] & {*PARTS.cells} == one[name] & {*PARTS.cells}
