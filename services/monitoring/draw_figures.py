"""Draw numbers as figures: each with its name and, for whoever may list households, the query of its list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from services.monitoring.domain.dashboard import OF_CLASS_KEYS, filters_of
from services.monitoring.domain.policy import PolicyPackage
from services.monitoring.domain.suppression import TOTAL, Cell
from services.monitoring.read_figures import Figures, Numbers
from services.monitoring.schemas_dashboard import SUPPRESSED, DivisionFigures, Figure
from shared.vocabulary.division import DivisionLevel, level_of
from shared.vocabulary.terms import Term

LISTS = "/monitoring/v1/households"
BOARDS = "/monitoring/v1/dashboard"


@dataclass(frozen=True, slots=True)
class Reader:
    """What of the figures a post sees: the class, and the rows behind them."""

    sees_class: bool
    sees_rows: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """One board of one division, about to be drawn for one kind of reader."""

    name: str
    reader: Reader
    figures: Figures
    package: PolicyPackage
    places: Mapping[str, str]
    today: date
    freshness: Sequence[Mapping[str, Any]] = ()

    @property
    def whole(self) -> Numbers:
        return self.figures.whole

    def figure(self, numbers: Numbers, cell: Cell, label: str, key: str | None = None) -> Figure:
        shown = numbers.shown(cell)
        return Figure(
            key=key,
            label=label,
            households=SUPPRESSED if shown is None else shown,
            query=self._query(numbers, cell) if self.reader.sees_rows else None,
        )

    def total(self, numbers: Numbers) -> Figure:
        return self.figure(numbers, TOTAL, "合计")

    def terms(self, numbers: Numbers, cells: Sequence[Cell], terms: Sequence[Term]) -> list[Figure]:
        """A figure for each word, but for those that follow from the class where it is not seen."""
        return [
            self.figure(numbers, cell, term.zh, str(term))
            for cell, term in zip(cells, terms, strict=True)
            if self.reader.sees_class or term not in OF_CLASS_KEYS
        ]

    def below(self, cells: Sequence[Cell], terms: Sequence[Term]) -> list[DivisionFigures]:
        return [
            DivisionFigures(**self.place(child), figures=self.terms(child, cells, terms))
            for child in self.figures.children
        ]

    def place(self, child: Numbers) -> dict[str, Any]:
        return {
            "division": child.division,
            "label": self.places[child.division],
            "drill_down": self.drill_down(child.division),
        }

    def drill_down(self, division: str) -> str | None:
        return f"{BOARDS}/{self.name}?division={division}" if division != self.whole.division else None

    def share(self, numbers: Numbers, part: Cell, of: Cell) -> str | None:
        """A per cent with one decimal, half up."""
        some, all_ = numbers.shown(part), numbers.shown(of)
        if some is None or not all_:
            return None
        tenths = (2000 * some + all_) // (2 * all_)
        return f"{tenths // 10}.{tenths % 10}"

    def _query(self, numbers: Numbers, cell: Cell) -> str:
        query = f"{LISTS}?division={numbers.division}{_filters(cell)}"
        # Households that live in no smaller place than the one that is shown.
        if numbers is not self.whole and numbers.division == self.whole.division:
            return f"{query}&exactly=true" if level_of(numbers.division) < DivisionLevel.VILLAGE else query
        return query


@lru_cache(maxsize=10_000)
def _filters(cell: Cell) -> str:
    """The filters of a cell as they stand in a query; written out once, since every place has the same."""
    filters = filters_of(cell)
    return f"&{urlencode(filters)}" if filters else ""
