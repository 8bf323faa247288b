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
    write = partial(_write, package, binds)
    outcome = Outcome(package, write, binds)
    derived = {each.name: partial(_derived, each, write) for each in package.derived.values()}
    fired = {each.name: partial(write, each.when) for each in package.indicators.values()}
    rules = rule_definitions(package, binds) if package.medical_rules else {}
    definitions: dict[str, Definition] = {**derived, **fired, **rules, **outcome.definitions()}
    return laid(definitions, outcome.columns, measured)


def _write(package: PolicyPackage, binds: Binds, expression: Expression, read: Read) -> str:
    return SqlWriter(lambda name: binds(name) if name in package.parameters else read(name)).write(expression)


def _derived(derived: Derived, write: Callable[[Expression, Read], str], read: Read) -> str:
    """Products are numeric; what leaves a layer is a whole number again, ten-thousandths excepted."""
    value = write(derived.expression, read)
    is_whole = derived.type.unit.is_numeric and not derived.type.in_basis
    return whole(value) if is_whole else value
