"""The compiled text and the independent evaluator agree on generated households, byte for byte."""

from collections import Counter
from datetime import date
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.monitoring.domain.assessment import Assessment
from services.monitoring.domain.compiler import compile_policy
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.household import HouseholdFacts
from services.monitoring.domain.judgement import assessment_from_row
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.window import windows_on
from shared.policies.parameter_set import ParameterSet
from tests.services.monitoring.domain.generated_households import DAYS, HouseholdMaker, overrides
from tests.services.monitoring.domain.ledger_database import COUNTY, KNOWN, LedgerWriter

PACKAGE = load_policy()
COMPILED = compile_policy(PACKAGE)


def _parameters(on: date, random: Random) -> ParameterSet:
    return PACKAGE.parameters_for("130624100201", on).override(overrides(random))


def _households(random: Random, on: date, parameters: ParameterSet, number: int) -> list[HouseholdFacts]:
    maker = HouseholdMaker(random, windows_on(on, parameters))
    return [maker.household() for _ in range(number)]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.integers(0, 2**32), number=st.integers(1, 40))
async def test_compiled_text_and_evaluator_agree(ledger: LedgerWriter, seed: int, number: int) -> None:
    random = Random(seed)
    on = random.choice(DAYS)
    parameters = _parameters(on, random)
    stale = [each for each in PACKAGE.data_sets if random.random() < 0.2]
    households = _households(random, on, parameters, number)
    ids = await ledger.write(households)
    binds = COMPILED.bind_range(
        county=COUNTY, first=ids[0], last=ids[-1], on=on, known_at=KNOWN, parameters=parameters, stale=stale
    )
    rows = await ledger.connection.fetch(COMPILED.range_sql, *binds)
    assert [row["household_id"] for row in rows] == ids
    for row, household in zip(rows, households, strict=True):
        expected = evaluate(PACKAGE, parameters, household, on, stale=stale)
        assert assessment_from_row(PACKAGE, dict(row), parameters, on).canonical() == expected.canonical()


def test_generated_households_meet_every_state_class_cause_and_flag() -> None:
    """Agreement on households where nothing ever happens would show nothing."""
    random = Random(1)
    met: Counter[object] = Counter()
    for on in DAYS:
        parameters = _parameters(on, random)
        for household in _households(random, on, parameters, 150):
            met.update(_met(evaluate(PACKAGE, parameters, household, on)))
    wanted: set[object] = {(name, state) for name in PACKAGE.indicators for state in ("fired", "clear", "unknown")}
    # An absent report is known to be absent: the register of reports is our own.
    wanted -= {("hardship_report", "unknown"), ("disability", "unknown")}
    wanted |= {each.code for each in PACKAGE.classes} | {each.cause for each in PACKAGE.causes}
    wanted |= {each.name for each in PACKAGE.flags}
    assert wanted <= met.keys()


def _met(assessment: Assessment) -> list[object]:
    states = [(each.id, each.state) for each in assessment.indicators]
    return [*states, assessment.recommendation, *assessment.causes, *assessment.flags]


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
