"""Stale data is named where it leaves an indicator open."""

from datetime import date

from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.staleness import (
    StaleDataSet,
    blockers_in_doubt,
    doubts,
    doubts_said,
    stale_data_sets,
)

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


TODAY = date(2026, 3, 15)
ALL_CAME = dict.fromkeys(PACKAGE.data_sets, TODAY)


def late(newest: dict[str, date]) -> dict[str, date | None]:
    found = stale_data_sets(PACKAGE, newest, TODAY, PARAMETERS.number)
    return {each.name: each.newest_on for each in found}


def test_what_never_came_is_stale_and_what_came_is_until_its_days_are_over() -> None:
    assert late(ALL_CAME) == {}
    assert late({}) == dict.fromkeys(PACKAGE.data_sets)
    on_the_day, too_late = date(2026, 1, 12), date(2026, 1, 11)
    assert late({**ALL_CAME, "accidents": on_the_day}) == {}
    assert late({**ALL_CAME, "accidents": too_late}) == {"accidents": too_late}


def test_another_data_set_that_brings_the_same_stands_in() -> None:
    own = {"housing_grades": None, "water_supply": None}
    visits = {"household_visit": None, "household_visit_general": None}
    without = {name: day for name, day in ALL_CAME.items() if name not in {**own, **visits}}
    assert late(without) == {"water_supply": None, **visits}
    for visit in visits:
        assert late({**without, visit: TODAY}).keys() == visits.keys() - {visit}


def test_every_indicator_that_may_say_no_names_the_data_it_knows_that_from() -> None:
    """Income below the line is worse when less: there it is `fired` that needs data. A report comes to us itself."""
    without = {name for name, each in PACKAGE.indicators.items() if not each.clear_needs}
    assert without == {"income_below_line", "hardship_report"}
    assert PACKAGE.indicators["income_below_line"].fired_needs == {"household_register"}
    assert all(each.clear_needs for each in PACKAGE.exclusions)


def test_all_that_never_came_is_said_in_one_sentence() -> None:
    household = HouseholdFacts((Member("甲"),), ())
    assessment = evaluate(PACKAGE, PARAMETERS, household, ON)
    stale = (StaleDataSet("accidents", None), StaleDataSet("deaths", None), StaleDataSet("disasters", TODAY))
    assert doubts_said(PACKAGE, assessment, stale) == [
        "灾情数据已过期（最新至 2026-03-15），“自然灾害”暂不能判断。",
        "意外事故、死亡与服刑数据从未报送，“意外事故”“失去挣钱的人”暂不能判断。",
    ]


def test_only_blockers_that_ask_of_indicators_are_put_in_doubt() -> None:
    names = [each.name for each in PACKAGE.removal_blockers]

    def standing(*unknown: str) -> list[str]:
        return [names[position] for position in blockers_in_doubt(PACKAGE, unknown, ())]

    assert standing() == []
    assert standing("water_unsafe") == ["open_finding"]
    assert standing("accident", "reference_income_below_line") == []
