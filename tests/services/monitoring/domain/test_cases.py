"""The worked cases hold, by the evaluator and by the compiled text alike."""

from dataclasses import replace
from datetime import date

import pytest

from services.monitoring.case_words import KINDS
from services.monitoring.domain.compiler import compile_policy
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.judgement import assessment_from_row
from services.monitoring.domain.policy import PolicyPackage, policy_at
from services.monitoring.read_cases import read_cases
from services.monitoring.worked_case import Case, differences
from shared.policies import ParameterSet
from shared.policies.parameter import DatedValue
from tests.services.monitoring.domain.ledger_database import COUNTY, KNOWN, LedgerWriter


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.name)
async def test_case(case: Case, ledger: LedgerWriter) -> None:
    package = policy_at(f"{case.county}000000", case.on)
    parameters = package.parameters_for(f"{case.county}000000", case.on).override(case.overrides)
    evaluated = evaluate(package, parameters, case.household, case.on)
    assert differences(case, evaluated) == []
    if case.household.complete or any(each.shares_budget is False for each in case.household.members):
        return  # A trial: the ledger never says that it knows of everything.

    compiled = compile_policy(_with_rules_of(package, parameters))
    ids = await ledger.write([case.household])
    binds = compiled.bind(county=COUNTY, household_ids=ids, on=case.on, known_at=KNOWN, parameters=parameters)
    row = await ledger.connection.fetchrow(compiled.households_sql, *binds)
    assert row is not None
    assert assessment_from_row(package, dict(row), parameters, case.on).canonical() == evaluated.canonical()


def _with_rules_of(package: PolicyPackage, parameters: ParameterSet) -> PolicyPackage:
    """The package as if the case's rules on medical self-pay had been published; their shapes are compiled in."""
    name = "medical_rules"
    used = parameters[name]
    rules = package.parameters[name]
    dated = DatedValue(used.since, used.value, used.source, used.verified)
    values = {**rules.values, "request": (dated,)}
    version = f"{package.version}~{used.written() if used.decided_by == 'request' else ''}"
    return replace(package, version=version, parameters={**package.parameters, name: replace(rules, values=values)})


def test_every_case_has_its_own_name() -> None:
    names = [case.name for case in read_cases()]
    assert len(names) == len(set(names))
    assert all(case.on >= date(2024, 1, 1) for case in read_cases())


def test_every_kind_of_fact_with_a_word_is_used_in_a_case() -> None:
    used = {fact.kind for case in read_cases() for fact in case.household.facts}
    assert used >= {kind for kind, _ in KINDS.values()}


def test_a_case_that_does_not_hold_says_what_differs() -> None:
    case = next(case for case in read_cases() if "建议" in case.expected)
    package = policy_at(f"{case.county}000000", case.on)
    parameters = package.parameters_for(f"{case.county}000000", case.on).override(case.overrides)
    wrong = Case(case.name, case.county, case.on, case.overrides, case.household, {"计入人口": 99})
    assert differences(wrong, evaluate(package, parameters, case.household, case.on)) == [
        f"计入人口应为99，实为{len(case.household.members)}"
    ]
