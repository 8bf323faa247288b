"""POST /evaluations over HTTP: who may, what is refused and how, and that no database is asked."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.services.monitoring.trial import ABSENT, Change, asked, bill, fact, given, home, person, trial, water

PATH = "/monitoring/v1/evaluations"
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
def ask(monitoring_client: httpx.AsyncClient, bearer: Bearer) -> Callable[..., Any]:
    async def post(*changes: Change) -> httpx.Response:
        return await monitoring_client.post(PATH, json=trial(*changes), headers=bearer("county_admin"))

    return post


async def test_an_evaluation_is_answered(ask: Callable[..., Any]) -> None:
    response = await ask()
    assert response.status_code == 200, response.text
    assert response.json()["recommendation"] is None


async def test_it_needs_the_scope(monitoring_client: httpx.AsyncClient, bearer: Bearer) -> None:
    assert (await monitoring_client.post(PATH, json=trial())).status_code == 401
    refused = await monitoring_client.post(PATH, json=trial(), headers=bearer("grid_worker"))
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


async def test_no_connection_is_taken(
    ask: Callable[..., Any], monitoring_runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring_runtime, "pool", None)
    assert (await ask()).status_code == 200


RULE = {
    "scope": "household",
    "window": "year_to_date",
    "visits": ["inpatient"],
    "groups": ["general"],
    "threshold_yuan": "10000.00",
}

REFUSED: list[tuple[str, tuple[Change, ...], str, str]] = [
    ("金额写成数字", (fact("income.wage", amount_yuan=7100),), "string_type", "amount_yuan"),
    ("参数金额写成数字", (given(monitoring_line=7300),), "parameter_refused", "monitoring_line"),
    ("三位小数", (fact("income.wage", amount_yuan="1.001"),), "money_format", "amount_yuan"),
    ("负数", (fact("income.wage", amount_yuan="-1.00"),), "negative_amount", "amount_yuan"),
    ("没有金额", (fact("income.wage"),), "missing", "amount_yuan"),
    ("顶层多出字段", (asked(extra=1),), "extra_forbidden", "extra"),
    ("事实多出字段", (fact("income.wage", amount_yuan="1.00", visit="inpatient"),), "extra_forbidden", "visit"),
    ("成员多出字段", (person(name="张三"),), "extra_forbidden", "name"),
    ("没有这种事实", (fact("income.lottery", amount_yuan="1.00"),), "fact_kind_unknown", "facts/1"),
    ("事实晚于认定日期", (fact("income.wage", "2024-03-16", amount_yuan="1.00"),), "after_evaluation", "occurred_on"),
    ("自付超过总费用", (bill("600.00", other="400.01", gross_yuan="1000.00"),), "self_paid_over_gross", "gross_yuan"),
    ("医疗没有写明谁", (fact("expense.medical", member=None),), "string_type", "member"),
    ("没有这个成员", (fact("event.job_loss", member="m9"),), "member_unknown", "member"),
    ("成员重复", (home(members=[{"key": "a", "status": "living"}] * 2),), "member_repeated", "members/1/key"),
    ("没有这个监测类型", (home(monitored_as="poor"),), "class_unknown", "household/monitored_as"),
    (
        "没有这样的省，就没有监测线",
        (asked(division="990000000000", parameters={}),),
        "parameter_unknown",
        "monitoring_line",
    ),
    ("百分数不是整数", (given(wage_drop_percent=30.5),), "parameter_refused", "wage_drop_percent"),
    ("没有成员", (home(members=[]),), "too_short", "members"),
    (
        "成员太多",
        (home(members=[{"key": f"m{number}", "status": "living"} for number in range(61)]),),
        "too_long",
        "members",
    ),
    ("没有区划也没有线", (asked(division=None), asked(parameters={})), "place_or_line_missing", "division"),
    (
        "期间只写一半",
        (fact("income.property", amount_yuan="1.00", period_to="2023-01-01"),),
        "period_incomplete",
        "period",
    ),
    (
        "期间颠倒",
        (fact("income.property", amount_yuan="1.00", period_from="2023-02-01", period_to="2023-01-01"),),
        "period_reversed",
        "period_to",
    ),
    ("没有这个参数", (given(monitoring_lime="7300.00"),), "parameter_refused", "monitoring_lime"),
    ("参数超出上下限", (given(monitoring_line="1.00"),), "parameter_refused", "monitoring_line"),
    ("参数不在取值中", (given(water_standard="1949"),), "parameter_refused", "water_standard"),
    ("医疗规则不完整", (given(medical_rules=[{"scope": "household"}]),), "parameter_refused", "medical_rules"),
    ("没有这个政策版本", (asked(policy="national-1949"),), "policy_version_unknown", "policy"),
    ("那时还没有线", (asked(on="2019-06-01", parameters={}, facts=[]),), "parameter_unknown", "monitoring_line"),
    ("升数写成文本", (water(litres_per_person_day="45"),), "float_type", "litres"),
    ("是否写成数字", (person(shares_budget=1),), "bool_type", "shares_budget"),
    ("认定日期太早", (asked(on="1989-12-31", facts=[]),), "day_out_of_range", "on"),
    ("不是真实日期", (asked(on="2024-02-30"),), "date_from_datetime_parsing", "on"),
    ("没有户类型", (home(base_group=ABSENT),), "missing", "base_group"),
    ("不认识的状态", (person(status="asleep"),), "literal_error", "status"),
    ("健在却写了去世日期", (person(died_on="2023-01-01"),), "not_deceased", "died_on"),
    ("身份证号不得写入", (fact("event.accident", detail="999901195503074016"),), "identity_number_in_text", "detail"),
]


@pytest.mark.parametrize(("name", "changes", "code", "where"), REFUSED, ids=[each[0] for each in REFUSED])
async def test_what_is_wrong_is_refused_by_name(
    ask: Callable[..., Any], name: str, changes: tuple[Change, ...], code: str, where: str
) -> None:
    response = await ask(*changes)
    assert response.status_code == 422, response.text
    errors = response.json()["errors"]
    assert [each for each in errors if each["code"] == code and where in each["where"]], errors
    assert all(max(each["message"]) >= "一" for each in errors), errors


ACCEPTED: list[tuple[str, tuple[Change, ...]]] = [
    ("资助可以超过学费", (fact("expense.education", amount_yuan="1.00", aid_yuan="5.00"),)),
    ("救助可以超过支出", (fact("expense.disaster", amount_yuan="1.00", relief_yuan="5.00"),)),
    ("金额为零", (fact("income.wage", amount_yuan="0.00"),)),
    ("自付之和恰好等于总费用", (bill("600.00", other="400.00", gross_yuan="1000.00"),)),
    ("事实就在当天", (fact("event.accident", "2024-03-15"),)),
    ("没有任何事实", (asked(facts=[]),)),
    ("六十名成员", (home(members=[{"key": f"m{number}", "status": "living"} for number in range(60)]),)),
    ("没有区划，给了监测线", (asked(division=ABSENT),)),
    ("没有这样的省，但给了监测线", (asked(division="990000000000"),)),
    ("参数为空", (asked(parameters=None),)),
    ("整数写作小数", (given(wage_drop_percent=30.0),)),
    ("规则里可选的写作空", (given(medical_rules=[{**RULE, "counts": None, "inclusive": None}]),)),
    ("来源与核实", (fact("income.wage", amount_yuan="1.00", source="hotline", verified=True),)),
]


@pytest.mark.parametrize(("name", "changes"), ACCEPTED, ids=[each[0] for each in ACCEPTED])
async def test_what_is_allowed_is_answered(ask: Callable[..., Any], name: str, changes: tuple[Change, ...]) -> None:
    response = await ask(*changes)
    assert response.status_code == 200, response.text


async def test_the_place_of_a_mistake_is_where_the_caller_wrote_it(ask: Callable[..., Any]) -> None:
    response = await ask(fact("income.wage", amount_yuan=7100))
    assert [each["where"] for each in response.json()["errors"]] == ["body/facts/1/amount_yuan"]
    response = await ask(fact("income.wage"))
    assert [each["where"] for each in response.json()["errors"]] == ["body/facts/1/amount_yuan"]


async def test_the_same_version_may_be_asked_for_by_name(ask: Callable[..., Any]) -> None:
    version = (await ask()).json()["policy"]["version"]
    assert (await ask(asked(policy=version))).json()["policy"]["version"] == version


async def test_the_examples_in_the_document_are_true(monitoring_client: httpx.AsyncClient, bearer: Bearer) -> None:
    document = (await monitoring_client.get("/monitoring/openapi.json")).json()
    schemas = document["components"]["schemas"]
    response = await monitoring_client.post(
        PATH, json=schemas["EvaluationRequest"]["example"], headers=bearer("county_admin")
    )
    found, shown = response.json(), schemas["Evaluation"]["example"]
    assert found.keys() == shown.keys()
    for name in ("indicators", "exclusions"):
        assert [each for each in found[name] if each["id"] == shown[name][0]["id"]] == shown.pop(name)
    assert found["explanation"].startswith(shown.pop("explanation"))
    line = shown.pop("policy")["parameters_used"]["monitoring_line"]
    assert found["policy"]["parameters_used"]["monitoring_line"] == line
    assert {name: found[name] for name in shown} == shown
