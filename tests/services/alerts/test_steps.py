"""What a cadre does to an alert: acknowledge, try, hand over, answer."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.clock import SHANGHAI, FixedClock
from shared.contracts.alerts import VERIFIED, Verified
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
VISIT = {"method": "visit", "on": "2026-03-15", "met": "户主本人"}


async def step(
    client: httpx.AsyncClient, alert: UUID, name: str, headers: dict[str, str], **body: Any
) -> httpx.Response:
    return await client.post(f"/alerts/v1/alerts/{alert}/{name}", json=body, headers=headers)


async def test_acknowledge_cancels_what_is_not_delivered(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], rows: Rows, admin: asyncpg.Connection
) -> None:
    await _delivery(admin, alert)
    answer = await step(alerts_client, alert, "acknowledge", secretary)
    assert (answer.status_code, answer.json()["status"]) == (200, "acknowledged")
    (delivery,) = await rows("delivery")
    assert (delivery["state"], delivery["due_at"]) == ("cancelled", None)
    assert [row["action"] for row in await rows("alert_log")] == ["opened", "routed", "acknowledge"]
    assert [row["action"] for row in await rows("audit_log", "action LIKE 'alert.%'")] == ["alert.acknowledge"]


async def test_acknowledge_again_changes_nothing(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], rows: Rows
) -> None:
    answers = await asyncio.gather(*(step(alerts_client, alert, "acknowledge", secretary) for _ in range(4)))
    assert {(a.status_code, a.json()["version"]) for a in answers} == {(200, 2)}
    assert len(await rows("alert_log", "action = 'acknowledge'")) == 1


async def test_an_older_version_is_refused(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str]
) -> None:
    answer = await step(alerts_client, alert, "acknowledge", secretary, version=7)
    assert (answer.status_code, answer.json()["code"]) == (409, "alert_changed")


async def test_cannot_reach_verifies_on_and_closes_nothing(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], rows: Rows
) -> None:
    for _ in range(2):
        answer = await step(alerts_client, alert, "attempts", secretary, method="call", note="无人接听")
        assert answer.json()["status"] == "verifying"
    assert len(await rows("alert_log", "action = 'cannot_reach'")) == 2


async def test_idempotency_key_replays_and_refuses_another_body(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], rows: Rows
) -> None:
    headers = {**secretary, "Idempotency-Key": "k1"}
    first = await step(alerts_client, alert, "attempts", headers, method="call")
    again = await step(alerts_client, alert, "attempts", headers, method="call")
    other = await step(alerts_client, alert, "attempts", headers, method="visit")
    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await rows("alert_log", "action = 'cannot_reach'")) == 1


@pytest.mark.parametrize("colleague", ["S1", "S2", "NOBODY"])
async def test_hand_over_needs_a_colleague_of_the_place(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], colleague: str
) -> None:
    answer = await step(alerts_client, alert, "handover", secretary, to_officer_no=colleague, reason="x")
    assert (answer.status_code, answer.json()["code"]) == (422, "colleague_not_on_duty")


async def test_verification_closes_and_goes_back(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], rows: Rows
) -> None:
    answer = await step(alerts_client, alert, "verification", secretary, outcome="no_risk", contact=VISIT)
    assert (answer.status_code, answer.json()["status"], answer.json()["outcome"]) == (200, "closed", "no_risk")
    (event,) = await rows("outbox", "type = $1", VERIFIED)
    (item,) = Verified.model_validate(event["payload"]).items
    assert (item.outcome, item.household_no, item.facts_version) == ("no_risk", "H1", 10)
    assert (item.indicators, item.officer_role) == (["medical_self_pay"], "village_secretary")
    (stored,) = await rows("verification")
    assert (stored["contacted_by"], stored["met"]) == ("S1", "户主本人")
    late = await step(alerts_client, alert, "acknowledge", secretary)
    assert (late.status_code, late.json()["code"]) == (409, "alert_closed")


@pytest.mark.parametrize(
    ("contact", "told"),
    [({**VISIT, "minutes": 75}, 75), ({**VISIT, "method": "call", "minutes": 8}, None), (VISIT, None)],
)
async def test_what_a_visit_took_goes_back_and_what_a_call_took_does_not(
    alerts_client: httpx.AsyncClient,
    alert: UUID,
    secretary: dict[str, str],
    rows: Rows,
    contact: dict[str, Any],
    told: int | None,
) -> None:
    await step(alerts_client, alert, "verification", secretary, outcome="no_risk", contact=contact)
    (event,) = await rows("outbox", "type = $1", VERIFIED)
    assert Verified.model_validate(event["payload"]).items[0].visit_minutes == told
    (stored,) = await rows("verification")
    shown = await alerts_client.get(f"/alerts/v1/alerts/{alert}", headers=secretary)
    assert shown.json()["verification"]["minutes"] == stored["minutes"] == contact.get("minutes")


@pytest.mark.parametrize("minutes", [0, 1441, "一小时"])
async def test_no_visit_takes_no_time_or_more_than_a_day(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], minutes: object
) -> None:
    contact = {**VISIT, "minutes": minutes}
    answer = await step(alerts_client, alert, "verification", secretary, outcome="no_risk", contact=contact)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body/contact/minutes")


async def test_an_incomplete_answer_says_what_is_missing(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], rows: Rows
) -> None:
    answer = await step(alerts_client, alert, "verification", secretary, outcome="no_risk")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "contact_required")
    assert await rows("verification") == []


async def test_same_answer_under_its_id_counts_once(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], rows: Rows
) -> None:
    body = {"id": str(uuid4()), "outcome": "moved"}
    answers = await asyncio.gather(*(step(alerts_client, alert, "verification", secretary, **body) for _ in range(4)))
    assert {a.status_code for a in answers} == {200}
    assert len(await rows("verification")) == len(await rows("outbox", "type = $1", VERIFIED)) == 1
    other = await step(alerts_client, alert, "verification", secretary, **{**body, "outcome": "deceased"})
    assert (other.status_code, other.json()["code"]) == (409, "verification_id_taken")


async def test_reports_hear_of_each_step(
    alerts_client: httpx.AsyncClient, tell: Callable[..., Any], cadres: None, secretary: dict[str, str], rows: Rows
) -> None:
    await tell(risk(report_ids=["r1"], reason="hardship_report"))
    (found,) = await rows("alert")
    await step(alerts_client, found["alert_id"], "acknowledge", secretary)
    await step(alerts_client, found["alert_id"], "verification", secretary, outcome="already_monitored")
    events = await rows("outbox", "type LIKE '%progress%'")
    told = [item["stage"] for event in events for item in event["payload"]["items"]]
    assert told == ["routed", "delivered", "acknowledged", "verified"]


async def test_a_system_cannot_act(
    alerts_client: httpx.AsyncClient, alert: UUID, bearer: Callable[..., dict[str, str]]
) -> None:
    answer = await step(alerts_client, alert, "acknowledge", bearer(scopes=["alerts:act", "alerts:read"]))
    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["acknowledge", "attempts", "handover", "verification"])
async def test_out_of_range_looks_like_not_found(
    alerts_client: httpx.AsyncClient, alert: UUID, bearer: Callable[..., dict[str, str]], name: str, rows: Rows
) -> None:
    other = bearer("village_secretary", OTHER_VILLAGE, officer_no="S2")
    bodies: dict[str, dict[str, Any]] = {
        "acknowledge": {},
        "attempts": {"method": "call"},
        "handover": {"to_officer_no": "T1", "reason": "x"},
        "verification": {"outcome": "moved"},
    }
    there = await step(alerts_client, alert, name, other, **bodies[name])
    nowhere = await step(alerts_client, uuid4(), name, other, **bodies[name])
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert {**there.json(), "instance": ""} == {**nowhere.json(), "instance": ""}
    assert len(await rows("alert_log", "action <> 'routed'")) == 1


async def test_the_county_sees_and_acts_on_all(
    alerts_client: httpx.AsyncClient, alert: UUID, bearer: Callable[..., dict[str, str]]
) -> None:
    answer = await step(alerts_client, alert, "acknowledge", bearer("county_admin", COUNTY, officer_no="C1"))
    assert answer.status_code == 200


async def _delivery(admin: asyncpg.Connection, alert: UUID) -> None:
    endpoint, notification = uuid4(), await admin.fetchval("SELECT notification_id FROM alerts.notification LIMIT 1")
    await admin.execute("INSERT INTO alerts.outlet (outlet_id) VALUES ($1)", endpoint)
    await admin.execute(
        "INSERT INTO alerts.endpoint (endpoint_id, outlet_id, channel, address, division, division_hi, updated_at) "
        "VALUES ($1, $1, 'console', 'x', $2, '130625000000', now())",
        endpoint,
        TOWNSHIP,
    )
    await admin.execute(
        "INSERT INTO alerts.delivery (delivery_id, notification_id, alert_id, channel, endpoint_id, outlet_id, "
        "message, due_at, created_at, give_up_at) "
        "VALUES ($1, $2, $3, 'console', $4, $4, '{}', now(), now(), now() + interval '7 days')",
        uuid4(),
        notification,
        alert,
        endpoint,
    )


async def test_who_comes_too_late_is_told_the_day_in_china_and_the_outcome_in_words(
    alerts_client: httpx.AsyncClient, alert: UUID, bearer: Callable[..., dict[str, str]], clock: FixedClock
) -> None:
    clock.at = datetime(2026, 3, 17, 0, 30, tzinfo=SHANGHAI)
    path, headers = f"/alerts/v1/alerts/{alert}", bearer("village_secretary", VILLAGE, officer_no="S1")
    await alerts_client.post(f"{path}/verification", json={"outcome": "moved"}, headers=headers)
    late = await alerts_client.post(f"{path}/acknowledge", json={}, headers=headers)
    assert (late.status_code, late.json()["detail"]) == (409, "预警已于 2026-03-17 办结，结论：已迁出")
