"""Other systems subscribe, to hosts the operator listed."""

import base64
from collections.abc import Callable
from typing import Any

import asyncpg
import httpx
import pytest

from shared.contracts.alerts import VERIFIED
from shared.contracts.intake import HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED
from shared.contracts.monitoring import RISK_CHANGED
from shared.contracts.progress import ALERTS_PROGRESS, MONITORING_PROGRESS
from shared.settings import Settings
from shared.web.subscriptions import subscriptions_router
from tests.conftest import House
from tests.shared.conftest import Open
from tests.shared.web.conftest import Edge, open_edge

PROVINCE, COUNTY, TOWNSHIP, OTHER_COUNTY = "130000000000", "130624000000", "130624100000", "130625000000"


async def subscribe(edge: Edge, *, caller: str = COUNTY, **changed: Any) -> httpx.Response:
    body = {"name": "省平台", "url": "https://hooks.example.gov.cn/in", "types": [RISK_CHANGED]} | changed
    service = edge.runtime.service
    return await edge.http.post(f"/{service}/v1/subscriptions", json=body, headers=edge.bearer(division=caller))


async def listed(edge: Edge, caller: str = COUNTY) -> list[dict[str, Any]]:
    answer = await edge.http.get("/monitoring/v1/subscriptions", headers=edge.bearer(division=caller))
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_a_subscriber_learns_his_secret_once(monitoring: Edge, small_admin: asyncpg.Connection) -> None:
    made = (await subscribe(monitoring)).json()
    secret = made["secret"].removeprefix("whsec_")
    assert len(base64.b64decode(secret)) == 32
    row = await small_admin.fetchrow("SELECT * FROM monitoring.subscription WHERE name = '省平台'")
    assert row is not None
    opened = monitoring.runtime.keys.open(row["secret"], "subscription", "secret", made["subscription_id"])
    assert opened == secret
    assert [one["name"] for one in await listed(monitoring)] == ["internal:alerts", "internal:intake", "省平台"]
    assert secret not in str(await listed(monitoring))


async def test_a_subscription_is_audited(monitoring: Edge, small_admin: asyncpg.Connection) -> None:
    made = (await subscribe(monitoring)).json()
    row = await small_admin.fetchrow("SELECT * FROM monitoring.audit_log")
    assert row is not None
    assert (row["actor"], row["actor_kind"], row["action"]) == ("tester", "system", "subscription.create")
    assert row["object"] == f"subscription:{made['subscription_id']}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.gov.cn",
        "ftp://hooks.example.gov.cn/",
        "https://other.example.gov.cn/",
        "https://169.254.169.254/latest",
        "http://[::1]/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "https://hooks.example.gov.cn.evil.example/",
        "https://hooks.example.gov.cn./",
        "https://evil.example/#@127.0.0.1",
        "https://user@hooks.example.gov.cn/",
        "https://:pw@hooks.example.gov.cn/",
        "https://127.0.0.1\\@evil.example/",
        "https://evil.example\\@127.0.0.1/",
        "https://127.0.0.1:99999/",
        "https://[/",
        "https://127.0.0.1\t.evil.example/",
        "https://１２７.0.0.1/x\u200b",
        "//hooks.example.gov.cn/",
        "https:///hooks.example.gov.cn",
        "javascript:alert(1)",
    ],
)
async def test_no_other_host_can_be_reached(monitoring: Edge, url: str) -> None:
    answer = await subscribe(monitoring, url=url)
    assert (answer.status_code, answer.json()["code"]) in {(422, "host_not_allowed"), (422, "validation_failed")}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"types": ["cn.fangpin.other.v1"]}, 422),
        ({"types": []}, 422),
        ({"name": ""}, 422),
        ({"secret": "x"}, 422),
        ({"name": "internal:alerts"}, 409),
        ({"name": "internal:monitoring"}, 409),
        ({"division": "all"}, 422),
        ({"active": False}, 422),
    ],
)
async def test_a_subscription_that_makes_no_sense_is_refused(
    monitoring: Edge, changed: dict[str, Any], status: int
) -> None:
    assert (await subscribe(monitoring, **changed)).status_code == status


async def test_a_name_is_taken_once(monitoring: Edge) -> None:
    assert [(await subscribe(monitoring)).status_code for _ in range(2)] == [201, 409]


async def test_plain_http_is_for_demonstrations(monitoring: Edge) -> None:
    assert (await subscribe(monitoring, url="http://127.0.0.1:9/")).status_code == 201
    monitoring.runtime.settings = monitoring.runtime.settings.model_copy(update={"demo": False})
    assert (await subscribe(monitoring, name="two", url="http://127.0.0.1:9/")).status_code == 422


@pytest.mark.parametrize(
    "types",
    [[MONITORING_PROGRESS], [RISK_CHANGED, MONITORING_PROGRESS], [VERIFIED], [OBSERVATIONS_RECORDED]],
    ids=["inside only", "one of two", "another service's", "people's data"],
)
async def test_what_is_spoken_inside_cannot_be_subscribed_to(monitoring: Edge, types: list[str]) -> None:
    answer = await subscribe(monitoring, types=types)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["code"], error["expected"]) == (422, "unknown_type", RISK_CHANGED)


INSIDE_ONLY = (HOUSEHOLDS_RECORDED, OBSERVATIONS_RECORDED, MONITORING_PROGRESS, ALERTS_PROGRESS)


@pytest.mark.parametrize(
    ("service", "offered"), [("intake", []), ("monitoring", [RISK_CHANGED]), ("alerts", [VERIFIED])]
)
async def test_each_service_offers_what_it_says_itself(
    open_small: Open, small_settings: Settings, service: str, offered: list[str]
) -> None:
    router, every = subscriptions_router(service), (*INSIDE_ONLY, RISK_CHANGED, VERIFIED)
    async with open_edge(service, open_small, small_settings, router) as opened:
        made = [one for one in every if (await subscribe(opened, name=one, types=[one])).status_code == 201]
    assert made == offered


@pytest.mark.parametrize(("service", "status"), [("intake", 404), ("monitoring", 200), ("alerts", 200)])
async def test_a_service_with_nothing_to_tell_outside_takes_no_subscriptions(
    house: House, client: httpx.AsyncClient, bearer: Callable[..., dict[str, str]], service: str, status: int
) -> None:
    answer = await client.get(f"/{service}/v1/subscriptions", headers=bearer("county_admin"))
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("asked", "given"), [({}, COUNTY), ({"division": None}, COUNTY), ({"division": TOWNSHIP}, TOWNSHIP)]
)
async def test_a_subscription_is_for_a_division_the_callers_own_if_none_is_named(
    monitoring: Edge, asked: dict[str, Any], given: str
) -> None:
    made = (await subscribe(monitoring, **asked)).json()
    assert made["division"] == given
    assert [one["division"] for one in await listed(monitoring)] == [None, None, given]


@pytest.mark.parametrize("division", [PROVINCE, "130600000000", OTHER_COUNTY])
async def test_nobody_subscribes_beyond_his_own_division(monitoring: Edge, division: str) -> None:
    answer = await subscribe(monitoring, division=division)
    assert (answer.status_code, answer.json()["code"]) == (403, "division_out_of_range")
    assert len(await listed(monitoring, PROVINCE)) == 2


@pytest.mark.parametrize(
    ("caller", "seen"),
    [
        (PROVINCE, ["county", "province", "township"]),
        (COUNTY, ["county", "township"]),
        (TOWNSHIP, ["township"]),
        (OTHER_COUNTY, []),
    ],
)
async def test_a_subscription_is_seen_by_those_who_answer_for_its_division(
    monitoring: Edge, caller: str, seen: list[str]
) -> None:
    for name, division in (("province", PROVINCE), ("county", COUNTY), ("township", TOWNSHIP)):
        await subscribe(monitoring, name=name, caller=division)
    names = [one["name"] for one in await listed(monitoring, caller)]
    assert [name for name in names if not name.startswith("internal:")] == seen
    assert len(names) == len(seen) + 2


@pytest.mark.parametrize("role", ["grid_worker", "village_secretary", "township_leader", "liaison", "auditor"])
async def test_only_administrators_subscribe(monitoring: Edge, role: str) -> None:
    answer = await monitoring.http.get("/monitoring/v1/subscriptions", headers=monitoring.bearer(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
