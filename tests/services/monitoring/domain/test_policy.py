"""The shipped package says what the regulation says, and where its numbers come from."""

import dataclasses
from datetime import date

import pytest

from services.monitoring.domain.policy import load_policy, next_change_on, policy_at
from services.monitoring.domain.region_reader import read_variant
from shared.policies import ParameterSet, ParameterUnknown, load_package
from shared.policies.package import packages_in, read_variants
from shared.policies.parameter import ParameterRefused
from shared.policies.unit import Unit
from shared.vocabulary.terms import Cause, RiskClass, Severity

ON = date(2026, 3, 15)
FUPING, YANGYUAN, EXAMPLE, ELSEWHERE = "130624100201", "130727100201", "130728100201", "130625100201"

CONTRACT_PARAMETERS = """
monitoring_line line_inclusive count_unsold count_one_off count_land_compensation deduct_away_work_cost medical_rules
rural_income_last_year education_threshold education_inclusive vehicle_limit deposit_limit_months dibao_standard_month
exempt_on_sudden water_standard dibao_ignore_basic_pension rigid_ratio outlay_until sudden_causes sudden_outlay_share
sudden_on_income_drop risks_below_line chronic_burden_yuan wage_drop_percent exclusion_effect near_line_percent
transfer_share_percent removal_months income_profile
"""
CONTRACT_INDICATORS = """
income_below_line reference_income_below_line medical_self_paid education_cost disability serious_illness accident
disaster job_loss wage_drop business_failure no_labour dwelling_unsafe water_unsafe not_insured dropout loan_overdue
hardship_report earner_lost
"""


def _parameters(division: str, on: date = ON) -> ParameterSet:
    return load_policy().parameters_for(division, on)


def test_package_is_found_by_date() -> None:
    assert load_package(ON).name == "national"


def test_version_names_the_package_and_its_content() -> None:
    package = load_policy()
    assert package.version.startswith("national-2026.2+")
    assert package is load_policy()


def test_names_are_those_of_the_contract() -> None:
    package = load_policy()
    assert package.parameters.keys() >= set(CONTRACT_PARAMETERS.split())
    assert set(package.indicators) == set(CONTRACT_INDICATORS.split())
    assert [each.name for each in package.exclusions] == [
        "vehicle",
        "dwelling_bought",
        "company",
        "public_employee",
        "deposit",
    ]
    assert [each.name for each in package.civil_affairs] == ["dibao_edge", "single_person_dibao", "rigid_expenditure"]
    assert len(package.quality_flags) >= 12


def test_causes_stand_in_the_order_of_the_vocabulary() -> None:
    causes = [each.cause for each in load_policy().causes]
    assert causes == [each for each in Cause if each in causes]


def test_fuping_decides_its_own_medical_rule_from_a_date() -> None:
    now, before = _parameters(FUPING), _parameters(FUPING, date(2020, 12, 31))
    assert [each.threshold_fen for each in now.rules("medical_rules")] == [1_000_000, 500_000]
    assert [each.threshold_fen for each in before.rules("medical_rules")] == [2_000_000, 500_000]
    assert now["medical_rules"].decided_by == "130624"
    assert _parameters(ELSEWHERE)["medical_rules"].decided_by == "national"
    assert load_policy().place_name("130624") == "阜平县"


def test_counting_basis_of_fuping_is_marked_unverified() -> None:
    value = _parameters(FUPING)["medical_rules"]
    assert not value.verified
    assert "计算口径" in value.source


def test_yangyuan_takes_a_share_of_last_years_rural_income() -> None:
    rules = _parameters(YANGYUAN).rules("medical_rules")
    assert [(each.groups, each.share_basis) for each in rules] == [
        (frozenset(("lifted_out",)), 5_000),
        (frozenset(("general",)), 10_000),
    ]


def test_every_published_shape_of_medical_rule_is_shipped() -> None:
    package = load_policy()
    variants = read_variants()
    assert sorted(variants) == ["130624_rolling_12m", "monthly_outpatient", "single_stay"]
    windows = {each.window for each in package.rule_shapes}
    for node in variants.values():
        parameters = read_variant(node, package.parameters)
        windows |= {each.window for each in dataclasses.replace(package, parameters=parameters).rule_shapes}
    assert windows == {"year_to_date", "rolling_12m", "month", "single_stay"}


def test_regime_of_a_county_starts_on_its_day() -> None:
    before, after = policy_at(EXAMPLE, date(2025, 12, 31)), policy_at(EXAMPLE, date(2026, 1, 1))
    assert before is load_policy()
    assert after is load_policy("one_class")
    assert policy_at(ELSEWHERE, ON) is load_policy()
    assert next_change_on(before, date(2025, 12, 15), division=EXAMPLE) == date(2026, 1, 1)


def test_one_class_replaces_only_the_classes() -> None:
    one, national = load_policy("one_class"), load_policy()
    assert {each.code for each in one.classes if each.code} == {"at_risk_of_poverty"}
    assert one.label("at_risk_of_poverty") == "防止返贫致贫对象"
    assert one.indicators == national.indicators
    assert one.version != national.version


def test_regime_is_among_the_shipped_packages() -> None:
    assert packages_in() == ("national", "one_class")


def test_birthdays_that_matter_change_the_answer() -> None:
    package = load_policy()
    assert {16, 60} <= set(package.ages_read)
    births = [date(2010, 3, 20)]
    assert next_change_on(package, ON, division=FUPING, births=births) == date(2026, 3, 20)


def test_request_overrides_lists_flags_and_money() -> None:
    rule = {"scope": "person", "window": "month", "visits": ["outpatient"], "groups": ["general"]}
    changes = {
        "monitoring_line": "7300.00",
        "count_unsold": False,
        "wage_drop_percent": 40,
        "sudden_outlay_share": 0.25,
        "sudden_causes": ["disaster", "illness"],
        "medical_rules": [{**rule, "share_of_rural_income": 0.5}],
    }
    parameters = _parameters(FUPING).override(changes)
    assert parameters.number("monitoring_line") == 730_000
    assert parameters.number("sudden_outlay_share") == 2_500
    assert parameters.texts("sudden_causes") == ("illness", "disaster")
    assert parameters["medical_rules"].decided_by == "request"
    assert parameters["medical_rules"].as_data()["value"] == [
        {**rule, "counts": "compliant", "share_of_rural_income": 0.5, "inclusive": False}
    ]


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("monitoring_line", 7300, "应是一段文字"),
        ("monitoring_line", "7300.005", "金额应为"),
        ("monitoring_line", "1.00", "应在 1000.00 与 100000.00 之间"),
        ("line_inclusive", "maybe", "应为 true 或 false"),
        ("wage_drop_percent", 30.5, "应为整数"),
        ("wage_drop_percent", True, "应为整数"),
        ("sudden_causes", "illness", "应是列表"),
        ("sudden_causes", ["luck"], "只可取 illness"),
        ("medical_rules", [{}], "缺少字段 scope"),
        ("medical_rules", ["strict"], "每条规则是一个映射"),
        ("poverty_line", "1.00", "没有名为 poverty_line 的参数"),
    ],
)
def test_bad_override_is_refused(name: str, given: object, words: str) -> None:
    with pytest.raises(ParameterRefused, match=words):
        _parameters(FUPING).override({name: given})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scope": "village"}, "scope 只可取"),
        ({"visits": []}, "visits 是不重复的列表"),
        ({"visits": ["inpatient", "inpatient"]}, "visits 是不重复的列表"),
        ({"groups": ["everybody"]}, "groups 只可取"),
        ({"threshold_yuan": 5000}, "threshold_yuan 是以元为单位的文字"),
        ({"threshold_yuan": "-1.00"}, "threshold_yuan 是以元为单位的文字"),
        ({"threshold_yuan": None, "share_of_rural_income": 11}, "不超过 10"),
        ({"threshold_yuan": None, "share_of_rural_income": True}, "最多四位小数"),
        ({"inclusive": 1}, "inclusive 只可取"),
        ({"counts": "gross"}, "counts 只可取"),
    ],
)
def test_bad_medical_rule_is_refused(change: dict[str, object], words: str) -> None:
    rule = {"scope": "person", "window": "month", "visits": ["outpatient"], "groups": ["general"]}
    with pytest.raises(ParameterRefused, match=words):
        _parameters(FUPING).override({"medical_rules": [{**rule, "threshold_yuan": "1.00", **change}]})


def test_time_before_the_regime_has_no_line() -> None:
    with pytest.raises(ParameterUnknown, match="2019-12-31"):
        load_policy().parameters_for(FUPING, date(2019, 12, 31))


def test_every_value_has_a_source_and_invented_ones_are_not_verified() -> None:
    for parameter in load_policy().parameters.values():
        for value in (each for values in parameter.values.values() for each in values):
            assert value.source
            assert not (value.verified and "示例" in value.source)


def test_clocks_tighten_with_severity() -> None:
    package = load_policy()
    parameters = package.parameters_for(FUPING, ON)
    clocks = [package.clocks(each, parameters) for each in Severity]
    assert [each.acknowledge_hours for each in clocks] == [24, 72, 120, 720]
    assert [each.verify_days for each in clocks] == [3, 7, 10, 30]
    assert {(each.acknowledge_unit, each.verify_unit) for each in clocks} == {(Unit.HOURS, Unit.DAYS)}


def test_clocks_may_run_in_working_time() -> None:
    package = load_policy()
    hours, days = (package.parameters[name] for name in ("acknowledge_hours_red", "verify_days_red"))
    parameters = {
        **package.parameters,
        hours.name: dataclasses.replace(hours, unit=Unit.WORKING_HOURS),
        days.name: dataclasses.replace(days, unit=Unit.WORKING_DAYS),
    }
    working = dataclasses.replace(package, parameters=parameters)
    clocks = working.clocks(Severity.RED, working.parameters_for(FUPING, ON))
    assert (clocks.acknowledge_hours, clocks.acknowledge_unit) == (24, Unit.WORKING_HOURS)
    assert (clocks.verify_days, clocks.verify_unit) == (3, Unit.WORKING_DAYS)


def test_class_codes_are_those_of_the_vocabulary() -> None:
    package = load_policy()
    assert {each.code for each in package.classes if each.code} == set(RiskClass)
    assert [package.label(each) for each in RiskClass] == [each.zh for each in RiskClass]
    assert package.label("another_regime") == "another_regime"
