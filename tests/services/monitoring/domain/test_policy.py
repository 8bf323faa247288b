"""The shipped package says what the regulation says, and where its numbers come from."""

from datetime import date

import pytest

from services.monitoring.domain.policy import load_policy
from shared.policies import ParameterUnknown, load_package
from shared.vocabulary.terms import RiskClass, Severity

ON = date(2026, 3, 15)


def test_package_is_found_by_date() -> None:
    assert load_package(ON).name == "national"


def test_version_names_the_package_and_its_content() -> None:
    package = load_policy()
    assert package.version.startswith("national-2026.1+")
    assert package is load_policy()


def test_fuping_decides_its_own_medical_limit_from_a_date() -> None:
    package = load_policy()
    now = package.parameters_for("130624100201", ON)["medical_limit_general"]
    before = package.parameters_for("130624100201", date(2020, 12, 31))["medical_limit_general"]
    elsewhere = package.parameters_for("130625100201", ON)["medical_limit_general"]
    assert (now.value, now.decided_by) == (1_000_000, "130624")
    assert (before.value, before.decided_by) == (2_000_000, "130624")
    assert (elsewhere.value, elsewhere.decided_by) == (2_000_000, "national")
    assert package.place_name("130624") == "阜平县"


def test_counting_basis_of_fuping_is_marked_unverified() -> None:
    assert not load_policy().parameters_for("130624100201", ON)["medical_counts"].verified


def test_time_before_the_regime_has_no_line() -> None:
    with pytest.raises(ParameterUnknown, match="2019-12-31"):
        load_policy().parameters_for("130624100201", date(2019, 12, 31))


def test_every_value_has_a_source() -> None:
    for parameter in load_policy().parameters.values():
        assert all(value.source for values in parameter.values.values() for value in values)


def test_clocks_tighten_with_severity() -> None:
    package = load_policy()
    parameters = package.parameters_for("130624100201", ON)
    clocks = [package.clocks(each, parameters) for each in Severity]
    assert [each.acknowledge_hours for each in clocks] == [24, 72, 120, 720]
    assert [each.verify_days for each in clocks] == [3, 7, 10, 30]


def test_class_codes_are_those_of_the_vocabulary() -> None:
    package = load_policy()
    assert {each.code for each in package.classes if each.code} == set(RiskClass)
    assert [package.label(each) for each in RiskClass] == [each.zh for each in RiskClass]
    assert package.label("another_regime") == "another_regime"
