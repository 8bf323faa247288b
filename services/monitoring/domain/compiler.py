"""A policy package becomes one SQL text, used for one household, those due, a county or a past date.

It runs per county, with the county's values bound: `measures(facts, on, known_at)` inside, around it
`decide(measures, parameters)`. Names of tables are unqualified.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from services.monitoring.domain.compiled_decision import STALE_BINDS, decide_sql
from services.monitoring.domain.compiled_measures import EDGES, measures_sql
from services.monitoring.domain.judgement import assessment_from_row
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.window import windows_on
from shared.policies.parameter_set import ParameterSet
from shared.policies.unit import Unit

__all__ = ["CompiledPolicy", "assessment_from_row", "compile_policy"]

POSTGRES_TYPES = {Unit.FLAG: "boolean", Unit.TEXT: "text"}


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """The texts of one package version; they differ in how households are chosen (an array, or two ends)."""

    package: PolicyPackage
    households_sql: str
    range_sql: str
    bound_parameters: tuple[str, ...]

    def bind(
        self,
        *,
        county: str,
        household_ids: Sequence[int],
        on: date,
        known_at: datetime,
        parameters: ParameterSet,
        stale: Collection[str] = (),
    ) -> list[object]:
        """Arguments of `households_sql`."""
        edges = self._edges(county, on, known_at, parameters, stale)
        return [*edges, list(household_ids), *self._values(parameters)]

    def bind_range(
        self,
        *,
        county: str,
        first: int,
        last: int,
        on: date,
        known_at: datetime,
        parameters: ParameterSet,
        stale: Collection[str] = (),
    ) -> list[object]:
        """Arguments of `range_sql`; both ends belong to the range."""
        edges = self._edges(county, on, known_at, parameters, stale)
        return [*edges, first, last, *self._values(parameters)]

    def _edges(
        self, county: str, on: date, known_at: datetime, parameters: ParameterSet, stale: Collection[str]
    ) -> list[object]:
        windows = windows_on(on, parameters)
        clear, fired = stale_masks(self.package, stale)
        edges = (windows.account.first, windows.account.last, windows.outlay.last, windows.totals_from)
        return [
            county,
            on,
            known_at,
            *edges,
            windows.year.first,
            windows.earliest,
            clear,
            fired,
        ]

    def _values(self, parameters: ParameterSet) -> list[object]:
        return [parameters.value(name) for name in self.bound_parameters]


class _Binds:
    """Gives each parameter its place among the binds when it is first written."""

    def __init__(self, package: PolicyPackage, first: int) -> None:
        self.package, self.first = package, first
        self.names: list[str] = []

    def __call__(self, name: str) -> str:
        if name not in self.names:
            self.names.append(name)
        unit = self.package.parameters[name].unit
        return f"${self.first + self.names.index(name)}::{POSTGRES_TYPES.get(unit, 'bigint')}"


@cache
def compile_policy(package: PolicyPackage) -> CompiledPolicy:
    """Compile once per version."""
    bind = EDGES + STALE_BINDS + 1
    listed, names = _text(package, f"{{0}}.household_id = any(${bind}::bigint[])", bind + 1)
    ranged, _ = _text(package, f"{{0}}.household_id between ${bind}::bigint and ${bind + 1}::bigint", bind + 2)
    return CompiledPolicy(package, listed, ranged, names)


def _text(package: PolicyPackage, chosen: str, first_parameter: int) -> tuple[str, tuple[str, ...]]:
    binds = _Binds(package, first_parameter)
    text = decide_sql(package, measures_sql(package, chosen), binds)
    return text, tuple(binds.names)


def stale_masks(package: PolicyPackage, stale: Collection[str]) -> tuple[int, int]:
    """Indicators that cannot be trusted to be clear, and to have fired, while these data sets are stale."""
    clear = fired = 0
    for index, each in enumerate(package.indicators.values()):
        clear |= (1 << index) * bool(each.clear_needs.intersection(stale))
        fired |= (1 << index) * bool(each.fired_needs.intersection(stale))
    return clear, fired
