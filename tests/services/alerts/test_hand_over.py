"""A hand-over is an offer: until a colleague accepts it, whoever gives the alert answers for it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Bearer = Callable[..., dict[str, str]]
Rows = Callable[..., Any]


@pytest.fixture
def leader(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("township_leader", TOWNSHIP, officer_no="T1")


async def offer(
    client: httpx.AsyncClient, alert: UUID, headers: dict[str, str], to: str = "T1", **more: Any
) -> httpx.Response:
    body = {"to_officer_no": to, "reason": "外出学习", **more}
    return await client.post(f"/alerts/v1/alerts/{alert}/handover", json=body, headers=headers)


async def reply(
    client: httpx.AsyncClient, handover: object, headers: dict[str, str], answer: str, **more: Any
) -> httpx.Response:
    return await client.post(
        f"/alerts/v1/handovers/{handover}/answer", json={"answer": answer, **more}, headers=headers
    )


async def _answering(rows: Rows) -> dict[str, str]:
    return {row["officer_no"]: row["reach"] for row in await rows("assignment", "until IS NULL")}


async def test_until_accepted_the_giver_answers(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], leader: dict[str, str], rows: Rows
) -> None:
    before = await _answering(rows)
    answer = await offer(alerts_client, alert, secretary)
    assert (answer.status_code, answer.json()["status"]) == (200, "open")
    assert await _answering(rows) == before
    (item,) = await rows("inbox_item", "officer_no = 'T1'")
    assert item["kind"] == "handed_over"
    assert "张建国" in item["body"]
    listed = await alerts_client.get("/alerts/v1/handovers?state=pending&mine=true", headers=leader)
    (pending,) = listed.json()["items"]
    assert (pending["from_officer_no"], pending["manner"], pending["household_no"]) == ("S1", "transfer", "H1")
    accepted = await reply(alerts_client, pending["handover_id"], leader, "accept")
    assert (accepted.status_code, accepted.json()["status"]) == (200, "acknowledged")
    assert await _answering(rows) == {"G1": "duty", "T1": "handed_over"}
    actions = [row["action"] for row in await rows("alert_log")]
    assert actions == ["opened", "routed", "hand_over", "accept"]
    assert {row["action"] for row in await rows("audit_log")} >= {"alert.hand_over", "alert.accept"}


async def test_declined_with_a_reason_nothing_changes_and_the_giver_hears(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], leader: dict[str, str], rows: Rows
) -> None:
    before = await _answering(rows)
    await offer(alerts_client, alert, secretary)
    (made,) = await rows("handover")
    without = await reply(alerts_client, made["handover_id"], leader, "decline")
    assert (without.status_code, without.json()["code"]) == (422, "reason_needed")
    declined = await reply(alerts_client, made["handover_id"], leader, "decline", reason="不在本人包片")
    assert declined.status_code == 200
    assert await _answering(rows) == before
    (settled,) = await rows("handover")
    assert (settled["state"], settled["answer"]) == ("declined", "不在本人包片")
    assert [row["officer_no"] for row in await rows("inbox_item", "kind = 'declined'")] == ["S1"]
    again = await reply(alerts_client, made["handover_id"], leader, "accept")
    assert (again.status_code, again.json()["code"]) == (409, "handover_settled")


async def test_referred_both_answer(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], leader: dict[str, str], rows: Rows
) -> None:
    await offer(alerts_client, alert, secretary, manner="refer")
    (made,) = await rows("handover")
    await reply(alerts_client, made["handover_id"], leader, "accept")
    assert await _answering(rows) == {"G1": "duty", "S1": "duty", "T1": "handed_over"}


@pytest.mark.parametrize(
    ("kind", "to", "status"),
    [
        ("assign", "G1", 200),
        ("assign", "T1", 422),
        ("refer", "T1", 200),
        ("refer", "G1", 422),
        ("transfer", "G1", 200),
    ],
)
async def test_down_up_and_across(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], kind: str, to: str, status: int
) -> None:
    assert (await offer(alerts_client, alert, secretary, to, manner=kind)).status_code == status


async def test_one_offer_at_a_time_and_the_giver_may_withdraw(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], leader: dict[str, str], rows: Rows
) -> None:
    await offer(alerts_client, alert, secretary)
    second = await offer(alerts_client, alert, secretary, "G1")
    assert (second.status_code, second.json()["code"]) == (409, "handover_pending")
    (made,) = await rows("handover")
    not_his = await reply(alerts_client, made["handover_id"], leader, "withdraw")
    assert (not_his.status_code, not_his.json()["code"]) == (403, "handover_not_yours")
    assert (await reply(alerts_client, made["handover_id"], secretary, "withdraw")).status_code == 200
    assert (await offer(alerts_client, alert, secretary, "G1")).status_code == 200


async def test_nobody_else_answers_an_offer(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], bearer: Bearer, rows: Rows
) -> None:
    await offer(alerts_client, alert, secretary)
    (made,) = await rows("handover")
    county = bearer("county_admin", COUNTY, officer_no="C1")
    assert (await reply(alerts_client, made["handover_id"], county, "accept")).status_code == 403
    stranger = bearer("village_secretary", OTHER_VILLAGE, officer_no="S2")
    there = await reply(alerts_client, made["handover_id"], stranger, "accept")
    nowhere = await reply(alerts_client, uuid4(), stranger, "accept")
    assert (
        (there.status_code, there.json()["code"])
        == (nowhere.status_code, nowhere.json()["code"])
        == (
            404,
            "handover_unknown",
        )
    )


async def test_an_answered_alert_is_offered_no_more(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], leader: dict[str, str], rows: Rows
) -> None:
    await offer(alerts_client, alert, secretary)
    closed = await alerts_client.post(
        f"/alerts/v1/alerts/{alert}/verification", json={"outcome": "moved"}, headers=secretary
    )
    assert closed.status_code == 200
    (made,) = await rows("handover")
    assert made["state"] == "lapsed"
    late = await reply(alerts_client, made["handover_id"], leader, "accept")
    assert (late.status_code, late.json()["code"]) == (409, "handover_settled")


async def test_the_same_offer_again_changes_nothing_and_another_under_its_id_is_refused(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], rows: Rows
) -> None:
    step_id = str(uuid4())
    answers = [await offer(alerts_client, alert, secretary, id=step_id) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert len(await rows("handover")) == len(await rows("alert_log", "action = 'hand_over'")) == 1
    other = await offer(alerts_client, alert, secretary, "G1", id=step_id)
    assert (other.status_code, other.json()["code"]) == (409, "step_id_taken")


async def test_whose_answer_is_appealed_is_no_colleague_for_it(
    cadres: None, tell: Any, alerts_client: httpx.AsyncClient, bearer: Any, rows: Any
) -> None:
    note = {"nature": "appeal", "sentence": "农户不服原结论", "answered_by": "F1"}
    await tell(risk(notes=[note], report_ids=["r1"], reason="hardship_report"))
    (alert,) = await rows("alert")
    headers = bearer("village_secretary", VILLAGE, officer_no="S1")
    path, body = f"/alerts/v1/alerts/{alert['alert_id']}/handover", {"to_officer_no": "F1", "reason": "外出"}
    refused = await alerts_client.post(path, json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "colleague_not_on_duty")
