"""What is asked of answers is policy: a county decides it from a day on, and each risk told from there carries it."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from services.monitoring.domain.policy import load_policy
from services.monitoring.publish_policy import activate_published
from shared.clock import SHANGHAI, FixedClock
from shared.contracts.monitoring import RISK_CHANGED, AnswerTerms
from shared.runtime import Runtime
from shared.vocabulary.terms import Severity
from tests.services.monitoring.build import deliver, reported, told
from tests.services.monitoring.policies import NEXT, Bearer, Office, assess_everything, beside_the_line, line

ASKED: tuple[tuple[str, Any], ...] = (
    ("second_officer_severities", ["orange", "red"]),
    ("recheck_percent", "20"),
    ("recheck_working_days", "5"),
    ("task_working_days", "15"),
)
TOLD = {
    "second_officer_severities": ["red", "orange"],
    "recheck_percent": 20,
    "recheck_working_days": 5,
    "task_working_days": 15,
}


@pytest.fixture
async def office(monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer) -> Office:
    await beside_the_line(monitoring_runtime)
    return Office(monitoring_client, bearer)


def asked() -> list[dict[str, Any]]:
    return [{**line(), "name": name, "value": value} for name, value in ASKED]


async def test_the_nation_asks_what_receivers_take_without_being_told(
    office: Office, monitoring_runtime: Runtime
) -> None:
    for item in await told(monitoring_runtime, RISK_CHANGED):
        assert item.get("answer_terms") is None
    usual = {each["name"]: each["value"] for each in (await office.get("/in_force"))["parameters"]}
    standing = AnswerTerms(**{name: usual[name] for name, _ in ASKED})
    assert standing == AnswerTerms()
    assert (standing.second_officer_severities, standing.recheck_percent) == ([Severity.RED], 5)


async def test_what_a_county_asks_is_told_from_its_day_on(
    office: Office, monitoring_runtime: Runtime, clock: FixedClock
) -> None:
    await office.published(*asked())
    shown = {each["name"]: each for each in (await office.get("/in_force"))["parameters"]}
    assert (shown["recheck_percent"]["value"], shown["recheck_percent"]["decided_by"]) == ("5", "national")
    moments = ((datetime(2026, 7, 31, 23, 59, tzinfo=SHANGHAI), None), (datetime(2026, 8, 1, tzinfo=SHANGHAI), TOLD))
    for number, (clock.at, terms) in enumerate(moments):
        await activate_published(monitoring_runtime)
        await deliver(monitoring_runtime, reported(monitoring_runtime.keys, 1, report=f"R{number}"))
        await assess_everything(monitoring_runtime)
        items = [one for one in await told(monitoring_runtime, RISK_CHANGED) if one["household_no"] == "F001"]
        assert (items[-1]["on"], items[-1].get("answer_terms")) == (str(clock.today()), terms)
    shown = {each["name"]: each for each in (await office.get("/in_force"))["parameters"]}
    for name, _ in ASKED:
        assert (shown[name]["since"], shown[name]["decided_by"]) == (NEXT, "130624")


async def test_a_report_that_fits_nobody_is_told_with_what_its_county_asks(
    office: Office, monitoring_runtime: Runtime, clock: FixedClock
) -> None:
    hours = {**line(), "name": "acknowledge_hours_orange", "value": "48"}
    await office.published(*asked(), hours)
    clock.at = datetime(2026, 8, 1, tzinfo=SHANGHAI)
    await deliver(monitoring_runtime, reported(monitoring_runtime.keys, 7))
    (*_, item) = await told(monitoring_runtime, RISK_CHANGED)
    assert (item["subject"], item["answer_terms"]) == ("report:R1", TOLD)
    assert item["clocks"]["acknowledge_hours"] == 48


@pytest.mark.parametrize(
    ("name", "value", "good"),
    [
        ("second_officer_severities", [], True),
        ("second_officer_severities", ["green"], False),
        ("recheck_percent", "0", True),
        ("recheck_percent", "100", True),
        ("recheck_percent", "101", False),
        ("recheck_percent", "2.5", False),
        ("recheck_working_days", "1", True),
        ("recheck_working_days", "0", False),
        ("recheck_working_days", "61", False),
        ("task_working_days", "120", True),
        ("task_working_days", "121", False),
    ],
)
async def test_what_a_county_may_ask(office: Office, name: str, value: Any, good: bool) -> None:
    checked = await office.post(
        "changes?dry_run=true", office.author, 200, json=[{**line(), "name": name, "value": value}]
    )
    assert checked["accepted"] is good


def test_what_is_asked_changes_no_assessment() -> None:
    assert not {name for name, _ in ASKED} & set(load_policy().parameters_read)
