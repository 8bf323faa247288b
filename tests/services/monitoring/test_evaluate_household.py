"""A trial evaluation means what the contract says: every rule on both sides of its boundary."""

from typing import Any

import pytest

from services.monitoring.evaluate_household import evaluate_household
from services.monitoring.schemas_evaluations import EvaluationRequest
from tests.services.monitoring.trial import (
    ABSENT,
    CONTRACT,
    Change,
    Request,
    asked,
    bill,
    fact,
    given,
    home,
    person,
    trial,
    wage,
)
from tests.services.monitoring.trial_cases import CASES, POOR, TrialCase, rule

KEYS = [
    "recommendation",
    "recommendation_without_exclusions",
    "severity",
    "score",
    "window",
    "members_counted",
    "net_income_per_capita_yuan",
    "reference_income_per_capita_yuan",
    "forward_income_per_capita_yuan",
    "rigid_outlay_yuan",
    "causes",
    "indicators",
    "exclusions",
    "flags",
    "quality_flags",
    "civil_affairs",
    "removal_blockers",
    "unknown",
    "confidence",
    "policy",
    "explanation",
]
INDICATORS = {
    "income_below_line",
    "reference_income_below_line",
    "medical_self_paid",
    "education_cost",
    "disability",
    "serious_illness",
    "accident",
    "disaster",
    "job_loss",
    "wage_drop",
    "business_failure",
    "no_labour",
    "dwelling_unsafe",
    "water_unsafe",
    "not_insured",
    "dropout",
    "loan_overdue",
    "hardship_report",
    "earner_lost",
}


def answer(request: Request) -> dict[str, Any]:
    """The evaluation as it is sent."""
    body = EvaluationRequest.model_validate(request)
    return evaluate_household(body).model_dump(mode="json", by_alias=True)


def of(*changes: Change) -> dict[str, Any]:
    return answer(trial(*changes))


def indicator(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in found["indicators"] if each["id"] == name)


def met(found: dict[str, Any], name: str, expected: Any) -> Any:
    """What the answer says where the expectation looks, put so that it equals the expectation if met."""
    if name in INDICATORS:
        return indicator(found, name)["state"]
    listed = {"flag": "flags", "blocker": "removal_blockers", "hint": "civil_affairs"}
    kind = name.removeprefix("no_")
    if kind in listed:
        told = [each["id"] if isinstance(each, dict) else each for each in found[listed[kind]]]
        return expected if (expected in told) is not name.startswith("no_") else told
    if name == "exclusion":
        states = {each["id"]: (each["state"], each["exempt"]) for each in found["exclusions"]}
        return {each: states.get(each) for each in expected}
    return found[name]


@pytest.mark.parametrize("case", CASES, ids=lambda each: each.name)
def test_every_rule_on_both_sides(case: TrialCase) -> None:
    found = of(*case.changes)
    assert {name: met(found, name, expected) for name, expected in case.expected.items()} == case.expected


def test_the_contracts_example() -> None:
    found = answer(CONTRACT)
    assert list(found) == KEYS
    plain = {name: found[name] for name in KEYS if name not in {"indicators", "exclusions", "policy", "explanation"}}
    assert plain == {
        "recommendation": "marginal_at_risk",
        "recommendation_without_exclusions": "marginal_at_risk",
        "severity": "yellow",
        "score": 30,
        "window": {"from": "2023-03-01", "to": "2024-02-29"},
        "members_counted": 1,
        "net_income_per_capita_yuan": "7100.00",
        "reference_income_per_capita_yuan": "3900.00",
        "forward_income_per_capita_yuan": "7100.00",
        "rigid_outlay_yuan": "3200.00",
        "causes": ["illness"],
        "flags": ["budget_share_assumed"],
        "quality_flags": [],
        "civil_affairs": [],
        "removal_blockers": [],
        "unknown": [],
        "confidence": 1.0,
    }


def test_the_examples_indicators_exclusions_and_policy() -> None:
    found = answer(CONTRACT)
    assert found["indicators"][0] == {
        "id": "income_below_line",
        "state": "fired",
        "cause": None,
        "severity": None,
        "measured": "7100.00",
        "threshold": "7300.00",
        "unit": "CNY/person/year",
        "margin": "-200.00",
        "decided_by": "request",
        "sentence": "家庭人均纯收入7100元，低于监测线7300元。",
    }
    assert {"id": "vehicle", "state": "clear", "exempt": False, "reason": None} in found["exclusions"]
    used = found["policy"]["parameters_used"]
    assert used["monitoring_line"]["value"] == "7300.00"
    assert used["monitoring_line"]["decided_by"] == "request"
    assert used["count_unsold"]["value"] is False
    assert {"value", "since", "decided_by", "source"} <= used["near_line_percent"].keys()
    assert "边缘易致贫户" in found["explanation"]


def test_every_indicator_and_exclusion_of_the_contract_is_listed() -> None:
    found = of()
    assert {each["id"] for each in found["indicators"]} >= INDICATORS
    exclusions = {"vehicle", "dwelling_bought", "company", "public_employee", "deposit"}
    assert {each["id"] for each in found["exclusions"]} == exclusions


def test_the_rule_overstepped_most_is_the_one_that_is_told() -> None:
    rules = [
        {"scope": "household", "window": "year_to_date", "groups": ["general"], "threshold_yuan": "9000.00"},
        {"scope": "person", "window": "year_to_date", "groups": ["general"], "threshold_yuan": "5000.00"},
    ]
    visits = ["inpatient", "outpatient", "chronic_outpatient"]
    found = of(bill("10000.00"), given(medical_rules=[{**each, "visits": visits} for each in rules]))
    told = indicator(found, "medical_self_paid")
    assert (told["measured"], told["threshold"], told["margin"]) == ("10000.00", "5000.00", "5000.00")
    assert (told["unit"], told["decided_by"]) == ("CNY", "request")


def test_no_applicable_rule_is_clear_without_numbers() -> None:
    told = indicator(of(bill("90000.00"), rule(groups=["lifted_out"])), "medical_self_paid")
    assert (told["state"], told["measured"], told["threshold"], told["margin"]) == ("clear", None, None, None)


def test_medical_rules_are_echoed_as_given() -> None:
    used = of(rule(window="month", visits=["outpatient"]))["policy"]["parameters_used"]["medical_rules"]
    assert used["decided_by"] == "request"
    [echoed] = used["value"]
    assert (echoed["window"], echoed["visits"], echoed["threshold_yuan"]) == ("month", ["outpatient"], "10000.00")


def test_a_household_known_only_by_name_is_mostly_unknown_and_never_condemned() -> None:
    bare = {"key": "m1", "status": "living"}
    found = of(home(members=[bare], dwelling=ABSENT, water=ABSENT))
    for name in ("dwelling_unsafe", "water_unsafe", "not_insured", "disability", "no_labour", "dropout"):
        assert indicator(found, name)["state"] == "unknown", name
        assert name in found["unknown"]
    assert found["recommendation"] is None
    assert found["confidence"] < 1
    assert round(found["confidence"], 2) == found["confidence"]


def test_causes_are_at_most_five() -> None:
    found = of(
        POOR,
        person(health=["serious"], disability={"types": [4], "grade": 1}, labour="none"),
        fact("event.accident"),
        fact("event.disaster", hazard="flood"),
        fact("event.job_loss"),
        fact("event.business_failure"),
        home(dwelling={"grade": "C", "occupied_grade": "C", "only_dwelling": True}),
    )
    assert len(found["causes"]) == 5


def test_an_exclusion_tells_its_reason_only_when_it_is_hit() -> None:
    found = of(fact("asset.company", state="active"), fact("asset.dwelling_bought", dwelling="resettlement"))
    told = {each["id"]: each["reason"] for each in found["exclusions"]}
    assert told["company"]
    assert told["dwelling_bought"]
    assert told["vehicle"] is None
    assert told["company"].rstrip("。") in found["explanation"]


def test_hints_for_civil_affairs_carry_their_numbers() -> None:
    found = of(wage("8000.00"), given(dibao_standard_month="500.00"))
    [hint] = [each for each in found["civil_affairs"] if each["id"] == "dibao_edge"]
    assert hint["label"]
    assert "8000.00" in hint["numbers"].values()


def test_the_regime_changes_on_the_day_it_is_said_to() -> None:
    place = asked(division="130728100201", parameters={})
    poor = (place, POOR, person(health=["serious"]), fact("income.wage", "2025-06-01", amount_yuan="1.00"))
    before, after = of(*poor, asked(on="2025-12-31")), of(*poor, asked(on="2026-01-01"))
    assert before["recommendation"] == "marginal_at_risk"
    assert after["recommendation"] == "at_risk_of_poverty"
    assert before["policy"]["version"] != after["policy"]["version"]
    assert "防止返贫致贫对象" in after["explanation"]
