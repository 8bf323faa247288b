"""The second half of the compiled text: measures and parameters become the judgement of a household.

Derived values and indicators are laid in layers, each a sub-select over the one before. `offset 0` keeps the
planner from folding them: folded, every value is worked out again wherever it is read, which costs five times
the planning and, from some ten indicators on, most of the execution.
"""

from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter

from services.monitoring.domain.compiled_expression import SqlWriter, literal
from services.monitoring.domain.compiled_measures import quoted
from services.monitoring.domain.indicator import Indicator, SeverityRule
from services.monitoring.domain.policy_package import PolicyPackage
from shared.vocabulary.terms import Cause

STALE_CLEAR, STALE_FIRED = "$10::bigint", "$11::bigint"
STALE_BINDS = 2


def decide_sql(package: PolicyPackage, measured: str, bound: Callable[[str], str]) -> str:
    """Judge the rows of the sub-select `measured`; `bound` gives the bind of a parameter."""
    writer = SqlWriter(lambda name: bound(name) if name in package.parameters else f"d.{quoted(name)}")
    rows = measured
    for layer in layers(package):
        columns = "".join(f",\n  {_column(package, writer, name)} as {quoted(name)}" for name in layer)
        rows = _layer(columns, rows)
    outcome = _Outcome(package, writer, bound)
    rows = _layer(outcome.verdict(), rows)
    return f"select {outcome.columns()}\nfrom (\n{rows}\n) d\norder by d.household_id"


def _layer(columns: str, rows: str) -> str:
    return f"select d.*{columns}\nfrom (\n{rows}\n) d offset 0"


def layers(package: PolicyPackage) -> Iterator[tuple[str, ...]]:
    """Derived values and indicators, each in a layer above all it reads."""
    nodes = {**package.derived, **package.indicators}
    sorter = TopologicalSorter({name: package.depends_on(name) & nodes.keys() for name in nodes})
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        yield tuple(ready)
        sorter.done(*ready)


def _column(package: PolicyPackage, writer: SqlWriter, name: str) -> str:
    expression = package.definition(name)
    assert expression is not None, "layers holds only what is defined"
    unit = package.types[name].unit
    # Products are numeric; what leaves a layer is a whole number again.
    return writer.write(expression) + ("::bigint" if unit.is_money or unit.is_countable else "")


class _Outcome:
    """The columns of the answer; see judgement.judgement_from_row, which reads them."""

    def __init__(self, package: PolicyPackage, writer: SqlWriter, bound: Callable[[str], str]) -> None:
        self.package, self.writer, self.bound = package, writer, bound
        self.indicators = tuple(package.indicators.values())
        self.classes = package.classes

    def verdict(self) -> str:
        """What several columns are made of: the masks, and the position of the class (null: none)."""
        fired = _mask(f"d.{quoted(each.name)}" for each in self.indicators)
        unknown = _mask(f"d.{quoted(each.name)} is null" for each in self.indicators)
        whens = " ".join(
            f"when {self.writer.write(each.when)} then {index}" for index, each in enumerate(self.classes, 1)
        )
        severities = [f"{self._rank(each)} as severity_{each.name}" for each in self.indicators]
        return ",\n".join(
            ("", f"{fired} as fired", f"{unknown} as unknown", f"case {whens} end as class_position", *severities)
        )

    def columns(self) -> str:
        everything = (1 << len(self.indicators)) - 1
        clear = f"({everything}::bigint & ~d.fired & ~d.unknown)"
        return ",\n".join(
            (
                "d.household_id",
                f"{self._of_class(self._codes(), 'text')} as class_code",
                f"{self._severity()}::smallint as severity",
                f"{self._score()}::integer as score",
                f"d.fired & ~{STALE_FIRED} as fired",
                f"d.unknown | ({clear} & {STALE_CLEAR}) | (d.fired & {STALE_FIRED}) as unknown",
                f"{self._causes()} as causes",
                f"{_mask(self.writer.write(each.when) for each in self.package.flags)} as flags",
                "d.members_counted",
                "d.net_income as net_income_fen",
                "d.reference_income as reference_income_fen",
                "d.rigid_outlay as rigid_outlay_fen",
                *self._details(),
            )
        )

    def _codes(self) -> list[str]:
        return ["null" if each.code is None else literal(each.code) for each in self.classes]

    def _of_class(self, values: list[str], kind: str) -> str:
        return f"(array[{', '.join(values)}]::{kind}[])[d.class_position]"

    def _severity(self) -> str:
        """The highest severity of what fired and of the class; none of them is null inside greatest()."""
        ranks = [f"d.severity_{each.name}" for each in self.indicators]
        of_class = self._of_class([str(each.severity.rank if each.severity else 0) for each in self.classes], "int")
        return f"nullif(greatest({', '.join(ranks)}, coalesce({of_class}, 0)), 0)"

    def _rank(self, indicator: Indicator) -> str:
        """The rank of an indicator's severity if it fired, else 0."""
        rank = self._chosen(indicator.severities, lambda rule: str(rule.severity.rank), "0")
        return f"case when d.{quoted(indicator.name)} then {rank} else 0 end"

    def _chosen(self, rules: tuple[SeverityRule, ...], value: Callable[[SeverityRule], str], otherwise: str) -> str:
        """The value of the first rule that holds."""
        final = next((value(each) for each in rules if each.when is None), otherwise)
        whens = [f"when {self.writer.write(each.when)} then {value(each)}" for each in rules if each.when is not None]
        return f"(case {' '.join(whens)} else {final} end)" if whens else final

    def _score(self) -> str:
        points = " + ".join(
            f"case when d.{quoted(each.name)} then {self._points(each)} else 0 end" for each in self.indicators
        )
        return f"least({points}, {self.bound(self.package.scores.cap)})"

    def _points(self, indicator: Indicator) -> str:
        if indicator.weight is not None:
            return self.bound(indicator.weight)
        weights = self.package.scores.weights
        return self._chosen(indicator.severities, lambda rule: self.bound(weights[rule.severity]), "0")

    def _causes(self) -> str:
        """One bit for each cause, in the order of the vocabulary."""
        bits = {cause: 1 << index for index, cause in enumerate(Cause)}
        return " | ".join(
            f"(case when {self.writer.write(each.when)} then {bits[each.cause]}::bigint else 0 end)"
            for each in self.package.causes
        )

    def _details(self) -> Iterator[str]:
        """What the explanation needs: measured values, which threshold was held against, a varying severity."""
        for name in dict.fromkeys(each.measured for each in self.indicators if each.measured):
            yield f"d.{quoted(name)} as measured_{name}"
        for each in self.indicators:
            if len(each.thresholds) > 1:
                yield f"{self._choice(each)}::smallint as choice_{each.name}"
            if len(each.severities) > 1:
                # Read by judgement only where the indicator fired.
                yield f"d.severity_{each.name}::smallint"

    def _choice(self, indicator: Indicator) -> str:
        whens = (
            f"when {'true' if each.when is None else self.writer.write(each.when)} then {index}"
            for index, each in enumerate(indicator.thresholds)
        )
        return f"(case {' '.join(whens)} end)"


def _mask(conditions: Iterator[str]) -> str:
    """One bit for each condition that is true."""
    bits = [
        f"(case when {condition} then {1 << index}::bigint else 0 end)" for index, condition in enumerate(conditions)
    ]
    return " | ".join(bits) or "0::bigint"
