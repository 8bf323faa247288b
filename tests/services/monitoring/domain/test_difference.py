"""Whoever is not found to be moved by other values is judged by them as before; who is moved is found."""

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.monitoring.domain.compiled_binds import OTHER_SIDE, Binds
from services.monitoring.domain.compiled_difference import moved_sql
from services.monitoring.domain.compiled_measures import measures_sql
from services.monitoring.domain.compiler import bound_values, compile_policy
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.window import windows_on
from shared.policies.parameter_set import ParameterSet
from tests.services.monitoring.domain.generated_households import DAYS, HouseholdMaker, overrides
from tests.services.monitoring.domain.generated_policies import generated_policy
from tests.services.monitoring.domain.ledger_database import COUNTY, KNOWN, LedgerWriter
from tests.services.monitoring.domain.test_parity import OVERRIDES

PACKAGE = load_policy()
PLACE = "130624100201"
LINES = {
    "monitoring_line": ("6000.00", "9000.00", "9001.00", "20000.00"),
    "chronic_burden_yuan": ("500.00", "1000.00"),
}


def _drawn(package: PolicyPackage, on: date, random: Random, choices: Mapping[str, Any]) -> ParameterSet:
    """Values that leave what is measured as it is."""
    counted = compile_policy(package).measured_parameters
    return package.parameters_for(PLACE, on).override(
        overrides(random, {name: each for name, each in choices.items() if name not in counted})
    )


async def _moved(
    ledger: LedgerWriter, package: PolicyPackage, ids: list[int], on: date, sides: list[ParameterSet]
) -> set[int]:
    own, other = (
        bound_values(package, county=COUNTY, on=on, known_at=KNOWN, parameters=each)
        | {"first": ids[0], "last": ids[-1]}
        for each in sides
    )
    changed = {name for name, value in own.items() if other[name] != value}
    binds = Binds(package)
    chosen = f"{{0}}.household_id between {binds.edge('first')} and {binds.edge('last')}"
    statement = binds.statement(moved_sql(package, measures_sql(package, chosen, binds), binds, changed))
    values = {**own, **{f"{OTHER_SIDE}{name}": value for name, value in other.items()}}
    rows = await ledger.connection.fetch(statement.sql, *statement.arguments(values))
    assert [row["household_id"] for row in rows] == ids
    return {row["household_id"] for row in rows if row["moved"]}


async def _answers(
    ledger: LedgerWriter, package: PolicyPackage, ids: list[int], on: date, parameters: ParameterSet
) -> dict[int, tuple[Any, ...]]:
    policy = compile_policy(package)
    binds = policy.bind_range(county=COUNTY, first=ids[0], last=ids[-1], on=on, known_at=KNOWN, parameters=parameters)
    rows = await ledger.connection.fetch(policy.range_sql, *binds)
    compared = ("class_code", "severity", "causes", *(name for name in dict(rows[0]) if name.startswith("fired")))
    return {row["household_id"]: tuple(row[name] for name in compared) for row in rows}


async def _check(
    ledger: LedgerWriter, package: PolicyPackage, seed: int, number: int, choices: Mapping[str, Any]
) -> tuple[int, int]:
    random = Random(seed)
    on = random.choice(DAYS)
    sides = [_drawn(package, on, random, choices) for _ in range(2)]
    maker = HouseholdMaker(random, windows_on(on, sides[0]))
    ids = await ledger.write([maker.household() for _ in range(number)])
    before, after = [await _answers(ledger, package, ids, on, each) for each in sides]
    different = {each for each in ids if before[each] != after[each]}
    moved = await _moved(ledger, package, ids, on, sides)
    assert different <= moved
    return len(different), len(moved)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.integers(0, 2**32), number=st.integers(1, 40))
async def test_nobody_else_is_judged_otherwise(ledger: LedgerWriter, seed: int, number: int) -> None:
    await _check(ledger, PACKAGE, seed, number, {**OVERRIDES, **LINES})


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.integers(0, 2**32), number=st.integers(1, 25))
async def test_nor_under_generated_policies(ledger: LedgerWriter, seed: int, number: int) -> None:
    package = generated_policy(seed)
    numbers = {name: _others(name, package) for name in package.parameters}
    await _check(ledger, package, seed, number, {name: each for name, each in numbers.items() if each})


def _others(name: str, package: PolicyPackage) -> tuple[Any, ...]:
    """Flags either way; other kinds of value are left to the shipped package, whose bounds are known."""
    return (True, False) if package.parameters[name].unit.value == "flag" else ()


@pytest.mark.parametrize(("name", "value"), [("monitoring_line", "20000.00"), ("exclusion_effect", "blocks")])
async def test_some_are_moved_and_most_are_not(ledger: LedgerWriter, name: str, value: str) -> None:
    """The test above would hold of a text that says everybody, or of values that change nothing."""
    on, random = DAYS[0], Random(7)
    sides = [PACKAGE.parameters_for(PLACE, on), PACKAGE.parameters_for(PLACE, on).override({name: value})]
    maker = HouseholdMaker(random, windows_on(on, sides[0]))
    ids = await ledger.write([maker.household() for _ in range(300)])
    before, after = [await _answers(ledger, PACKAGE, ids, on, each) for each in sides]
    moved = await _moved(ledger, PACKAGE, ids, on, sides)
    assert {each for each in ids if before[each] != after[each]} <= moved
    assert 0 < len(moved) < len(ids)
