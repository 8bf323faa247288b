"""The second half of the compiled text: measures and parameters become the judgement of a household."""

from collections.abc import Callable
from functools import partial

from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_expression import SqlWriter, whole
from services.monitoring.domain.compiled_outcome import Outcome
from services.monitoring.domain.compiled_rules import rule_definitions
from services.monitoring.domain.compiled_sheet import Definition, Read, laid
from services.monitoring.domain.expression import Expression
from services.monitoring.domain.indicator import Derived
from services.monitoring.domain.policy_package import PolicyPackage


def decide_sql(package: PolicyPackage, measured: str, binds: Binds) -> str:
    """Judge the rows of the sub-select `measured`, which has household_id, facts_complete and measured_columns."""
    return laid(definitions(package, binds), _outcome(package, binds).columns, measured)


def definitions(package: PolicyPackage, binds: Binds) -> dict[str, Definition]:
    """Everything that is worked out on the way to the answer, by name."""
    write = partial(_write, package, binds)
    derived = {each.name: partial(_derived, each, write) for each in package.derived.values()}
    fired = {each.name: partial(write, each.when) for each in package.indicators.values()}
    rules = rule_definitions(package, binds) if package.medical_rules else {}
    return {**derived, **fired, **rules, **_outcome(package, binds).definitions()}


def _outcome(package: PolicyPackage, binds: Binds) -> Outcome:
    return Outcome(package, partial(_write, package, binds), binds)


def _write(package: PolicyPackage, binds: Binds, expression: Expression, read: Read) -> str:
    return SqlWriter(lambda name: binds(name) if name in package.parameters else read(name)).write(expression)


def _derived(derived: Derived, write: Callable[[Expression, Read], str], read: Read) -> str:
    """Products are numeric; what leaves a layer is a whole number again, ten-thousandths excepted."""
    value = write(derived.expression, read)
    is_whole = derived.type.unit.is_numeric and not derived.type.in_basis
    return whole(value) if is_whole else value
