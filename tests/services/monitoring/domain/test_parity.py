"""The compiled text and the independent evaluator agree on generated households, byte for byte."""

from collections import Counter
from datetime import date
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.compiler import compile_policy, decided_columns, measured_columns
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.household import HouseholdFacts
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.window import windows_on
from shared.policies.parameter_set import ParameterSet
from tests.services.monitoring.domain.generated_households import DAYS, HouseholdMaker, overrides
from tests.services.monitoring.domain.generated_policies import generated_policy
from tests.services.monitoring.domain.ledger_database import COUNTY, KNOWN, LedgerWriter
from tests.services.monitoring.domain.parity_run import ParityRun

PACKAGE = load_policy()
COMPILED = compile_policy(PACKAGE)
PLACES = ("130624100201", "130727100201", "130728100201")
ALL_VISITS = ["inpatient", "outpatient", "chronic_outpatient"]
RULES = [
    {"scope": "household", "window": "year_to_date", "visits": ALL_VISITS, "groups": ["general"]},
    {"scope": "person", "window": "year_to_date", "visits": ALL_VISITS, "groups": ["lifted_out", "monitored"]},
    {"scope": "person", "window": "single_stay", "visits": ["inpatient"], "groups": ["general", "lifted_out"]},
    {
        "scope": "person",
        "window": "month",
        "visits": ["outpatient", "chronic_outpatient"],
        "groups": ["lifted_out", "general", "monitored"],
    },
]
OVERRIDES = {
    "line_inclusive": (True, False),
    "income_profile": ("monitoring", "dibao"),
    "dibao_ignore_basic_pension": (True, False),
    "count_unsold": (True, False),
    "count_one_off": (True, False),
    "count_land_compensation": (True, False),
    "deduct_away_work_cost": (True, False),
    "education_inclusive": (True, False),
    "wage_drop_percent": ("30", "31"),
    "water_standard": ("2004", "2004_safe", "t_ches_wet", "t_ches_dry"),
    "risks_below_line": ([], ["dwelling_unsafe"], ["water_unsafe", "dropout"]),
    "sudden_causes": (["illness"], ["accident", "disaster"], ["job_instability", "schooling"]),
    "sudden_outlay_share": ("0", "0.2", "1"),
    "sudden_on_income_drop": (True, False),
    "outlay_until": ("on", "window_end"),
    "score_cap": ("30", "100"),
    "exclusion_effect": ("needs_reason", "blocks"),
    "exempt_on_sudden": (True, False),
    "vehicle_limit": ("0.00", "50000.00", "100000.00"),
    "medical_rules": (
        [],
        [{**each, "threshold_yuan": "10000.00", "inclusive": True} for each in RULES],
        [{**each, "share_of_rural_income": 0.25} for each in RULES],
        [{**RULES[0], "threshold_yuan": "5000.00"}, {**RULES[0], "threshold_yuan": "0.00", "inclusive": True}],
    ),
}


def _parameters(on: date, random: Random) -> ParameterSet:
    return PACKAGE.parameters_for(random.choice(PLACES), on).override(overrides(random, OVERRIDES))


def _households(random: Random, on: date, parameters: ParameterSet, number: int) -> list[HouseholdFacts]:
    maker = HouseholdMaker(random, windows_on(on, parameters))
    return [maker.household() for _ in range(number)]


async def _check(ledger: LedgerWriter, run: ParityRun, households: list[HouseholdFacts]) -> None:
    ids = await ledger.write(households)
    found = await run.differences(ledger, ids, households, worded=10)
    assert not found, [(each.household, *each.fields()) for each in found[:1]]


def _stale(package: PolicyPackage, random: Random) -> list[str]:
    return [each for each in package.data_sets if random.random() < 0.2]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.integers(0, 2**32), number=st.integers(1, 40))
async def test_compiled_text_and_evaluator_agree(ledger: LedgerWriter, seed: int, number: int) -> None:
    random = Random(seed)
    on = random.choice(DAYS)
    parameters = _parameters(on, random)
    run = ParityRun(PACKAGE, parameters, on, _stale(PACKAGE, random))
    await _check(ledger, run, _households(random, on, parameters, number))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.integers(0, 2**32), number=st.integers(1, 25))
async def test_they_agree_on_generated_policies(ledger: LedgerWriter, seed: int, number: int) -> None:
    random, package = Random(seed), generated_policy(seed)
    on = random.choice(DAYS)
    parameters = package.parameters_for("130624100201", on)
    run = ParityRun(package, parameters, on, _stale(package, random))
    await _check(ledger, run, _households(random, on, parameters, number))


# A register of our own knows what is absent from it; whether a budget is shared is asked only in a trial.
NEVER_UNKNOWN = ("accident", "business_failure", "disaster", "hardship_report", "job_loss", "serious_illness")
ONLY_IN_TRIALS = "budget_share_assumed"


def test_generated_households_meet_every_state_class_cause_and_note() -> None:
    """Agreement on households where nothing ever happens would show nothing."""
    random = Random(2)
    met: Counter[object] = Counter()
    for on in (*DAYS, *DAYS):
        parameters = _parameters(on, random)
        for household in _households(random, on, parameters, 60):
            met.update(_met(evaluate(PACKAGE, parameters, household, on)))
    states = ("fired", "clear", "unknown")
    wanted: set[object] = {(name, state) for name in PACKAGE.indicators for state in states}
    wanted -= {(name, "unknown") for name in NEVER_UNKNOWN}
    wanted |= {(each.name, state, False) for each in PACKAGE.exclusions for state in states}
    wanted |= {each.code for each in PACKAGE.classes} | {each.cause for each in PACKAGE.causes}
    wanted |= {each.name for each in PACKAGE.notes} - {ONLY_IN_TRIALS}
    assert wanted <= met.keys()


def _met(assessment: Assessment) -> list[object]:
    states = [(each.id, each.state) for each in assessment.indicators]
    exclusions = [(each.id, each.state, each.exempt) for each in assessment.exclusions]
    notes = [*assessment.flags, *assessment.quality_flags, *assessment.removal_blockers]
    hints = [each.id for each in assessment.civil_affairs]
    return [*states, *exclusions, *notes, *hints, assessment.recommendation, *assessment.causes]


async def test_array_and_range_give_the_same_rows(ledger: LedgerWriter) -> None:
    on = date(2026, 3, 15)
    ids = await ledger.write([HouseholdFacts((), ()), HouseholdFacts((), ())])
    parameters = PACKAGE.parameters_for("130624100201", on)
    listed = COMPILED.bind(county=COUNTY, household_ids=ids, on=on, known_at=KNOWN, parameters=parameters)
    ranged = COMPILED.bind_range(
        county=COUNTY, first=ids[0], last=ids[1], on=on, known_at=KNOWN, parameters=parameters
    )
    fetch = ledger.connection.fetch
    assert await fetch(COMPILED.households_sql, *listed) == await fetch(COMPILED.range_sql, *ranged)


async def test_halves_apart_give_the_row_of_the_whole(ledger: LedgerWriter) -> None:
    """What stored measures rest on: the second half reads the first half's columns and nothing else."""
    on, random = date(2026, 3, 15), Random(7)
    parameters = _parameters(on, random)
    ids = await ledger.write(_households(random, on, parameters, 20))
    asked: Any = {"county": COUNTY, "first": ids[0], "last": ids[-1], "on": on, "known_at": KNOWN}
    first = COMPILED.bind_measured_range(**asked, parameters=parameters)
    second = COMPILED.decided(COMPILED.measured_range_sql, len(first) + 1)
    apart = [*first, *COMPILED.bind_decided(second, on=on, parameters=parameters)]
    whole = COMPILED.bind_range(**asked, parameters=parameters)
    fetch = ledger.connection.fetch
    assert await fetch(second.sql, *apart) == await fetch(COMPILED.range_sql, *whole)


async def test_columns_are_those_announced(ledger: LedgerWriter) -> None:
    on = date(2026, 3, 15)
    parameters = PACKAGE.parameters_for("130624100201", on)
    ids = await ledger.write([HouseholdFacts((), ())])
    asked: Any = {"county": COUNTY, "household_ids": ids, "on": on, "known_at": KNOWN, "parameters": parameters}
    fetchrow = ledger.connection.fetchrow
    measured = await fetchrow(COMPILED.measured_households_sql, *COMPILED.bind_measured(**asked))
    decided = await fetchrow(COMPILED.households_sql, *COMPILED.bind(**asked))
    assert measured is not None
    assert decided is not None
    expected = ["household_id", "facts_complete", *(name for name, _ in measured_columns(PACKAGE))]
    assert list(measured.keys()) == expected
    assert list(decided.keys()) == ["household_id", *(name for name, _ in decided_columns(PACKAGE))]
