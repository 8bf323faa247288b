"""Keep what the children of a division add up to, so that a village counted again costs reading that village only.

The sums are those of all households living there, as whoever is at home in the division or above it sees them; for
all others there is the wall. One who reads makes sure, before anything is kept or shown, that nothing was counted
meanwhile: sums of different counts never meet.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from services.monitoring import repository_figures as repository
from services.monitoring.domain.dashboard import Figure
from services.monitoring.domain.suppression import Cell
from services.monitoring.read_figures import Sums, read_sums
from services.monitoring.repository_figures import Version
from shared.vocabulary.division import code_range

MOST_NUMBERS = 500_000
# Where more changed than that, one look at all of them is cheaper.
MOST_MISSING = 10

Key = tuple[str, tuple[Figure, ...]]


@dataclass(slots=True)
class Children:
    """The sums of a division's children; those `missing` were counted again since."""

    sums: dict[str, Counter[Cell]]
    missing: set[str] = field(default_factory=set)


@dataclass(slots=True)
class KeptSums:
    """The sums that one process keeps, by division and figures."""

    kept: dict[Key, Children] = field(default_factory=dict)

    def keep(self, read: Mapping[Key, dict[str, Counter[Cell]]]) -> None:
        """Keep what was read, if nothing was forgotten since the reading began."""
        self.kept.update((key, Children(sums)) for key, sums in read.items())
        if sum(len(each) for found in self.kept.values() for each in found.sums.values()) > MOST_NUMBERS:
            self.kept.clear()

    def forget(self, version: Version) -> None:
        """Drop what a count changed, and no more."""
        for (division, figures), found in list(self.kept.items()):
            if version.figures.isdisjoint(figures):
                continue
            lo, hi = code_range(division)
            inside = [place for place in version.places if lo <= place < hi]
            if division in inside:
                del self.kept[division, figures]
            else:
                found.missing.update(repository.child_of(division, place) for place in inside)


@dataclass(slots=True)
class Reading:
    """One reading: what is kept, what is missing from the database, and what may be kept of it."""

    connection: asyncpg.Connection
    kept: Mapping[Key, Children]
    read: dict[Key, dict[str, Counter[Cell]]] = field(default_factory=dict)

    async def sums(self, division: str, figures: Sequence[Figure]) -> Sums:
        """The sums of a division's children."""
        key = (division, tuple(figures))
        if key not in self.read:
            found = self.kept.get(key)
            if found is None or len(found.missing) > MOST_MISSING:
                self.read[key] = dict(await read_sums(self.connection, division, figures))
            else:
                self.read[key] = await self._completed(found, figures)
        return self.read[key]

    async def _completed(self, found: Children, figures: Sequence[Figure]) -> dict[str, Counter[Cell]]:
        missing = {child: _total(await self.sums(child, figures)) for child in sorted(found.missing)}
        return {child: sums for child, sums in sorted((found.sums | missing).items()) if sums}


def _total(sums: Mapping[str, Counter[Cell]]) -> Counter[Cell]:
    total = Counter[Cell]()
    for each in sums.values():
        total.update(each)
    return total
