"""Two persons for "no risk" on a red alert: until the second agrees, nothing is closed and monitoring is not told."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.contracts.alerts import VERIFIED, Verified
from tests.services.alerts.places import TOWNSHIP, VILLAGE, risk

Bearer = Callable[..., dict[str, str]]
Rows = Callable[..., Any]
ANSWER = {"outcome": "no_risk", "contact": {"method": "visit", "on": "2026-03-15", "met": "户主本人"}}


@pytest.fixture
async def red(tell: Any, cadres: None, admin: asyncpg.Connection) -> UUID:
    await tell(risk(severity="red"))
    found: UUID = await admin.fetchval("SELECT alert_id FROM alerts.alert")
    return found


@pytest.fixture
def first(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("first_secretary", VILLAGE, officer_no="F1")


async def answer(client: httpx.AsyncClient, alert: UUID, headers: dict[str, str], **changes: Any) -> httpx.Response:
    path = f"/alerts/v1/alerts/{alert}/verification"
    return await client.post(path, json={**ANSWER, **changes}, headers=headers)


async def second(
    client: httpx.AsyncClient, alert: UUID, verification: object, headers: dict[str, str], **body: Any
) -> httpx.Response:
    path = f"/alerts/v1/alerts/{alert}/verification/{verification}/confirmation"
    return await client.post(path, json=body, headers=headers)


async def test_it_waits_and_then_closes(
    alerts_client: httpx.AsyncClient, red: UUID, secretary: dict[str, str], first: dict[str, str], rows: Rows
) -> None:
    given = await answer(alerts_client, red, secretary)
    assert (given.status_code, given.json()["status"], given.json()["outcome"]) == (200, "confirming", None)
    assert await rows("outbox", "type = $1", VERIFIED) == []
    (made,) = await rows("verification")
    assert [row["officer_no"] for row in await rows("inbox_item", "kind = 'confirm'")] == ["F1"]
    shown = (await alerts_client.get(f"/alerts/v1/alerts/{red}", headers=first)).json()
    assert (shown["status"], shown["verification"]["state"]) == ("confirming", "awaiting")
    closed = await second(alerts_client, red, made["verification_id"], first, agrees=True)
    assert (closed.status_code, closed.json()["status"], closed.json()["outcome"]) == (200, "closed", "no_risk")
    (event,) = await rows("outbox", "type = $1", VERIFIED)
    (item,) = Verified.model_validate(event["payload"]).items
    assert (item.outcome, item.officer_role, item.visited_on is not None) == ("no_risk", "village_secretary", True)
    (stood,) = await rows("verification")
    assert (stood["state"], stood["officer_no"], stood["second_officer_no"]) == ("stands", "S1", "F1")
    assert [row["action"] for row in await rows("alert_log")] == ["opened", "routed", "propose", "confirm"]
    late = await second(alerts_client, red, made["verification_id"], first, agrees=True)
    assert (late.status_code, late.json()["code"]) == (409, "nothing_to_confirm")


async def test_refused_with_a_reason_it_is_verified_again(
    alerts_client: httpx.AsyncClient, red: UUID, secretary: dict[str, str], first: dict[str, str], rows: Rows
) -> None:
    await answer(alerts_client, red, secretary)
    (made,) = await rows("verification")
    without = await second(alerts_client, red, made["verification_id"], first, agrees=False)
    assert (without.status_code, without.json()["code"]) == (422, "reason_needed")
    refused = await second(alerts_client, red, made["verification_id"], first, agrees=False, reason="户主说未见到人")
    assert (refused.status_code, refused.json()["status"]) == (200, "verifying")
    assert [row["officer_no"] for row in await rows("inbox_item", "kind = 'refused'")] == ["S1"]
    assert await rows("outbox", "type = $1", VERIFIED) == []
    better = await answer(alerts_client, red, secretary, outcome="identify", causes=["illness"])
    assert (better.status_code, better.json()["status"]) == (200, "closed")
    assert sorted(row["state"] for row in await rows("verification")) == ["refused", "stands"]


async def test_the_second_is_another_and_not_below_the_first(
    alerts_client: httpx.AsyncClient, red: UUID, secretary: dict[str, str], bearer: Bearer, rows: Rows
) -> None:
    await answer(alerts_client, red, secretary)
    (made,) = await rows("verification")
    worker = bearer("grid_worker", VILLAGE, officer_no="G1")
    for headers in (secretary, worker):
        refused = await second(alerts_client, red, made["verification_id"], headers, agrees=True)
        assert (refused.status_code, refused.json()["code"]) == (403, "second_officer_needed")
    unknown = await second(alerts_client, red, uuid4(), worker, agrees=True)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "verification_unknown")
    leader = bearer("township_leader", TOWNSHIP, officer_no="T1")
    assert (await second(alerts_client, red, made["verification_id"], leader, agrees=True)).status_code == 200


async def test_while_it_waits_nothing_else_is_done(
    alerts_client: httpx.AsyncClient, red: UUID, secretary: dict[str, str], first: dict[str, str]
) -> None:
    await answer(alerts_client, red, secretary)
    for path, body in (
        ("verification", {"outcome": "moved"}),
        ("attempts", {"method": "call"}),
        ("handover", {"to_officer_no": "T1", "reason": "外出"}),
    ):
        refused = await alerts_client.post(f"/alerts/v1/alerts/{red}/{path}", json=body, headers=first)
        assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_awaited"), path
    seen = await alerts_client.post(f"/alerts/v1/alerts/{red}/acknowledge", json={}, headers=first)
    assert (seen.status_code, seen.json()["status"]) == (200, "confirming")


@pytest.mark.parametrize(
    ("severity", "outcome", "status"),
    [("red", "no_risk", "confirming"), ("orange", "no_risk", "closed"), ("red", "moved", "closed")],
)
async def test_only_where_policy_asks(
    alerts_client: httpx.AsyncClient,
    tell: Any,
    cadres: None,
    secretary: dict[str, str],
    rows: Rows,
    severity: str,
    outcome: str,
    status: str,
) -> None:
    await tell(risk(severity=severity))
    (found,) = await rows("alert")
    given = await answer(alerts_client, found["alert_id"], secretary, outcome=outcome)
    assert (given.status_code, given.json()["status"]) == (200, status)


async def test_the_same_answer_and_the_same_confirmation_again_change_nothing(
    alerts_client: httpx.AsyncClient, red: UUID, secretary: dict[str, str], first: dict[str, str], rows: Rows
) -> None:
    number, step_id = str(uuid4()), str(uuid4())
    for _ in range(2):
        assert (await answer(alerts_client, red, secretary, id=number)).json()["status"] == "confirming"
    other = await answer(alerts_client, red, secretary, id=number, note="另有说明")
    assert (other.status_code, other.json()["code"]) == (409, "verification_id_taken")
    for _ in range(2):
        closed = await second(alerts_client, red, number, first, agrees=True, id=step_id)
        assert (closed.status_code, closed.json()["status"]) == (200, "closed")
    assert len(await rows("outbox", "type = $1", VERIFIED)) == 1


async def test_who_is_concerned_is_not_asked(
    enlist: Any, cadres: None, tell: Any, alerts_client: httpx.AsyncClient, secretary: dict[str, str], rows: Rows
) -> None:
    await enlist(("F1", "first_secretary", VILLAGE), household_no="H1")
    await tell(risk(severity="red"))
    (alert,) = await rows("alert")
    assert (await answer(alerts_client, alert["alert_id"], secretary)).json()["status"] == "confirming"
    assert [row["officer_no"] for row in await rows("inbox_item", "kind = 'confirm'")] == ["T1"]


async def test_whose_answer_is_appealed_is_not_asked(
    cadres: None, tell: Any, alerts_client: httpx.AsyncClient, secretary: dict[str, str], rows: Rows
) -> None:
    note = {"nature": "appeal", "sentence": "农户不服原结论", "answered_by": "F1"}
    await tell(risk(severity="red", notes=[note], report_ids=["r1"], reason="hardship_report"))
    (alert,) = await rows("alert")
    assert (await answer(alerts_client, alert["alert_id"], secretary)).json()["status"] == "confirming"
    assert [row["officer_no"] for row in await rows("inbox_item", "kind = 'confirm'")] == ["T1"]
