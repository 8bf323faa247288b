"""Read the figures of a division and its children as a caller may see them: rows by range, small cells hidden."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import asyncpg

from services.monitoring import repository_figures as repository
from services.monitoring.domain.dashboard import Figure
from services.monitoring.domain.suppression import FEWEST, TOTAL, Cell, Group, Hidden, hide_children, hide_root
from shared.vocabulary.division import covers, lineage_of

# Which cells belong together, told by all there are.
GroupsOf = Callable[[Counter[Cell]], Sequence[Group]]
# What each child of a division adds up to, in the order of their codes.
Sums = Mapping[str, Counter[Cell]]
SumsOf = Callable[[str], Awaitable[Sums]]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The counts of one division, some of which may be hidden."""

    division: str
    counts: Counter[Cell]
    hidden: Hidden = frozenset()
    fewest: int = 0

    def shown(self, cell: Cell) -> int | None:
        """A count; None if it is hidden."""
        return None if cell in self.hidden or self.counts[cell] < self.fewest else self.counts[cell]

    def keys(self, figure: str) -> list[str]:
        return sorted({cell.key for cell in self.counts if cell.figure == figure})


@dataclass(frozen=True, slots=True)
class Figures:
    """A division's numbers and those of its children, which add up to them."""

    whole: Numbers
    children: Sequence[Numbers] = field(default=())


async def read_figures(sums_of: SumsOf, division: str) -> Figures:
    """The counts of a division as they are, for a caller who may list the households."""
    children = await sums_of(division)
    return Figures(_whole(division, children), [Numbers(name, counts) for name, counts in children.items()])


async def read_hidden(sums_of: SumsOf, division: str, groups_of: GroupsOf, home: str) -> Figures:
    """The counts of a division for a caller of `home` who may not list households."""
    path: list[str] = [code for code in lineage_of(division) if covers(home, code)]
    path = path or [division]
    children = await sums_of(path[0])
    whole = _whole(path[0], children).counts
    groups = groups_of(whole)
    hidden = hide_root(whole, groups)
    for step in path[1:]:
        hidden = hide_children(hidden, children, groups).get(step, _all(groups))
        children = await sums_of(step)
    below = hide_children(hidden, children, groups)
    return Figures(
        Numbers(division, _whole(division, children).counts, hidden, FEWEST),
        [Numbers(name, counts, below[name], FEWEST) for name, counts in children.items()],
    )


async def read_sums(connection: asyncpg.Connection, division: str, figures: Sequence[Figure]) -> Sums:
    """What the caller's households in each child of a division add up to, as counted last."""
    found: dict[str, Counter[Cell]] = {}
    for row in await repository.counts(connection, division, figures):
        found.setdefault(row["child"], Counter())[_cell(row["figure"], row["key"])] = row["households"]
    return dict(sorted(found.items()))


@lru_cache(maxsize=10_000)
def _cell(figure: str, key: str) -> Cell:
    """One object for each cell, however many places have it."""
    return Cell(figure, key)


def _whole(division: str, children: Sums) -> Numbers:
    """The sum of the children is the division: there is no other count that could differ from it."""
    total = Counter[Cell]()
    for counts in children.values():
        total.update(counts)
    return Numbers(division, total)


def _all(groups: Sequence[Group]) -> Hidden:
    """A place in which nobody lives is as hidden as one in which few do."""
    return frozenset([TOTAL, *(cell for group in groups for cell in group.cells)])
