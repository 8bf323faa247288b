"""Stale data is named where it leaves an indicator open."""

from datetime import date

from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.staleness import StaleDataSet, doubts

PACKAGE = load_policy()
ON = date(2026, 3, 15)
PARAMETERS = PACKAGE.parameters_for("130624100201", ON)
ROSTER = StaleDataSet("household_register", date(2024, 12, 31))
MEDICAL = StaleDataSet("medical_settlement", None)


def said(*stale: StaleDataSet, income_fen: int | None = 100_000) -> dict[str, str]:
    day = date(2025, 12, 31)
    facts = () if income_fen is None else (Fact("income.wage", day, amount_fen=income_fen, period_to=day),)
    household = HouseholdFacts((Member("甲"),), (Fact("state.base_group", day, value="general"), *facts))
    return doubts(PACKAGE, evaluate(PACKAGE, PARAMETERS, household, ON), stale)


def test_a_low_income_from_a_stale_roster_names_the_roster_and_its_day() -> None:
    assert said(ROSTER)["income_below_line"] == (
        "农户花名册数据已过期（最新至 2024-12-31），“人均纯收入低于监测线”暂不能判断。"
    )


def test_data_that_never_came_is_said_to_have_never_come() -> None:
    assert said(MEDICAL)["medical_self_paid"] == "医保结算数据从未报送，“医疗自付费用过高”暂不能判断。"


def test_stale_income_does_not_cast_doubt_on_an_income_that_is_high_enough() -> None:
    assert "income_below_line" not in said(ROSTER, income_fen=100_000_000)


def test_what_is_unknown_anyway_is_not_blamed_on_age() -> None:
    assert "income_below_line" not in said(ROSTER, income_fen=None)


def test_doubt_falls_on_what_the_judges_call_unknown() -> None:
    household = HouseholdFacts((Member("甲"),), (Fact("income.wage", ON, amount_fen=100_000),))
    fresh = evaluate(PACKAGE, PARAMETERS, household, ON)
    stale = evaluate(PACKAGE, PARAMETERS, household, ON, stale=(ROSTER.name, MEDICAL.name))
    assert set(stale.unknown) == {*fresh.unknown, *doubts(PACKAGE, fresh, (ROSTER, MEDICAL))}
