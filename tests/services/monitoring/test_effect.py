"""How well rules work: what was answered to each, and who was found without any."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.monitoring.domain.interval import Share
from shared.contracts.monitoring import RISK_CHANGED
from shared.runtime import Runtime
from tests.services.monitoring.build import VILLAGE, Home, answered, assess_all, deliver, rostered, settled, told

Bearer = Callable[..., dict[str, str]]
COUNTY, TOWNSHIP = f"{VILLAGE[:6]}000000", f"{VILLAGE[:9]}000"
SPAN = {"from": "2026-03-01", "to": "2026-03-31"}
DECISION = {
    "listed_as": "marginal_at_risk",
    "decided_on": "2026-03-15",
    "document_no": "测防〔2026〕1号",
    "reason": "入户核实",
}
OUTCOMES = ["identify", "need_met", "no_risk", "data_wrong"]


async def warned(runtime: Runtime, households: int) -> list[dict[str, Any]]:
    homes = [Home(no=f"F{i:03}", people=(i,), wage_fen=1_000_000) for i in range(1, households + 1)]
    await deliver(runtime, rostered(runtime.keys, *homes))
    for i in range(1, households + 1):
        await deliver(runtime, settled(runtime.keys, i, 1_200_000, record=f"S{i}"))
    await assess_all(runtime)
    return await told(runtime, RISK_CHANGED)


async def effect(client: httpx.AsyncClient, headers: dict[str, str], **query: str) -> list[dict[str, Any]]:
    answer = await client.get("/monitoring/v1/rule-effect", headers=headers, params={**SPAN, **query})
    assert answer.status_code == 200, answer.text
    rules: list[dict[str, Any]] = answer.json()["rules"]
    return rules


async def test_each_rule_tells_what_was_answered_in_each_township(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer
) -> None:
    items = await warned(monitoring_runtime, len(OUTCOMES))
    for item, outcome in zip(items, OUTCOMES, strict=True):
        await deliver(monitoring_runtime, answered(item, outcome=outcome, alert=f"A-{outcome}"))
    admin = bearer("county_admin", COUNTY)
    rules = await effect(client, admin)
    assert rules
    for rule in rules:
        assert (rule["township"], rule["verified"], rule["data_wrong"]) == (TOWNSHIP, 4, 1)
        assert (rule["identified"]["count"], rule["identified"]["percent"]) == (1, 25.0)
        assert (rule["useful"]["count"], rule["useful"]["percent"]) == (2, 50.0)
        assert (rule["useful"]["low"], rule["useful"]["high"]) == Share(2, 4).interval
        assert rule["policy_version"] == items[0].get("policy_version", rule["policy_version"])
    department = rules[0]["department"]
    own = await effect(client, admin, department=department)
    assert own == [rule for rule in rules if rule["department"] == department]
    assert await effect(client, admin, department="没有这个部门") == []


@pytest.mark.parametrize(
    ("span", "found"), [(("2026-03-15", "2026-03-15"), True), (("2026-03-16", "2026-03-31"), False)]
)
async def test_an_answer_counts_on_its_own_day(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer, span: tuple[str, str], found: bool
) -> None:
    [item] = await warned(monitoring_runtime, 1)
    await deliver(monitoring_runtime, answered(item))
    rules = await effect(client, bearer("county_admin", COUNTY), **dict(zip(SPAN, span, strict=True)))
    assert bool(rules) is found


async def test_who_was_listed_without_a_warning_is_a_miss(
    client: httpx.AsyncClient, monitoring_runtime: Runtime, bearer: Bearer
) -> None:
    runtime, admin = monitoring_runtime, bearer("county_admin", COUNTY)
    await warned(runtime, 1)
    await deliver(runtime, rostered(runtime.keys, Home(no="F900", people=(9,))))
    for number in ("F001", "F900"):
        answer = await client.post(
            f"/monitoring/v1/households/{number}/decisions",
            json=DECISION,
            headers={**admin, "Idempotency-Key": f"k-{number}"},
        )
        assert answer.status_code in (200, 201), answer.text
    misses = (await client.get("/monitoring/v1/misses", headers=admin, params=SPAN)).json()
    assert (misses["listed"], misses["missed"]["count"], misses["by_route"]) == (2, 1, {"decision": 1})
    assert [one["household_no"] for one in misses["households"]] == ["F900"]


async def test_a_span_that_ends_before_it_begins_is_refused(client: httpx.AsyncClient, bearer: Bearer) -> None:
    refused = await client.get(
        "/monitoring/v1/misses",
        headers=bearer("county_admin", COUNTY),
        params={"from": "2026-03-02", "to": "2026-03-01"},
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "span_refused")
