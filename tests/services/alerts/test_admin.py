"""Officers, duties, endpoints, deliveries: kept by the county, within its range."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]

CSV = (
    "工号,姓名,角色,手机,邮箱,行政区划代码\r\n"
    f"S1,李四,村党支部书记,19900000001,s1@example.gov.cn,{VILLAGE}\r\n"
    f"S1,李四,网格员,19900000001,s1@example.gov.cn,{VILLAGE}\r\n"
    "T1,王五,township_leader,,,130624100\r\n"
)


@pytest.fixture
def admin_headers(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("county_admin", COUNTY, officer_no="C1")


async def post_csv(client: httpx.AsyncClient, headers: dict[str, str], content: bytes) -> httpx.Response:
    return await client.post("/alerts/v1/officers", content=content, headers={**headers, "content-type": "text/csv"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_a_list_is_imported_once(
    alerts_client: httpx.AsyncClient, admin_headers: dict[str, str], rows: Rows, encoding: str
) -> None:
    first = await post_csv(alerts_client, admin_headers, CSV.encode(encoding))
    assert first.json() == {"lines": 3, "officers": 2, "duties": 3}
    again = await post_csv(alerts_client, admin_headers, CSV.encode(encoding))
    assert again.json() == {"lines": 3, "officers": 0, "duties": 0}
    assert [row["address"] for row in await rows("endpoint")] == ["s1@example.gov.cn"]
    assert {row["name"] for row in await rows("officer")} == {"李四", "王五"}


async def test_a_bad_list_changes_nothing_and_says_where(
    alerts_client: httpx.AsyncClient, admin_headers: dict[str, str], rows: Rows
) -> None:
    bad = CSV + "X1,赵六,村长,,,130624100202\r\nX2,,网格员,,坏,130624100000\r\nS1,李五,网格员,,,130524100202\r\n"
    answer = await post_csv(alerts_client, admin_headers, bad.encode())
    assert answer.status_code == 422
    found = {(error["where"], error["code"]) for error in answer.json()["errors"]}
    assert found == {
        ("line/4/角色", "unknown_role"),
        ("line/5/姓名", "missing"),
        ("line/5/邮箱", "email_format"),
        ("line/6/行政区划代码", "out_of_range"),
    }
    assert await rows("officer") == []


@pytest.mark.parametrize("content", ["工号,姓名\n1,2\n", "", '工号,"', CSV.splitlines()[0] + ",工号\n"])
async def test_an_unreadable_list(
    alerts_client: httpx.AsyncClient, admin_headers: dict[str, str], content: str
) -> None:
    answer = await post_csv(alerts_client, admin_headers, content.encode())
    assert (answer.status_code, answer.json()["code"]) == (400, "officer_list_unreadable")


async def test_json_lists_and_their_mistakes(alerts_client: httpx.AsyncClient, admin_headers: dict[str, str]) -> None:
    line = {"officer_no": "S1", "name": "李四", "role": "village_secretary", "division": VILLAGE}
    good = await alerts_client.post("/alerts/v1/officers", json=[line], headers=admin_headers)
    assert good.json() == {"lines": 1, "officers": 1, "duties": 1}
    bad = await alerts_client.post("/alerts/v1/officers", json=[{**line, "rank": 1}], headers=admin_headers)
    assert (bad.status_code, bad.json()["errors"][0]["where"]) == (422, "body/0/rank")


async def test_a_post_ends(
    alerts_client: httpx.AsyncClient, admin_headers: dict[str, str], cadres: None, tell: Any, rows: Rows
) -> None:
    body = {
        "officer_no": "G1",
        "role": "grid_worker",
        "division": VILLAGE,
        "valid_from": "2026-03-15",
        "valid_to": "2026-03-16",
    }
    answer = await alerts_client.post("/alerts/v1/duties", json=body, headers=admin_headers)
    assert (answer.status_code, answer.json()["valid_to"]) == (200, "2026-03-16")
    listed = await alerts_client.get("/alerts/v1/duties", params={"on": "2026-03-16"}, headers=admin_headers)
    assert "G1" not in {item["officer_no"] for item in listed.json()["items"]}
    odd = await alerts_client.get("/alerts/v1/duties", params={"on": "0"}, headers=admin_headers)
    assert odd.status_code == 422
    wrong = await alerts_client.post(
        "/alerts/v1/duties", json={**body, "role": "township_leader"}, headers=admin_headers
    )
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "role_level")


async def test_only_the_county_keeps_the_lists(alerts_client: httpx.AsyncClient, bearer: Bearer) -> None:
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    for path in ("officers", "endpoints", "deliveries"):
        assert (await alerts_client.get(f"/alerts/v1/{path}", headers=headers)).status_code == 403


async def test_deliveries_are_listed_with_their_last_try(
    alerts_client: httpx.AsyncClient, admin_headers: dict[str, str], cadres: None, tell: Any
) -> None:
    body = {"channel": "console", "address": "county", "division": COUNTY}
    made = await alerts_client.post("/alerts/v1/endpoints", json=body, headers=admin_headers)
    assert made.json()["secret"] is None
    await tell(risk(1), risk(2))
    first = await alerts_client.get("/alerts/v1/deliveries", params={"limit": 1}, headers=admin_headers)
    rest = await alerts_client.get(
        "/alerts/v1/deliveries", params={"cursor": first.json()["next_cursor"], "state": "due"}, headers=admin_headers
    )
    assert len(first.json()["items"]) == len(rest.json()["items"]) == 1
    assert first.json()["items"][0]["last_outcome"] is None


async def test_a_webhooks_key_is_not_shown(
    alerts_client: httpx.AsyncClient, admin_headers: dict[str, str], rows: Rows
) -> None:
    body = {"channel": "webhook", "address": "http://127.0.0.1:9/x?key=abc", "division": TOWNSHIP}
    made = await alerts_client.post("/alerts/v1/endpoints", json=body, headers=admin_headers)
    assert made.json()["secret"].startswith("whsec_")
    (listed,) = (await alerts_client.get("/alerts/v1/endpoints", headers=admin_headers)).json()["items"]
    assert listed["address"] == "http://127.0.0.1:9/x"
    (stored,) = await rows("endpoint")
    assert made.json()["secret"][6:].encode() not in stored["sealed_secret"]


async def test_a_corrected_address_takes_the_place_of_the_old_one(enlist: Any, rows: Any) -> None:
    await enlist(("G1", "grid_worker", VILLAGE), email="old@example.gov.cn")
    await enlist(("G1", "grid_worker", VILLAGE), email="new@example.gov.cn")
    assert {row["address"]: row["state"] for row in await rows("endpoint")} == {
        "old@example.gov.cn": "disabled",
        "new@example.gov.cn": "active",
    }
    await enlist(("G1", "grid_worker", VILLAGE), email="old@example.gov.cn")
    assert {row["address"]: row["state"] for row in await rows("endpoint")} == {
        "old@example.gov.cn": "active",
        "new@example.gov.cn": "disabled",
    }
