"""The timeline of an alert: everything that stands about it anywhere, in order, in words, page by page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from shared.clock import FixedClock
from tests.conftest import House
from tests.services.alerts.conftest import Tell
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE, risk

Bearer = Callable[..., dict[str, str]]


@pytest.fixture
def county_head(bearer: Bearer) -> dict[str, str]:
    return bearer("county_admin", COUNTY, officer_no="C1")


async def pages(client: httpx.AsyncClient, alert: UUID, headers: dict[str, str], limit: int) -> list[dict[str, Any]]:
    """The whole timeline, read page by page."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        params = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(f"/alerts/v1/alerts/{alert}/timeline", headers=headers, params=params)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


async def test_it_tells_what_happened_in_order(
    alert: UUID,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
    county_head: dict[str, str],
    clock: FixedClock,
    house: House,
) -> None:
    clock.at += timedelta(minutes=5)
    path, secretary = f"/alerts/v1/alerts/{alert}", bearer("village_secretary", VILLAGE, officer_no="S1")
    assert (await alerts_client.post(f"{path}/acknowledge", headers=secretary, json={})).status_code == 200
    clock.at += timedelta(minutes=5)
    tried = {"method": "call", "note": "无人接听"}
    assert (await alerts_client.post(f"{path}/attempts", headers=secretary, json=tried)).status_code == 200
    clock.at += timedelta(minutes=5)
    answer = {"outcome": "moved", "note": "随子女迁往县城"}
    assert (await alerts_client.post(f"{path}/verification", headers=secretary, json=answer)).status_code == 200
    told = await pages(alerts_client, alert, county_head, 200)
    words = [one["words"] for one in told]
    assert [one["at"] for one in told] == sorted(one["at"] for one in told)
    expected = [
        "监测系统开启预警，等级橙色",
        "系统按路由表 national 分派，命中节点 ",
        "依据：",
        "负责（在岗责任人）",
        "“新预警”：发送",
        "干部 S1 签收，待签收→已签收",
        "干部 S1 电话联系不上（无人接听），已签收→核实中",
        "干部 S1 核实办结，结论：已迁出，核实中→已办结",
    ]
    places = [next(i for i, said in enumerate(words) if part in said) for part in expected]
    assert places == sorted(places), words


@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_pages_hold_each_event_once(
    limit: int, alert: UUID, alerts_client: httpx.AsyncClient, county_head: dict[str, str]
) -> None:
    whole = await pages(alerts_client, alert, county_head, 200)
    assert len(whole) > 7
    assert await pages(alerts_client, alert, county_head, limit) == whole


async def test_what_was_withheld_says_why(
    calm: None,
    tell: Tell,
    cadres: None,
    alerts_client: httpx.AsyncClient,
    county_head: dict[str, str],
    admin: asyncpg.Connection,
    clock: FixedClock,
    bearer: Bearer,
) -> None:
    endpoint = {"channel": "console", "address": "log", "officer_no": "S1"}
    assert (await alerts_client.post("/alerts/v1/endpoints", headers=county_head, json=endpoint)).status_code == 200
    clock.at = clock.at.replace(hour=22)
    assert (await tell(risk())).status_code == 200
    alert = await admin.fetchval("SELECT alert_id FROM alerts.alert")
    later = bearer("county_admin", COUNTY, officer_no="C1")
    words = [one["words"] for one in await pages(alerts_client, alert, later, 200)]
    assert "通知 S1 “新预警”：顺延：免打扰时段，顺延推送，3月17日 07:30后推送" in words, words


async def test_it_is_for_the_county(alert: UUID, alerts_client: httpx.AsyncClient, bearer: Bearer) -> None:
    path = f"/alerts/v1/alerts/{alert}/timeline"
    for role, division in (("village_secretary", VILLAGE), ("township_leader", TOWNSHIP)):
        answer = await alerts_client.get(path, headers=bearer(role, division, officer_no="S1"))
        assert answer.status_code == 403
    elsewhere = bearer("county_admin", "130625000000", officer_no="C9")
    assert (await alerts_client.get(path, headers=elsewhere)).json()["code"] == "alert_unknown"


async def test_a_look_is_audited(
    alert: UUID, alerts_client: httpx.AsyncClient, county_head: dict[str, str], admin: asyncpg.Connection
) -> None:
    await pages(alerts_client, alert, county_head, 200)
    object_ = await admin.fetchval("SELECT object FROM alerts.audit_log WHERE action = 'alert.timeline'")
    assert object_ == f"alert:{alert}"


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "eyJhdCI6IngiLCJyYW5rIjoxLCJrZXkiOiIifQ",
        "eyJhdCI6Ijk5OTktMTItMzFUMjM6NTk6NTktMTI6MDAiLCJyYW5rIjoxLCJrZXkiOiIifQ",
    ],
)
async def test_a_broken_cursor_is_refused(
    cursor: str, alert: UUID, alerts_client: httpx.AsyncClient, county_head: dict[str, str]
) -> None:
    path = f"/alerts/v1/alerts/{alert}/timeline"
    answer = await alerts_client.get(path, headers=county_head, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
