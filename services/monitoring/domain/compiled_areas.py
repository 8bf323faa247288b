"""Areas of facts: each fact meets only the measures that may count it, instead of all sixty of a package."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from services.monitoring.domain.compiled_expression import literal
from services.monitoring.domain.measure import Measure
from services.monitoring.domain.window import Window


@dataclass(frozen=True, slots=True)
class Area:
    """Measures and all kinds of fact they count; no other area's measure counts any of these kinds."""

    kinds: frozenset[str]
    measures: tuple[Measure, ...]


def areas_of(measures: Sequence[Measure]) -> tuple[Area, ...]:
    """At most three: what belongs to the income account, what is a state, everything else."""
    drawers: dict[Window, list[_Bundle]] = {}
    for bundle in _bundles(measures):
        drawers.setdefault(bundle.drawer, []).append(bundle)
    return tuple(_area(measures, some) for _, some in sorted(drawers.items()))


def area_of_kind(areas: Sequence[Area], kinds: Collection[str], column: str) -> str:
    """The number of a fact's area, from 1, 0 if it has none; `kinds` are those that may occur."""
    numbers = {kind: number for number, area in enumerate(areas, 1) for kind in area.kinds}
    found = {number: sorted(kind for kind in kinds if numbers.get(kind, 0) == number) for number in range(4)}
    *others, (last, _) = sorted(((n, some) for n, some in found.items() if some), key=lambda each: len(each[1]))
    whens = "".join(f" when {column} in ({', '.join(map(literal, some))}) then {number}" for number, some in others)
    return f"case{whens} else {last} end" if whens else str(last)


@dataclass(slots=True)
class _Bundle:
    """Kinds that some measure counts together, directly or by way of others."""

    kinds: set[str]
    windows: set[Window]

    @property
    def drawer(self) -> Window:
        for window in (Window.ACCOUNT, Window.STATE):
            if window in self.windows:
                return window
        return Window.OUTLAY


def _bundles(measures: Sequence[Measure]) -> Iterator[_Bundle]:
    bundles: list[_Bundle] = []
    for each in measures:
        joined = _Bundle(set(each.kinds), {each.window})
        for other in [one for one in bundles if one.kinds & joined.kinds]:
            joined = _Bundle(joined.kinds | other.kinds, joined.windows | other.windows)
            bundles.remove(other)
        bundles.append(joined)
    yield from bundles


def _area(measures: Sequence[Measure], bundles: Sequence[_Bundle]) -> Area:
    kinds = frozenset(kind for each in bundles for kind in each.kinds)
    return Area(kinds, tuple(each for each in measures if kinds.issuperset(each.kinds)))
