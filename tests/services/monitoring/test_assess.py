"""Due households are assessed once, and alerts hears of what changed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.monitoring import repository_assessments as repository
from services.monitoring.assess_households import assess, put_off
from services.monitoring.pass_day import pass_day
from services.monitoring.rescreen import activate_policy
from shared.clock import FixedClock
from shared.contracts.monitoring import RISK_CHANGED
from shared.contracts.progress import MONITORING_PROGRESS
from shared.db.scope import transaction
from shared.queue.claim import LeaseLost
from shared.runtime import Runtime
from tests.services.monitoring.build import (
    Home,
    assess_all,
    deliver,
    reported,
    rostered,
    sent_at,
    settled,
    told,
)

POOR = 1_000_000  # fen of wages a year for two people: under any line.


async def one(runtime: Runtime, sql: str, *args: Any) -> Any:
    return await runtime.worker_pool.fetchval(sql, *args)


async def test_a_roster_and_a_settlement_lead_to_a_warning(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(runtime.keys, Home(wage_fen=POOR)),
        settled(runtime.keys, 1, 1_200_000),
    )
    assert await assess_all(runtime) == 1
    [item] = await told(runtime, RISK_CHANGED)
    assert (item["subject"], item["recommendation"], item["opens"]) == ("household:F001", "marginal_at_risk", True)
    fired = {finding["indicator"] for finding in item["findings"]}
    assert {"income_below_line", "medical_self_paid"} <= fired
    assert item["contact"] == {"name": "测试乙", "phone": "19900000001"}
    assert [each["summary"] for each in item["evidence"]] == ["医保局：医疗费用"]
    assert item["clocks"]["acknowledge_hours"] > 0
    row = await runtime.worker_pool.fetchrow("SELECT recommendation, severity, warned_at, due_at FROM household")
    assert (row["recommendation"], row["severity"], row["due_at"]) == ("marginal_at_risk", 3, None)
    assert row["warned_at"] == runtime.clock.now()


async def test_a_household_without_risk_is_told_from_one_nobody_assessed(
    monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Callable[..., dict[str, str]]
) -> None:
    """Neither has a severity; only what was assessed has a score."""
    runtime = monitoring_runtime

    async def shown() -> tuple[Any, Any]:
        answer = await monitoring_client.get("/monitoring/v1/households", headers=bearer("county_admin"))
        [item] = answer.json()["items"]
        return item["severity"], item["score"]

    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=9 * POOR)))
    assert await shown() == (None, None)
    await assess_all(runtime)
    assert await shown() == (None, 0)


async def test_assessing_again_writes_nothing(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=POOR)), settled(runtime.keys, 1, 1_200_000))
    await assess_all(runtime)
    before = await one(runtime, "SELECT count(*) FROM assessment"), len(await told(runtime, RISK_CHANGED))
    await runtime.worker_pool.execute("UPDATE household SET due_at = $1", runtime.clock.now())
    assert await assess_all(runtime) == 1
    assert (await one(runtime, "SELECT count(*) FROM assessment"), len(await told(runtime, RISK_CHANGED))) == before


async def test_a_well_off_household_is_assessed_and_nobody_is_told(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=9_000_000)))
    await assess_all(runtime)
    assert await told(runtime, RISK_CHANGED) == []
    assert await one(runtime, "SELECT count(*) FROM assessment") == 1


async def test_a_weak_finding_is_told_but_opens_nothing(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=9_000_000, insured=False)))
    await assess_all(runtime)
    [item] = await told(runtime, RISK_CHANGED)
    assert (item["opens"], item["severity"], item["reason"]) == (False, "blue", "finding")
    assert item["withheld_because"]


async def test_a_matched_report_always_opens_and_is_assessed_first(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=9_000_000)))
    await assess_all(runtime)
    await deliver(runtime, reported(runtime.keys, 2))
    assert await one(runtime, "SELECT priority FROM household") == 0
    await assess_all(runtime)
    [item] = await told(runtime, RISK_CHANGED)
    assert (item["reason"], item["opens"], item["report_ids"]) == ("hardship_report", True, ["R1"])
    assert item["contact"]["name"] == "测试丁"
    assert [p["stage"] for p in await told(runtime, MONITORING_PROGRESS) if p.get("report_id")] == [
        "matched",
        "assessed",
    ]
    assert await one(runtime, "SELECT waiting_reports FROM household") == []
    priorities = await runtime.worker_pool.fetch(
        "SELECT d.priority FROM outbox o JOIN outbox_delivery d ON d.outbox_id = o.id WHERE o.type = $1", RISK_CHANGED
    )
    assert {row["priority"] for row in priorities} == {0}


async def test_a_report_from_a_place_without_parameters_still_reaches_a_person(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home()), reported(runtime.keys, 1))
    async with transaction(runtime.worker_pool) as connection:
        token, by_county = await repository.claim_due(
            connection, now=runtime.clock.now(), limit=10, lease=timedelta(minutes=1)
        )
        assert token is not None
        await put_off(connection, by_county["130624"], token, runtime)
    [item] = await told(runtime, RISK_CHANGED)
    assert (item["subject"], item["report_ids"], item["opens"]) == ("household:F001", ["R1"], True)
    assert await one(runtime, "SELECT due_at FROM household") > runtime.clock.now()


async def test_a_recommendation_that_goes_away_is_told(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=POOR)), settled(runtime.keys, 1, 1_200_000))
    await assess_all(runtime)
    await deliver(runtime, settled(runtime.keys, 1, 0, sent=sent_at(9), feed="m2"))
    await assess_all(runtime)
    item = (await told(runtime, RISK_CHANGED))[-1]
    assert (item.get("recommendation"), item["previous_recommendation"], item["opens"]) == (
        None,
        "marginal_at_risk",
        False,
    )


async def test_two_workers_give_the_result_of_one(monitoring_runtime: Runtime, database: str) -> None:
    runtime = monitoring_runtime
    homes = [Home(no=f"F{i:03d}", people=(i,), wage_fen=POOR, grade="D") for i in range(100, 140)]
    await deliver(runtime, rostered(runtime.keys, *homes))
    await asyncio.gather(assess_all(runtime), assess_all(runtime))
    assert await one(runtime, "SELECT count(*) FROM assessment") == 40
    subjects = [item["subject"] for item in await told(runtime, RISK_CHANGED)]
    assert (len(subjects), len(set(subjects))) == (40, 40)


async def test_a_lost_lease_rolls_back(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=POOR)), settled(runtime.keys, 1, 1_200_000))
    async with transaction(runtime.worker_pool) as connection:
        token, by_county = await repository.claim_due(
            connection, now=runtime.clock.now(), limit=10, lease=timedelta(seconds=-1)
        )
    assert token is not None
    assert await assess_all(runtime) == 1
    with pytest.raises(LeaseLost):
        async with transaction(runtime.worker_pool) as connection:
            await assess(connection, "130624", by_county["130624"], token, runtime)
    assert await one(runtime, "SELECT count(*) FROM assessment") == 1


async def test_facts_that_come_while_a_household_is_claimed_are_not_lost(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=POOR)))
    async with transaction(runtime.worker_pool) as connection:
        token, by_county = await repository.claim_due(
            connection, now=runtime.clock.now(), limit=10, lease=timedelta(minutes=1)
        )
    await deliver(runtime, settled(runtime.keys, 1, 1_200_000))
    assert token is not None
    async with transaction(runtime.worker_pool) as connection:
        await assess(connection, "130624", by_county["130624"], token, runtime)
    assert await one(runtime, "SELECT recommendation FROM household") == "marginal_at_risk"


async def test_time_makes_households_due(monitoring_runtime: Runtime, clock: FixedClock) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home()))
    await assess_all(runtime)
    assert str(await one(runtime, "SELECT valid_until FROM measure")) == "2026-04-01"
    assert await pass_day(runtime) == 0
    clock.at = clock.at + timedelta(days=17)
    assert await pass_day(runtime) == 1
    assert await pass_day(runtime) == 0
    assert await assess_all(runtime) == 1


async def test_a_new_policy_version_makes_everybody_due_once(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home()))
    await assess_all(runtime)
    assert await activate_policy(runtime) == 1
    assert await activate_policy(runtime) == 0
    assert await assess_all(runtime) == 1


async def test_the_order_of_severity_in_the_message_is_that_of_the_policy(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=9_000_000, grade="D")))
    await assess_all(runtime)
    [item] = await told(runtime, RISK_CHANGED)
    assert (item["severity"], item["reason"], item["opens"]) == ("red", "finding", True)
