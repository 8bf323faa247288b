"""What would have to be other for a household to leave its class, or to enter one: asked over HTTP."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.monitoring.domain.compiler import assessment_from_row
from services.monitoring.domain.evaluator import evaluate
from services.monitoring.domain.stored_outcome import row_of
from services.monitoring.policy_in_force import policy_in_force
from services.monitoring.read_facts import read_facts
from services.monitoring.read_household import find_household
from shared.clock import FixedClock
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.services.monitoring.build import (
    OTHER_VILLAGE,
    VILLAGE,
    Home,
    assess_all,
    deliver,
    number,
    observed,
    rostered,
    settled,
)

TOWNSHIP = "130624100000"
POOR = 1_800_000
Bearer = Callable[..., dict[str, str]]


def path(no: str) -> str:
    return f"/monitoring/v1/households/{no}/counterfactual"


@pytest.fixture
async def village(monitoring_runtime: Runtime) -> Runtime:
    """A poor household in an unsafe house with a disabled member; a well-off one in another township."""
    runtime = monitoring_runtime
    person = runtime.keys.blind_index(number(1)).hex()
    disability = {
        "record": "D1",
        "person": person,
        "kind": "state.disability",
        "occurred_on": "2020-01-01",
        "value": "4-1",
        "attributes": {"types": [4], "grade": 1},
    }
    await deliver(
        runtime,
        rostered(
            runtime.keys,
            Home(wage_fen=POOR, grade="C"),
            Home(no="F002", people=(3,), division=OTHER_VILLAGE),
        ),
        observed([disability], data_set="disability_register", department="残联"),
        settled(runtime.keys, 1, 120_000),
    )
    await assess_all(runtime)
    return runtime


async def ask(client: httpx.AsyncClient, no: str, headers: dict[str, str]) -> Any:
    answer = await client.get(path(no), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def levers(ways: list[dict[str, Any]]) -> list[list[str]]:
    return [[each["lever"] for each in way["changes"]] for way in ways]


async def test_what_help_can_change_is_told_apart_from_what_it_cannot(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    found = await ask(monitoring_client, "F001", bearer("county_admin"))
    assert (found["towards"], found["recommendation"]) == ("out", "marginal_at_risk")
    assert ["more_income"] in levers(found["by_help"])
    assert all(each["by_help"] for way in found["by_help"] for each in way["changes"])
    assert found["beyond_help"]
    assert all(not all(each["by_help"] for each in way["changes"]) for way in found["beyond_help"])
    assert all(way["recommendation"] is None for way in (*found["by_help"], *found["beyond_help"]))
    assert found["explanation"].startswith("帮扶可以改变的：若")
    assert "dwelling_unsafe" in {each["indicator"] for each in found["remedies"]}


async def test_the_income_it_names_is_enough_to_the_fen(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """A department reports the wage that was asked for, and then one fen less."""
    found = await ask(monitoring_client, "F001", bearer("county_admin"))
    [way] = [way for way in found["by_help"] if levers([way]) == [["more_income"]]]
    more = round(float(way["changes"][0]["amount_yuan"]) * 100)
    for received, (fen, expected) in enumerate(((more, None), (more - 1, "marginal_at_risk"))):
        wage = {
            "record": "W1",
            "person": village.keys.blind_index(number(1)).hex(),
            "kind": "income.wage",
            "occurred_on": "2026-02-01",
            "amount_fen": POOR + fen,
        }
        await deliver(village, observed([wage], data_set="payroll", feed=f"w{received}"))
        await assess_all(village)
        stands = await village.worker_pool.fetchval(
            "SELECT recommendation FROM household WHERE household_no = 'F001'"
        )
        assert stands == expected


async def test_another_day_and_what_was_known_of_it_may_be_asked_for(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """The same day as known at the same moment is answered alike whatever is learnt later."""
    headers = bearer("county_admin")
    now = await ask(monitoring_client, "F001", headers)
    asked = {"as_of": now["on"], "known_at": now["known_at"]}
    then = (await monitoring_client.get(path("F001"), params=asked, headers=headers)).content
    await deliver(village, settled(village.keys, 1, 9_000_000, feed="later", record="later"))
    await assess_all(village)
    again = (await monitoring_client.get(path("F001"), params=asked, headers=headers)).content
    assert again == then
    assert await ask(monitoring_client, "F001", headers) != now


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"as_of": "2013-12-31"}, 422, "day_out_of_range"),
        ({"as_of": "2999-01-01"}, 422, "day_out_of_range"),
        ({"known_at": "2015-01-01T00:00:00Z"}, 404, "household_not_known_then"),
        ({"known_at": "2015-01-01T00:00:00"}, 422, "validation_failed"),
    ],
)
async def test_a_day_that_cannot_be_worked_out_is_refused(
    village: Runtime,
    monitoring_client: httpx.AsyncClient,
    bearer: Bearer,
    asked: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = await monitoring_client.get(path("F001"), params=asked, headers=bearer("county_admin"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_household_in_no_class_learns_what_would_bring_it_into_one(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    found = await ask(monitoring_client, "F002", bearer("county_admin"))
    assert (found["towards"], found["recommendation"]) == ("in", None)
    assert found["by_help"]
    assert all(way["recommendation"] for way in (*found["by_help"], *found["beyond_help"]))
    assert "将建议核定为" in found["explanation"]


async def test_townships_and_the_county_may_ask_and_nobody_else(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    for role in ("grid_worker", "village_secretary", "first_secretary", "auditor"):
        answer = await monitoring_client.get(path("F001"), headers=bearer(role, VILLAGE))
        assert (answer.status_code, answer.json()["code"]) == (403, "not_for_post"), role
    assert (await monitoring_client.get(path("F001"), headers=bearer())).status_code == 403
    liaison = await monitoring_client.get(path("F001"), headers=bearer("liaison"))
    assert liaison.status_code == 403
    assert (await monitoring_client.get(path("F001"), headers=bearer("township_leader", TOWNSHIP))).status_code == 200


async def test_out_of_range_is_not_found(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    headers = bearer("township_leader", TOWNSHIP)
    hidden, missing = [await monitoring_client.get(path(no), headers=headers) for no in ("F002", "F999")]
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.json()["code"] == missing.json()["code"] == "household_not_found"


async def test_nobody_is_named_beside_his_illness_to_posts_without_health(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    async def named(role: str, division: str) -> list[Any]:
        found = await ask(monitoring_client, "F001", bearer(role, division))
        ways = [*found["by_help"], *found["beyond_help"]]
        changes = [each for way in ways for each in way["changes"]] + [each["change"] for each in found["remedies"]]
        return [each["member"] for each in changes if each["lever"] == "without_disability"]

    county, town = await named("county_admin", "130624000000"), await named("township_leader", TOWNSHIP)
    assert {"name": "测试乙", "relation": "户主"} in county
    assert town
    assert not any(town)


async def test_asking_leaves_a_trace(
    village: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: Any
) -> None:
    await ask(monitoring_client, "F001", bearer("county_admin"))
    rows = await admin.fetch("SELECT action, object FROM monitoring.audit_log")
    assert [tuple(row) for row in rows] == [("counterfactual.read", "household:F001")]


async def test_the_facts_read_are_those_the_policy_was_run_on(village: Runtime, clock: FixedClock) -> None:
    """The evaluator says of what was read, byte for byte, what the compiled statement said in the database."""
    today = clock.today()
    async with transaction(village.worker_pool) as connection:
        for no in ("F001", "F002"):
            household = await find_household(connection, no)
            policy = await policy_in_force(connection, household["county"], today)
            known = await read_facts(connection, household, today, household["known_at"])
            row = row_of(policy.package, household)
            assert row is not None
            stored = assessment_from_row(policy.package, row, policy.parameters, today)
            one = evaluate(policy.package, policy.parameters, known.facts, today)
            assert one.canonical() == stored.canonical()
