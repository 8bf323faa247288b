"""A visitor's answer holds until something is new; a person's decision lists the household."""

from collections.abc import Callable
from typing import Any

import httpx

from shared.contracts.monitoring import RISK_CHANGED
from shared.runtime import Runtime
from tests.services.monitoring.build import (
    VILLAGE,
    Home,
    answered,
    assess_all,
    deliver,
    rostered,
    sent_at,
    settled,
    told,
)

POOR = 1_000_000
DECISION = {
    "listed_as": "marginal_at_risk",
    "decided_on": "2026-03-15",
    "document_no": "测防〔2026〕1号",
    "reason": "入户核实",
}

Bearer = Callable[..., dict[str, str]]


async def one(runtime: Runtime, sql: str, *args: Any) -> Any:
    return await runtime.worker_pool.fetchval(sql, *args)


async def warned(runtime: Runtime) -> dict[str, Any]:
    """A poor household with a high medical bill, of which alerts was told."""
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=POOR)), settled(runtime.keys, 1, 1_200_000))
    await assess_all(runtime)
    return (await told(runtime, RISK_CHANGED))[-1]


async def test_the_same_evidence_opens_nothing_again(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    item = await warned(runtime)
    await deliver(runtime, answered(item))
    row = await runtime.worker_pool.fetchrow("SELECT last_outcome, warned_at, due_at FROM household")
    assert (row["last_outcome"], row["warned_at"]) == ("no_risk", None)
    assert row["due_at"] is not None
    assert await assess_all(runtime) == 1
    assert len(await told(runtime, RISK_CHANGED)) == 1


async def test_a_small_further_bill_opens_nothing_and_a_large_one_does(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, answered(await warned(runtime)))
    await assess_all(runtime)
    await deliver(runtime, settled(runtime.keys, 1, 20_000, record="S2"))
    await assess_all(runtime)
    assert len(await told(runtime, RISK_CHANGED)) == 1
    await deliver(runtime, settled(runtime.keys, 1, 500_000, record="S3"))
    await assess_all(runtime)
    assert (await told(runtime, RISK_CHANGED))[-1]["opens"] is True
    assert len(await told(runtime, RISK_CHANGED)) == 2


async def test_a_new_finding_opens_after_an_answer(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, answered(await warned(runtime)))
    await assess_all(runtime)
    await deliver(
        runtime,
        rostered(runtime.keys, Home(wage_fen=POOR, grade="D"), on="2026-03-10", sent=sent_at(11)),
    )
    await assess_all(runtime)
    assert (await told(runtime, RISK_CHANGED))[-1]["opens"] is True


async def test_an_answer_counts_once(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    item = await warned(runtime)
    await deliver(runtime, answered(item, "identify"), answered(item, "no_risk"))
    assert await one(runtime, "SELECT array_agg(outcome) FROM verification") == ["identify"]


async def test_what_the_visit_took_is_kept(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    item = await warned(runtime)
    await deliver(runtime, answered(item, "identify", visit_minutes=75))
    assert await one(runtime, "SELECT array_agg(visit_minutes) FROM verification") == [75]


async def test_an_answer_to_an_unmatched_report_is_kept(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    item = {"subject": "report:R9", "living_division": VILLAGE, "facts_version": 0, "findings": []}
    await deliver(runtime, answered(item, "moved"))
    assert await one(runtime, "SELECT subject FROM verification WHERE household_id IS NULL") == "report:R9"


async def test_a_decision_lists_the_household_and_is_audited(
    monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer, admin: Any
) -> None:
    runtime = monitoring_runtime
    await warned(runtime)
    answer = await monitoring_client.post(
        "/monitoring/v1/households/F001/decisions", json=DECISION, headers=bearer("county_admin")
    )
    assert (answer.status_code, answer.json()["action"]) == (201, "enter")
    assert await one(runtime, "SELECT listed_as FROM household") == "marginal_at_risk"
    assert await one(runtime, "SELECT value FROM fact WHERE kind = 'state.monitored'") == "marginal_at_risk"
    assert await admin.fetchval("SELECT array_agg(action) FROM monitoring.audit_log") == ["household.enter"]
    assert await assess_all(runtime) == 1
    again = await monitoring_client.post(
        "/monitoring/v1/households/F001/decisions", json=DECISION, headers=bearer("county_admin")
    )
    assert (again.status_code, again.json()["code"]) == (409, "decision_does_not_fit")


async def test_a_removal_ends_the_class_on_its_day(
    monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    runtime = monitoring_runtime
    await warned(runtime)
    for body in ({**DECISION, "decided_on": "2026-03-01"}, {**DECISION, "listed_as": None}):
        answer = await monitoring_client.post(
            "/monitoring/v1/households/F001/decisions", json=body, headers=bearer("county_admin")
        )
        assert answer.status_code == 201
    row = await runtime.worker_pool.fetchrow(
        "SELECT occurred_on, ended_on FROM fact WHERE kind = 'state.monitored' AND superseded_at IS NULL"
    )
    assert [str(day) for day in row.values()] == ["2026-03-01", "2026-03-15"]
    assert await one(runtime, "SELECT listed_as FROM household") is None
    assert await one(runtime, "SELECT array_agg(action ORDER BY decided_on) FROM decision") == ["enter", "remove"]


async def test_only_a_listed_household_is_told_what_keeps_it_listed(
    monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    """Listed on 1 March, on 15 March it is listed for less than six months."""
    runtime, headers = monitoring_runtime, bearer("county_admin")
    await deliver(runtime, rostered(runtime.keys, Home(wage_fen=9_000_000)), settled(runtime.keys, 1, 700_000))

    async def is_under_six_months() -> bool:
        await assess_all(runtime)
        found = (await monitoring_client.get("/monitoring/v1/households/F001/assessment", headers=headers)).json()
        return "under_six_months" in found["removal_blockers"]

    seen = [await is_under_six_months()]
    days = ("2026-03-01", "2026-03-10", "2026-03-15")
    for listed_as, day in zip(("marginal_at_risk", "sudden_hardship", None), days, strict=True):
        answer = await monitoring_client.post(
            "/monitoring/v1/households/F001/decisions",
            headers=headers,
            json={**DECISION, "listed_as": listed_as, "decided_on": day},
        )
        assert answer.status_code == 201
        seen.append(await is_under_six_months())
    assert seen == [False, True, True, False]


async def test_no_system_and_no_other_post_decides(
    monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await warned(monitoring_runtime)
    callers = [
        bearer(),
        bearer(scopes=["monitoring:decide"]),
        bearer("township_leader"),
        bearer("village_secretary", VILLAGE),
        bearer("township_leader", scopes=["monitoring:decide"]),
    ]
    for headers in callers:
        answer = await monitoring_client.post(
            "/monitoring/v1/households/F001/decisions", json=DECISION, headers=headers
        )
        assert answer.status_code == 403
    assert await one(monitoring_runtime, "SELECT count(*) FROM decision") == 0


async def test_a_decision_is_checked(
    monitoring_runtime: Runtime, monitoring_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await warned(monitoring_runtime)
    for change, code in (
        ({"listed_as": "rich"}, "class_unknown"),
        ({"decided_on": "2026-03-16"}, "decision_day_out_of_range"),
        ({"document_no": " "}, "validation_failed"),
        ({"approve": True}, "validation_failed"),
    ):
        answer = await monitoring_client.post(
            "/monitoring/v1/households/F001/decisions", json={**DECISION, **change}, headers=bearer("county_admin")
        )
        assert (answer.status_code, answer.json()["code"]) == (422, code)
