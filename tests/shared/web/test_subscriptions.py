"""Other systems subscribe, to hosts the operator listed."""

import base64
from typing import Any

import asyncpg
import httpx
import pytest

from shared.contracts.intake import OBSERVATIONS_RECORDED
from tests.shared.web.conftest import Edge


async def subscribe(edge: Edge, **changed: Any) -> httpx.Response:
    body = {"name": "省平台", "url": "https://hooks.example.gov.cn/in", "types": [OBSERVATIONS_RECORDED]} | changed
    return await edge.http.post("/intake/v1/subscriptions", json=body, headers=edge.bearer())


async def test_a_subscriber_learns_his_secret_once(edge: Edge, small_admin: asyncpg.Connection) -> None:
    made = (await subscribe(edge)).json()
    secret = made["secret"].removeprefix("whsec_")
    assert len(base64.b64decode(secret)) == 32
    row = await small_admin.fetchrow("SELECT * FROM subscription WHERE name = '省平台'")
    opened = edge.runtime.keys.open(row["secret"], "subscription", "secret", made["subscription_id"])
    assert opened == secret
    listed = (await edge.http.get("/intake/v1/subscriptions", headers=edge.bearer())).json()
    assert [one["name"] for one in listed] == ["internal:monitoring", "省平台"]
    assert secret not in str(listed)


async def test_a_subscription_is_audited(edge: Edge, small_admin: asyncpg.Connection) -> None:
    made = (await subscribe(edge)).json()
    row = await small_admin.fetchrow("SELECT * FROM audit_log")
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
async def test_no_other_host_can_be_reached(edge: Edge, url: str) -> None:
    answer = await subscribe(edge, url=url)
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
        ({"active": False}, 422),
    ],
)
async def test_a_subscription_that_makes_no_sense_is_refused(
    edge: Edge, changed: dict[str, Any], status: int
) -> None:
    assert (await subscribe(edge, **changed)).status_code == status


async def test_a_name_is_taken_once(edge: Edge) -> None:
    assert [(await subscribe(edge)).status_code for _ in range(2)] == [201, 409]


async def test_plain_http_is_for_demonstrations(edge: Edge) -> None:
    assert (await subscribe(edge, url="http://127.0.0.1:9/")).status_code == 201
    edge.runtime.settings = edge.runtime.settings.model_copy(update={"demo": False})
    assert (await subscribe(edge, name="two", url="http://127.0.0.1:9/")).status_code == 422


@pytest.mark.parametrize("role", ["grid_worker", "village_secretary", "township_leader", "liaison", "auditor"])
async def test_only_administrators_subscribe(edge: Edge, role: str) -> None:
    answer = await edge.http.get("/intake/v1/subscriptions", headers=edge.bearer(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
