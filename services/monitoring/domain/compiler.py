"""A policy package becomes one SQL text, used for one household, those due, a county or a past date.

It runs per county, with the county's values bound: `measures(facts, on, known_at)` inside, around it
`decide(measures, parameters)`. Names of tables are unqualified.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from services.monitoring.domain.compiled_binds import Binds, Statement
from services.monitoring.domain.compiled_columns import decided_columns, measured_columns
from services.monitoring.domain.compiled_decision import decide_sql
from services.monitoring.domain.compiled_measures import measures_sql
from services.monitoring.domain.compiled_rules import rule_values
from services.monitoring.domain.judgement import MASK_BITS, assessment_from_row
from services.monitoring.domain.policy_package import OUTLAY_UNTIL, TOTAL_STANDS_MONTHS, PolicyPackage
from services.monitoring.domain.window import term_day, windows_on
from shared.policies.parameter_set import ParameterSet

__all__ = [
    "CompiledPolicy",
    "assessment_from_row",
    "bound_values",
    "compile_policy",
    "decided_columns",
    "measured_columns",
]

Choice = Callable[[Binds], str]


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """The statements of one package version; they differ in how households are chosen (an array, or two ends).

    `measured_…` are the first half alone.
    """

    package: PolicyPackage
    households: Statement
    range: Statement
    measured_households: Statement
    measured_range: Statement

    @property
    def households_sql(self) -> str:
        return self.households.sql

    @property
    def range_sql(self) -> str:
        return self.range.sql

    @property
    def measured_households_sql(self) -> str:
        return self.measured_households.sql

    @property
    def measured_range_sql(self) -> str:
        return self.measured_range.sql

    @property
    def measured_parameters(self) -> tuple[str, ...]:
        """The parameters that measures depend on: if one has another value, stored measures do not stand."""
        return tuple(sorted({OUTLAY_UNTIL, TOTAL_STANDS_MONTHS, *self.measured_range.parameters}))

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
        values = bound_values(
            self.package, county=county, on=on, known_at=known_at, parameters=parameters, stale=stale
        )
        return self.households.arguments({**values, "households": list(household_ids)})

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
        values = bound_values(
            self.package, county=county, on=on, known_at=known_at, parameters=parameters, stale=stale
        )
        return self.range.arguments({**values, "first": first, "last": last})

    def bind_measured(
        self, *, county: str, household_ids: Sequence[int], on: date, known_at: datetime, parameters: ParameterSet
    ) -> list[object]:
        """Arguments of `measured_households_sql`."""
        values = bound_values(self.package, county=county, on=on, known_at=known_at, parameters=parameters)
        return self.measured_households.arguments({**values, "households": list(household_ids)})

    def bind_measured_range(
        self, *, county: str, first: int, last: int, on: date, known_at: datetime, parameters: ParameterSet
    ) -> list[object]:
        """Arguments of `measured_range_sql`."""
        values = bound_values(self.package, county=county, on=on, known_at=known_at, parameters=parameters)
        return self.measured_range.arguments({**values, "first": first, "last": last})

    def decided(self, relation: str, first_bind: int = 1) -> Statement:
        """The second half alone, over a relation with the measured columns, whose own binds come before."""
        binds = Binds(self.package, first_bind)
        return binds.statement(decide_sql(self.package, relation, binds))

    def bind_decided(
        self, statement: Statement, *, on: date, parameters: ParameterSet, stale: Collection[str] = ()
    ) -> list[object]:
        """Arguments of what `decided` wrote, after those of the relation."""
        return statement.arguments(_of_decision(self.package, parameters, stale))


@cache
def compile_policy(package: PolicyPackage) -> CompiledPolicy:
    """Compile once per version."""
    return CompiledPolicy(
        package,
        _whole(package, _listed),
        _whole(package, _ranged),
        _first_half(package, _listed),
        _first_half(package, _ranged),
    )


def _listed(binds: Binds) -> str:
    return f"{{0}}.household_id = any({binds.edge('households')})"


def _ranged(binds: Binds) -> str:
    return f"{{0}}.household_id between {binds.edge('first')} and {binds.edge('last')}"


def _whole(package: PolicyPackage, chosen: Choice) -> Statement:
    binds = Binds(package)
    return binds.statement(decide_sql(package, measures_sql(package, chosen(binds), binds), binds))


def _first_half(package: PolicyPackage, chosen: Choice) -> Statement:
    binds = Binds(package)
    return binds.statement(measures_sql(package, chosen(binds), binds))


def bound_values(
    package: PolicyPackage,
    *,
    county: str,
    on: date,
    known_at: datetime,
    parameters: ParameterSet,
    stale: Collection[str] = (),
) -> dict[str, object]:
    """Every value a statement of the package may bind, by name, but for the choice of households."""
    windows = windows_on(on, parameters)
    return {
        "county": county,
        "on": on,
        "known_at": known_at,
        "account_first": windows.account.first,
        "account_last": windows.account.last,
        "outlay_last": windows.outlay.last,
        "totals_from": windows.totals_from,
        "year_first": windows.year.first,
        "earliest": windows.earliest,
        "on_number": _number(on),
        "term_number": _number(term_day(on)),
        **_of_decision(package, parameters, stale),
    }


def _of_decision(package: PolicyPackage, parameters: ParameterSet, stale: Collection[str]) -> dict[str, object]:
    values: dict[str, object] = {f":{name}": _value(parameters, name) for name in parameters}
    indicators = package.indicators.values()
    return {
        **values,
        **rule_values(package, parameters),
        "stale_clear": _stale((each.clear_needs for each in indicators), stale),
        "stale_fired": _stale((each.fired_needs for each in indicators), stale),
        "stale_exclusions": _stale((each.clear_needs for each in package.exclusions), stale),
    }


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _value(parameters: ParameterSet, name: str) -> object:
    value = parameters[name].value
    return list(value) if isinstance(value, tuple) else value


def _stale(needs: Iterable[Collection[str]], stale: Collection[str]) -> list[int]:
    """The words of the mask of those that cannot be trusted while these data sets are stale."""
    doubted = [not set(stale).isdisjoint(each) for each in needs]
    words = [doubted[start : start + MASK_BITS] for start in range(0, len(doubted), MASK_BITS)] or [[]]
    return [sum(1 << bit for bit, each in enumerate(word) if each) for word in words]
