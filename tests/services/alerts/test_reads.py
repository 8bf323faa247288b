"""What each caller sees: his range by every route, his field classes, his own inbox."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.db.scope import scoped
from shared.runtime import Runtime
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Bearer = Callable[..., dict[str, str]]
Tell = Callable[..., Any]


async def get(client: httpx.AsyncClient, path: str, headers: dict[str, str], **query: Any) -> httpx.Response:
    return await client.get(f"/alerts/v1/{path}", params=query, headers=headers)


async def test_a_range_is_a_wall_by_every_route(
    alerts_client: httpx.AsyncClient, alert: UUID, bearer: Bearer
) -> None:
    other = bearer("village_secretary", OTHER_VILLAGE, officer_no="S2")
    assert (await get(alerts_client, "alerts", other)).json()["items"] == []
    assert (await get(alerts_client, "alerts", other, division=VILLAGE)).json()["items"] == []
    assert (await get(alerts_client, "inbox", other)).json()["items"] == []
    summary = (await get(alerts_client, "summary", other, division=COUNTY)).json()
    assert summary["counts"] == []
    assert summary["messages"]["sent"] == 0
    there, nowhere = [await get(alerts_client, f"alerts/{i}", other) for i in (alert, uuid4())]
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert {**there.json(), "instance": ""} == {**nowhere.json(), "instance": ""}


async def test_without_a_scope_nothing_is_visible(alert: UUID, alerts_runtime: Runtime) -> None:
    tables = ("alert", "alert_evidence", "alert_log", "assignment", "notification", "inbox_item", "officer", "duty")
    for _ in range(2):
        async with alerts_runtime.pool.acquire() as connection:
            for table in tables:
                assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0
        async with scoped(alerts_runtime.pool, COUNTY) as connection:
            assert await connection.fetchval("SELECT count(*) FROM alert") == 1


async def test_either_place_may_see_the_alert(
    alerts_client: httpx.AsyncClient, tell: Tell, cadres: None, bearer: Bearer
) -> None:
    await tell(risk(registered_division=OTHER_VILLAGE))
    for village in (VILLAGE, OTHER_VILLAGE):
        headers = bearer("village_secretary", village, officer_no="S")
        assert len((await get(alerts_client, "alerts", headers)).json()["items"]) == 1


@pytest.mark.parametrize(
    ("role", "division", "name", "phone", "keys"),
    [
        ("grid_worker", VILLAGE, "张建国", "19900000001", {"cause", "occurred_on", "source", "state", "severity"}),
        (
            "village_secretary",
            VILLAGE,
            "张建国",
            "19900000001",
            {"cause", "occurred_on", "source", "state", "severity", "indicator", "kind", "department", "summary"},
        ),
        ("auditor", COUNTY, "张*国", None, None),
    ],
)
async def test_fields_follow_the_role(
    alerts_client: httpx.AsyncClient,
    alert: UUID,
    bearer: Bearer,
    role: str,
    division: str,
    name: str,
    phone: str | None,
    keys: set[str] | None,
) -> None:
    seen = (await get(alerts_client, f"alerts/{alert}", bearer(role, division, officer_no="X"))).json()
    assert (seen["name"], seen["phone"]) == (name, phone)
    shown = {key for item in seen["evidence"] for key in item["item"]}
    if keys is not None:
        assert shown == keys
    assert ("12345.60" in str(seen)) is (role == "auditor")


async def test_the_list_pages_filters_and_refuses_the_unknown(
    alerts_client: httpx.AsyncClient, tell: Tell, cadres: None, bearer: Bearer
) -> None:
    await tell(*(risk(n, severity="red" if n % 2 else "yellow") for n in range(7)))
    headers = bearer("township_leader", TOWNSHIP, officer_no="T1")
    seen, cursor = [], None
    while True:
        page = (await get(alerts_client, "alerts", headers, limit=3, **({"cursor": cursor} if cursor else {}))).json()
        seen += [item["household_no"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == [f"H{n}" for n in range(7)]
    assert len((await get(alerts_client, "alerts", headers, severity="red")).json()["items"]) == 3
    assert len((await get(alerts_client, "alerts", headers, mine=True)).json()["items"]) == 3
    assert len((await get(alerts_client, "alerts", headers, status="closed")).json()["items"]) == 0
    refused = await get(alerts_client, "alerts", headers, colour="red")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_parameter")
    assert (await get(alerts_client, "alerts", headers, cursor="eyJiZWZvcmUiOiJ4In0")).status_code == 400


async def test_overdue_is_visible(alerts_client: httpx.AsyncClient, alert: UUID, bearer: Bearer, clock: Any) -> None:
    clock.at += timedelta(hours=48)
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    (item,) = (await get(alerts_client, "alerts", headers, overdue=True)).json()["items"]
    assert item["is_overdue"] is True
    (count,) = (await get(alerts_client, "summary", headers)).json()["counts"]
    assert (count["status"], count["severity"], count["alerts"], count["overdue"]) == ("open", "orange", 1, 1)
    late = await alerts_client.get(f"{count['query']}&overdue=true", headers=headers)
    assert len(late.json()["items"]) == count["overdue"]


async def test_a_households_alerts_are_found_by_its_number(
    alerts_client: httpx.AsyncClient, tell: Tell, cadres: None, bearer: Bearer
) -> None:
    await tell(risk(1), risk(2))
    mine = bearer("village_secretary", VILLAGE, officer_no="S1")
    (item,) = (await get(alerts_client, "alerts", mine, household_no="H2")).json()["items"]
    assert item["household_no"] == "H2"
    other = bearer("village_secretary", OTHER_VILLAGE, officer_no="S2")
    out_of_range, unknown = [await get(alerts_client, "alerts", other, household_no=no) for no in ("H2", "H9")]
    assert (out_of_range.status_code, out_of_range.json()) == (200, {"items": [], "next_cursor": None})
    assert out_of_range.json() == unknown.json()


async def test_figures_carry_the_query_of_their_list(
    alerts_client: httpx.AsyncClient, tell: Tell, cadres: None, bearer: Bearer
) -> None:
    await tell(risk(1), risk(2, severity="red"), risk(3, severity=None, reason="hardship_report", report_ids=["R3"]))
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    counts = (await get(alerts_client, "summary", headers)).json()["counts"]
    assert {count["severity"] for count in counts} == {"orange", "red", None}
    for count in counts:
        listed = (await alerts_client.get(count["query"], headers=headers)).json()["items"]
        assert len(listed) == count["alerts"] == 1
        assert listed[0]["severity"] == count["severity"]


async def test_messages_are_counted_where_their_alert_is(
    alerts_client: httpx.AsyncClient, tell: Tell, cadres: None, bearer: Bearer
) -> None:
    await tell(risk(1), risk(2, living_division=OTHER_VILLAGE, registered_division=OTHER_VILLAGE))
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    sent = {
        place: (await get(alerts_client, "summary", headers, division=place)).json()["messages"]["sent"]
        for place in (COUNTY, TOWNSHIP, VILLAGE, OTHER_VILLAGE, "130624200000")
    }
    assert sent[VILLAGE] > 0
    assert sent[OTHER_VILLAGE] > 0
    assert sent[COUNTY] == sent[TOWNSHIP] == sent[VILLAGE] + sent[OTHER_VILLAGE]
    assert sent["130624200000"] == 0


async def test_the_inbox_is_ones_own(alerts_client: httpx.AsyncClient, alert: UUID, bearer: Bearer) -> None:
    mine = bearer("village_secretary", VILLAGE, officer_no="S1")
    (item,) = (await get(alerts_client, "inbox", mine)).json()["items"]
    assert item["alert_id"] == str(alert)
    assert item["link"].endswith(str(alert))
    read = await alerts_client.post("/alerts/v1/inbox/1/read", headers=mine)
    assert read.json()["read_at"] is not None
    assert (await get(alerts_client, "inbox", mine, unread=True)).json()["items"] == []
    stranger = bearer("county_admin", COUNTY, officer_no="C9")
    assert (await get(alerts_client, "inbox", stranger)).json()["items"] == []
    assert (await alerts_client.post("/alerts/v1/inbox/1/read", headers=stranger)).status_code == 404


async def test_a_system_has_no_inbox(alerts_client: httpx.AsyncClient, bearer: Bearer) -> None:
    answer = await get(alerts_client, "inbox", bearer(scopes=["alerts:read"]))
    assert (answer.status_code, answer.json()["code"]) == (403, "person_needed")
    stream = await get(alerts_client, "inbox/stream", bearer(scopes=["alerts:read"]))
    assert stream.status_code == 403


async def test_every_reference_of_the_document_leads_somewhere(alerts_client: httpx.AsyncClient) -> None:
    document = (await alerts_client.get("/alerts/openapi.json")).json()
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    assert references
    for reference in references:
        found = document
        for part in reference.split("/"):
            assert part in found, reference
            found = found[part]
