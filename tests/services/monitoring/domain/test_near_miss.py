"""Near misses: on which side of a line, how near, and which lines count up through the year."""

from dataclasses import replace
from datetime import date

import pytest

from services.monitoring.domain.assessment import CLEAR, FIRED, IndicatorResult
from services.monitoring.domain.compiled_columns import decided_columns
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.domain.near_miss import almost_fired, almost_percent, almost_said, is_near, lines_at, unit_of
from services.monitoring.domain.policy import load_policy
from shared.policies.unit import Unit

ON = date(2026, 3, 15)
PACKAGE = load_policy()
PARAMETERS = PACKAGE.parameters_for("130624000000", ON)
LINE = PARAMETERS.number("monitoring_line")
PLAIN = IndicatorResult("x", CLEAR, None, None, "100.00", "100.00", "0.00", "CNY", "national", "")


@pytest.mark.parametrize(
    ("measured", "threshold", "unit", "percent", "near"),
    [
        ("110.00", "100.00", "CNY", 10, True),
        ("110.01", "100.00", "CNY", 10, False),
        ("90.00", "100.00", "CNY", 10, True),
        ("89.99", "100.00", "CNY", 10, False),
        ("100.00", "100.00", "CNY", 0, True),
        ("0.00", "0.00", "CNY", 10, False),
        ("-5.00", "100.00", "CNY", 10, False),
        (None, "100.00", "CNY", 10, False),
        ("100.00", None, "CNY", 10, False),
        ("C", "D", "text", 10, False),
    ],
)
def test_near_is_within_a_share_of_the_line(
    measured: str | None, threshold: str | None, unit: str, percent: int, near: bool
) -> None:
    assert is_near(replace(PLAIN, measured=measured, threshold=threshold, unit=unit), percent) is near


def _assessed(wage: int) -> list[str]:
    household = HouseholdFacts((Member("1"),), (Fact("income.wage", date(2026, 2, 1), "1", amount_fen=wage),))
    return [each.id for each in almost_fired(evaluate(PACKAGE, PARAMETERS, household, ON), 10)]


def test_only_what_did_not_fire_almost_fired() -> None:
    assert "income_below_line" in _assessed(LINE)
    assert "income_below_line" in _assessed(LINE * 11 // 10)
    assert "income_below_line" not in _assessed(LINE * 11 // 10 + 1)
    assert "income_below_line" not in _assessed(LINE - 1)
    assert not almost_fired(replace(evaluate(PACKAGE, PARAMETERS, HouseholdFacts((), ()), ON), indicators=()), 10)


def test_what_almost_fired_is_said_with_its_numbers() -> None:
    one = replace(PLAIN, id="medical_self_paid", measured="9400.00", threshold="10000.00", margin="-600.00")
    said = almost_said([one], PACKAGE)
    label = PACKAGE.indicators[one.id].label_zh
    assert said == f"接近界线而未触发：{label}（实测9400元，界线10000元，相差600元）。"
    assert almost_said([], PACKAGE) == ""
    assert replace(one, state=FIRED).state == FIRED


def test_lines_stand_where_the_outcome_has_them() -> None:
    names = [name for name, _ in decided_columns(PACKAGE)]
    lines = {each.indicator: each for each in lines_at(PACKAGE, PARAMETERS)}
    income, medical = lines["income_below_line"], lines["medical_self_paid"]
    assert names[income.measured_at - 1] == "measured_net_income"
    assert (income.threshold, names[(income.heads_at or 0) - 1]) == (LINE, "members_counted")
    assert names[medical.measured_at - 1] == "measured_medical_self_paid"
    assert names[(medical.threshold_at or 0) - 1] == "threshold_medical_self_paid"
    for each in lines.values():
        assert names[each.fired_at - 1] == "fired"
        assert list(PACKAGE.indicators)[each.fired_bit] == each.indicator


def test_a_pace_is_kept_only_where_all_rules_count_from_new_year() -> None:
    def yearly(county: str) -> bool:
        parameters = PACKAGE.parameters_for(f"{county}000000", ON)
        return next(
            each for each in lines_at(PACKAGE, parameters) if each.indicator == "medical_self_paid"
        ).grows_through_year

    windows = {
        county: {each.window for each in PACKAGE.parameters_for(f"{county}000000", ON).rules("medical_rules")}
        for county in ("130624", "130727", "130728")
    }
    assert {county: yearly(county) for county in windows} == {
        county: found == {"year_to_date"} for county, found in windows.items()
    }
    assert True in map(yearly, windows)
    assert False in map(yearly, windows)
    assert not any(
        each.grows_through_year for each in lines_at(PACKAGE, PARAMETERS) if each.indicator == "income_below_line"
    )


def test_a_line_has_the_unit_of_its_parameter() -> None:
    assert unit_of(PACKAGE, PACKAGE.indicators["income_below_line"]) is Unit.CNY_PER_PERSON_YEAR
    assert unit_of(PACKAGE, PACKAGE.indicators["medical_self_paid"]) is Unit.CNY


def test_how_near_is_ten_percent_unless_the_package_says_otherwise() -> None:
    assert almost_percent(PARAMETERS) == 10
