"""What holds of every trial evaluation, on generated households."""

import contextlib
import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.monitoring.domain.policy import load_policy
from services.monitoring.evaluate_household import evaluate_household
from services.monitoring.schemas_evaluations import EvaluationRequest
from shared.errors import Unprocessable
from tests.services.monitoring.trial import LINE, Request

DAYS = [
    "2022-09-14",
    "2023-02-28",
    "2023-03-01",
    "2023-12-31",
    "2024-01-01",
    "2024-02-29",
    "2024-03-01",
    "2024-03-15",
]
AMOUNTS = ["0.00", "0.01", "999.99", "1000.00", "7299.99", "7300.00", "10000.01", "20000.00"]
INCOMES = ("income.wage", "income.business_sales", "income.property", "income.transfer_regular")
MEMBER_EVENTS = ("event.serious_illness", "event.job_loss", "event.death", "event.disability_certified")
HOUSEHOLD_EVENTS = ("event.accident", "event.disaster", "event.business_failure", "event.hardship_report")
PARAMETERS = sorted(load_policy().parameters)
INCOME_INDICATORS = ("income_below_line", "reference_income_below_line")

day, amount, key = st.sampled_from(DAYS), st.sampled_from(AMOUNTS), st.sampled_from(["m1", "m2", "m3"])


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def without_nulls(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


incomes = st.fixed_dictionaries(
    {"kind": st.sampled_from(INCOMES), "occurred_on": day, "amount_yuan": amount, "member": key}
)
bills = st.fixed_dictionaries(
    {
        "kind": st.just("expense.medical"),
        "occurred_on": day,
        "member": key,
        "visit": maybe(st.sampled_from(["inpatient", "outpatient"])),
        "stay": maybe(st.sampled_from(["s1", "s2"])),
        "self_paid_compliant_yuan": maybe(amount),
        "self_paid_other_yuan": maybe(amount),
    }
).map(without_nulls)
outlays = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["expense.disaster", "expense.accident", "expense.rehabilitation"]),
        "occurred_on": day,
        "amount_yuan": amount,
        "relief_yuan": maybe(amount),
    }
).map(without_nulls)
member_events = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(MEMBER_EVENTS),
        "occurred_on": day,
        "member": key,
        "verified": maybe(st.booleans()),
        "source": maybe(st.sampled_from(["department", "visit", "self_report", "hotline"])),
    }
).map(without_nulls)
household_events = st.fixed_dictionaries(
    {"kind": st.sampled_from(HOUSEHOLD_EVENTS), "occurred_on": day, "verified": maybe(st.booleans())}
).map(without_nulls)
drops = st.fixed_dictionaries(
    {"kind": st.just("event.wage_drop"), "occurred_on": day, "member": key, "percent": maybe(st.integers(0, 100))}
).map(without_nulls)
assets = st.fixed_dictionaries(
    {
        "kind": st.just("asset.vehicle"),
        "occurred_on": day,
        "purpose": maybe(st.sampled_from(["private", "operating"])),
        "value_yuan": maybe(amount),
    }
).map(without_nulls)
facts = st.lists(
    st.one_of(incomes, bills, outlays, member_events, household_events, drops, assets), min_size=0, max_size=8
)

OPTIONAL_OF_MEMBER = {
    "birth_date": st.sampled_from(["1950-01-01", "1980-05-05", "2012-09-01", "2017-08-31"]),
    "shares_budget": st.booleans(),
    "health": st.sampled_from([["healthy"], ["chronic"], ["serious"]]),
    "disability": st.sampled_from([None, {"types": [4], "grade": 1}, {"types": [6], "grade": 3}]),
    "labour": st.sampled_from(["ordinary", "weak", "lost", "none"]),
    "insured": st.sampled_from([{"resident": True}, {"resident": False, "employee": False}, {"resident": False}]),
    "school": st.sampled_from(
        [{"in_school": True}, {"in_school": False}, {"in_school": False, "home_teaching": True}]
    ),
    "public_employee": st.booleans(),
}


def members() -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.fixed_dictionaries(
        {"status": st.sampled_from(["living", "long_term_away", "missing"])}, optional=OPTIONAL_OF_MEMBER
    )
    return st.tuples(one, one, one).map(
        lambda found: [{"key": f"m{number}", **each} for number, each in enumerate(found, 1)]
    )


requests = st.fixed_dictionaries(
    {
        "on": st.just("2024-03-15"),
        "division": st.just("130624100201"),
        "parameters": st.sampled_from([{"monitoring_line": LINE}, {"monitoring_line": LINE, "count_unsold": True}]),
        "household": st.fixed_dictionaries(
            {"base_group": st.sampled_from(["general", "lifted_out"]), "members": members()},
            optional={
                "monitored_as": st.sampled_from([None, "marginal_at_risk"]),
                "dwelling": st.sampled_from([{"grade": "C"}, {"occupied_grade": "A", "grade": "A"}]),
                "water": st.sampled_from([{"quality_ok": False}, {"litres_per_person_day": 50}]),
            },
        ),
        "facts": facts,
    }
)


def answer(request: Request) -> dict[str, Any]:
    return evaluate_household(EvaluationRequest.model_validate(request)).model_dump(mode="json", by_alias=True)


def states(found: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: each["state"] for each in found["indicators"]}


@settings(max_examples=60, deadline=None)
@given(requests, st.randoms(use_true_random=False))
def test_the_order_of_members_and_facts_does_not_matter(request: Request, random: Any) -> None:
    shuffled = copy.deepcopy(request)
    random.shuffle(shuffled["household"]["members"])
    random.shuffle(shuffled["facts"])
    assert answer(shuffled) == answer(request)


@settings(max_examples=60, deadline=None)
@given(requests, st.sampled_from(AMOUNTS))
def test_more_income_never_turns_clear_into_fired(request: Request, amount: str) -> None:
    richer = copy.deepcopy(request)
    for each in richer["facts"]:
        if each["kind"].startswith("income."):
            each["amount_yuan"] = "90000.00"
    before, after = states(answer(request)), states(answer(richer))
    for name in INCOME_INDICATORS:
        assert (before[name], after[name]) != ("clear", "fired")


@settings(max_examples=60, deadline=None)
@given(requests, st.sampled_from(AMOUNTS))
def test_a_one_off_aid_changes_nothing_by_default(request: Request, amount: str) -> None:
    helped = copy.deepcopy(request)
    helped["facts"].append(
        {
            "kind": "income.transfer_one_off",
            "member": "m1",
            "occurred_on": "2023-10-01",
            "amount_yuan": amount,
            "scheme": "gift",
        }
    )
    before, after = answer(request), answer(helped)
    flags, before_flags = after.pop("flags"), before.pop("flags")
    assert [each for each in flags if each != "one_off_ignored"] == before_flags
    before.pop("explanation")
    assert ("一次性转移收入未计入" in after.pop("explanation")) is ("one_off_ignored" in flags)
    assert after == before


@settings(max_examples=60, deadline=None)
@given(requests, st.data())
def test_any_fact_may_be_taken_away(request: Request, data: st.DataObject) -> None:
    less = copy.deepcopy(request)
    if less["facts"]:
        less["facts"].pop(data.draw(st.integers(0, len(less["facts"]) - 1)))
    assert answer(less)["policy"]["version"]


@settings(max_examples=80, deadline=None)
@given(requests, st.data())
def test_knowing_less_never_turns_one_answer_into_the_other(request: Request, data: st.DataObject) -> None:
    """Unknown is monotone: a field taken away leaves an indicator as it was, or makes it unknown."""
    less = copy.deepcopy(request)
    member = data.draw(st.sampled_from(less["household"]["members"]))
    removable = sorted((member.keys() & OPTIONAL_OF_MEMBER.keys()) - {"shares_budget"})
    house = sorted(less["household"].keys() & {"dwelling", "water"})
    choice = data.draw(st.sampled_from([*removable, *house, "nothing"]))
    member.pop(choice, None)
    less["household"].pop(choice, None)
    before, after = states(answer(request)), states(answer(less))
    changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    assert all(now == "unknown" for _, now in changed.values()), changed


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**19, "", " ", "0.00", "NaN", "2024-02-30", "9999-12-31", "m1", "living", [], {}, [{}]]
)


@settings(max_examples=150, deadline=None)
@given(requests, st.data())
def test_whatever_is_written_is_answered_or_refused(request: Request, data: st.DataObject) -> None:
    """One value anywhere is replaced by something odd: there is an answer or a refusal, never a fault of ours."""
    odd = copy.deepcopy(request)
    odd["parameters"] |= data.draw(st.dictionaries(st.sampled_from(PARAMETERS), ODD, max_size=2))
    place: Any = odd
    while True:
        step = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[step], dict | list) or not place[step] or data.draw(st.booleans()):
            break
        place = place[step]
    place[step] = data.draw(ODD)
    with contextlib.suppress(ValidationError, Unprocessable):
        answer(odd)
