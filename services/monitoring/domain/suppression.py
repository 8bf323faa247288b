"""Hide small cells (小数隐去) from readers who may not see rows, so that no shown number gives a hidden one away.

A cell counts households. One under `FEWEST` is hidden: that many households are at least as many people, so no group
of fewer people is ever shown. What could be found by subtraction is hidden too, within a division (its cells against
its total) and between a division and its children (theirs against its own). What is hidden is said to be, never 0; a
cell that counts nobody is hidden like any other under the line, but nothing more is hidden for its sake.

The answer for a division depends only on the counts from the reader's own division down to it, so that every route
and every drill-down hides the same cells.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

FEWEST = 5
# One hidden number beside a sum is no secret.
FEWEST_HIDDEN = 2

Name = TypeVar("Name")


class Cell(NamedTuple):
    """One number of a division: a key of a figure."""

    figure: str
    key: str = ""


TOTAL = Cell("total")
Counts = Counter[Cell]
Hidden = frozenset[Cell]


@dataclass(frozen=True, slots=True)
class Group:
    """Cells of a division that say something about each other.

    `parts` add up to the total; each of `steps` is part of the one before, the first of the total; `alone` are each
    part of the total, and may overlap.
    """

    kind: Literal["parts", "steps", "alone"]
    cells: tuple[Cell, ...]


def hide_root(counts: Counts, groups: Sequence[Group]) -> Hidden:
    """The hidden cells of the reader's own division, whose neighbours he never sees."""
    return _close(counts, groups, frozenset())


def hide_children(above: Hidden, children: Mapping[str, Counts], groups: Sequence[Group]) -> dict[str, Hidden]:
    """The hidden cells of each child, where those hidden `above` in the parent must stay hidden."""
    hidden = {name: _close(counts, groups, frozenset()) for name, counts in children.items()}
    cells = [TOTAL, *(cell for group in groups for cell in group.cells)]
    while True:
        more = {name: set[Cell]() for name in children}
        for cell in cells:
            for name in _more_children(cell, cell in above, children, hidden):
                more[name].add(cell)
        if not any(more.values()):
            return hidden
        hidden = {name: _close(children[name], groups, hidden[name] | more[name]) for name in children}


def _more_children(
    cell: Cell, hidden_above: bool, children: Mapping[str, Counts], hidden: Mapping[str, Hidden]
) -> list[str]:
    """The children in which a cell must be hidden besides, so that neither the parent's nor theirs is given away."""
    out = [name for name in children if cell in hidden[name]]
    hidden_sum = sum(children[name][cell] for name in out)
    if bool(hidden_sum) == hidden_above:
        return []
    shown = sorted((name for name in children if name not in out), key=lambda name: (children[name][cell], name))
    return _smallest(shown, hidden_sum, len(out), lambda name: children[name][cell])


def _close(counts: Counts, groups: Sequence[Group], given: Hidden) -> Hidden:
    """All cells of a division that must be hidden when those `given` are."""
    hidden = set(given) | {cell for group in groups for cell in group.cells if counts[cell] < FEWEST}
    if counts[TOTAL] < FEWEST or TOTAL in hidden:
        return frozenset([TOTAL, *hidden, *(cell for group in groups for cell in group.cells)])
    for group in groups:
        hidden |= _RULES[group.kind](group.cells, counts, hidden)
    return frozenset(hidden)


def _parts(cells: Sequence[Cell], counts: Counts, hidden: Collection[Cell]) -> set[Cell]:
    """The total less what is shown is the sum of what is hidden: that must be two cells and no small number."""
    out = [cell for cell in cells if cell in hidden]
    hidden_sum = sum(counts[cell] for cell in out)
    if not hidden_sum:
        return set()
    shown = sorted((cell for cell in cells if cell not in hidden), key=lambda cell: (counts[cell], cell))
    return set(_smallest(shown, hidden_sum, len(out), lambda cell: counts[cell]))


def _steps(cells: Sequence[Cell], counts: Counts, hidden: Collection[Cell]) -> set[Cell]:
    """A step is hidden if few fell away since the last one shown, or if it would pin down a hidden one between."""
    out, before, skipped = set[Cell](), counts[TOTAL], False
    for cell in cells:
        fell_away = before - counts[cell]
        if cell not in hidden and (fell_away >= FEWEST or (fell_away == 0 and not skipped)):
            before, skipped = counts[cell], False
        else:
            out.add(cell)
            skipped = True
    return out


def _alone(cells: Sequence[Cell], counts: Counts, hidden: Collection[Cell]) -> set[Cell]:
    """A cell is hidden if few of the total are not in it."""
    return {cell for cell in cells if 0 < counts[TOTAL] - counts[cell] < FEWEST}


_RULES = {"parts": _parts, "steps": _steps, "alone": _alone}


def _smallest(shown: Sequence[Name], hidden_sum: int, hidden_count: int, count: Callable[[Name], int]) -> list[Name]:
    """As many of the shown, smallest first, as it takes for two to be hidden and their sum not to be small."""
    out: list[Name] = []
    for name in shown:
        if hidden_count >= FEWEST_HIDDEN and hidden_sum >= FEWEST:
            break
        out.append(name)
        hidden_sum, hidden_count = hidden_sum + count(name), hidden_count + 1
    return out
