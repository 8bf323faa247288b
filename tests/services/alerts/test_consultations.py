"""A joint consultation: departments write, people meet, and what they decide closes the alert."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.contracts.alerts import VERIFIED, Verified
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Bearer = Callable[..., dict[str, str]]
Rows = Callable[..., Any]
CALL: dict[str, Any] = {
    "departments": ["医疗保障", "民政"],
    "question": "是否符合纳入条件",
    "opinions_by": "2026-03-15",
    "meets_on": "2026-03-15",
}
DECISION = {
    "held_on": "2026-03-15",
    "attendees": ["T1", "S1", "民政局李四"],
    "outcome": "identify",
    "causes": ["illness"],
    "measures": "民政局落实临时救助",
}


@pytest.fixture
def leader(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("township_leader", TOWNSHIP, officer_no="T1")


@pytest.fixture
def liaison(bearer: Bearer, alerts_client: httpx.AsyncClient) -> Callable[[str], dict[str, str]]:
    return lambda department: bearer("liaison", COUNTY, officer_no=f"L-{len(department)}", department=department)


@pytest.fixture
async def called(alerts_client: httpx.AsyncClient, alert: UUID, leader: dict[str, str]) -> str:
    answer = await alerts_client.post(f"/alerts/v1/alerts/{alert}/consultation", json=CALL, headers=leader)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["consultation_id"])


async def opine(
    client: httpx.AsyncClient, number: str, headers: dict[str, str], text: str, **more: Any
) -> httpx.Response:
    path = f"/alerts/v1/consultations/{number}/opinions"
    return await client.post(path, json={"opinion": text, **more}, headers=headers)


async def decide(client: httpx.AsyncClient, number: str, headers: dict[str, str], **changes: Any) -> httpx.Response:
    path = f"/alerts/v1/consultations/{number}/decision"
    return await client.post(path, json={**DECISION, **changes}, headers=headers)


async def test_from_the_question_to_the_decision(
    alerts_client: httpx.AsyncClient,
    alert: UUID,
    called: str,
    leader: dict[str, str],
    liaison: Callable[[str], dict[str, str]],
    rows: Rows,
) -> None:
    early = await decide(alerts_client, called, leader)
    assert (early.status_code, early.json()["errors"][0]["code"]) == (422, "opinions_awaited")
    for department in CALL["departments"]:
        written = await opine(alerts_client, called, liaison(department), f"{department}：已核对")
        assert written.status_code == 200, written.text
    decided = await decide(alerts_client, called, leader)
    assert (decided.status_code, decided.json()["status"], decided.json()["outcome"]) == (200, "closed", "identify")
    (event,) = await rows("outbox", "type = $1", VERIFIED)
    (item,) = Verified.model_validate(event["payload"]).items
    assert (item.outcome, item.causes, item.visited_on, item.officer_role) == (
        "identify",
        ["illness"],
        None,
        "township_leader",
    )
    (answer,) = await rows("verification")
    assert (str(answer["consultation_id"]), answer["note"]) == (called, "民政局落实临时救助")
    shown = (await alerts_client.get(f"/alerts/v1/alerts/{alert}", headers=leader)).json()
    assert shown["verification"]["consultation_id"] == called
    actions = [entry["action"] for entry in shown["timeline"]]
    assert actions == ["opened", "routed", "consult", "opinion", "opinion", "verify"]
    late = await opine(alerts_client, called, liaison("民政"), "补充")
    assert (late.status_code, late.json()["code"]) == (409, "consultation_decided")


async def test_a_department_reads_its_own_opinion_and_no_other(
    alerts_client: httpx.AsyncClient,
    called: str,
    leader: dict[str, str],
    bearer: Bearer,
    liaison: Callable[[str], dict[str, str]],
) -> None:
    await opine(alerts_client, called, liaison("医疗保障"), "慢特病待遇已办理")
    await opine(alerts_client, called, liaison("民政"), "可办理临时救助")
    path = f"/alerts/v1/consultations/{called}"
    own = await alerts_client.get(path, headers=liaison("民政"))
    assert [one["department"] for one in own.json()["opinions"]] == own.json()["departments"] == ["民政"]
    assert not [word for word in ("慢特病", "医疗保障", "张建国", "illness") if word in own.text]
    other = await alerts_client.get(path, headers=liaison("教育"))
    assert (other.status_code, other.json()["code"]) == (404, "consultation_unknown")
    assert (await alerts_client.get("/alerts/v1/consultations", headers=liaison("教育"))).json()["items"] == []
    for role, headers, health in (
        ("village", bearer("village_secretary", VILLAGE, officer_no="S1"), None),
        ("township", leader, None),
        ("county", bearer("county_admin", COUNTY, officer_no="C1"), "慢特病待遇已办理"),
    ):
        opinions = {
            o["department"]: o["opinion"] for o in (await alerts_client.get(path, headers=headers)).json()["opinions"]
        }
        assert opinions == {"医疗保障": health, "民政": "可办理临时救助" if role != "village" else None}, role


async def test_while_it_is_open_nobody_else_closes_the_alert(
    alerts_client: httpx.AsyncClient, alert: UUID, called: str, bearer: Bearer, leader: dict[str, str]
) -> None:
    secretary = bearer("village_secretary", VILLAGE, officer_no="S1")
    refused = await alerts_client.post(
        f"/alerts/v1/alerts/{alert}/verification", json={"outcome": "moved"}, headers=secretary
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "consultation_pending")
    second = await alerts_client.post(f"/alerts/v1/alerts/{alert}/consultation", json=CALL, headers=leader)
    assert (second.status_code, second.json()["code"]) == (409, "consultation_open")
    village = await alerts_client.get(f"/alerts/v1/consultations/{called}", headers=secretary)
    assert (village.status_code, village.json()["question"]) == (200, None)
    elsewhere = bearer("village_secretary", OTHER_VILLAGE, officer_no="S2")
    assert (await alerts_client.get(f"/alerts/v1/consultations/{called}", headers=elsewhere)).status_code == 404
    assert (await decide(alerts_client, called, secretary)).status_code == 403


async def test_an_opinion_is_given_once_and_by_who_is_asked(
    alerts_client: httpx.AsyncClient,
    called: str,
    leader: dict[str, str],
    liaison: Callable[[str], dict[str, str]],
    rows: Rows,
) -> None:
    number = str(uuid4())
    for _ in range(2):
        assert (await opine(alerts_client, called, liaison("民政"), "可救助", id=number)).status_code == 200
    again = await opine(alerts_client, called, liaison("民政"), "不可救助")
    assert (again.status_code, again.json()["code"]) == (409, "opinion_given")
    assert (await opine(alerts_client, called, liaison("教育"), "x")).status_code == 404
    assert (await opine(alerts_client, called, leader, "x")).json()["code"] == "not_asked"
    assert len(await rows("consultation_opinion")) == 1


async def test_deadlines_are_listed(
    alerts_client: httpx.AsyncClient, called: str, leader: dict[str, str], bearer: Bearer, house: Any
) -> None:
    path = "/alerts/v1/consultations?state=open&overdue=true"
    assert (await alerts_client.get(path, headers=leader)).json()["items"] == []
    house.clock.at += timedelta(days=1)
    later = bearer("township_leader", TOWNSHIP, officer_no="T1")
    (found,) = (await alerts_client.get(path, headers=later)).json()["items"]
    assert (found["consultation_id"], found["is_overdue"]) == (called, True)
    assert found["awaited"] == ["医疗保障", "民政"]
    # Their day is over: it is decided without them.
    decided = await decide(alerts_client, called, later, id=str(uuid4()))
    assert (decided.status_code, decided.json()["status"]) == (200, "closed")


@pytest.mark.parametrize("role", ["grid_worker", "village_secretary", "first_secretary"])
async def test_the_village_calls_none(
    alerts_client: httpx.AsyncClient, alert: UUID, bearer: Bearer, role: str
) -> None:
    headers = bearer(role, VILLAGE, officer_no="S1")
    refused = await alerts_client.post(f"/alerts/v1/alerts/{alert}/consultation", json=CALL, headers=headers)
    assert refused.status_code == 403


async def cancel(client: httpx.AsyncClient, number: str, headers: dict[str, str], **body: Any) -> httpx.Response:
    path = f"/alerts/v1/consultations/{number}/cancellation"
    return await client.post(path, json={"reason": "部门已书面答复", **body}, headers=headers)


async def test_it_can_be_called_off_with_a_reason_and_called_again(
    alerts_client: httpx.AsyncClient,
    alert: UUID,
    called: str,
    leader: dict[str, str],
    liaison: Callable[[str], dict[str, str]],
    bearer: Bearer,
    rows: Rows,
) -> None:
    assert (await cancel(alerts_client, called, leader, reason="")).status_code == 422
    step = str(uuid4())
    off = await cancel(alerts_client, called, leader, id=step)
    assert (off.status_code, off.json()["state"], off.json()["cancel_reason"]) == (200, "cancelled", "部门已书面答复")
    assert (await cancel(alerts_client, called, leader, id=step)).status_code == 200, "sent again: once"
    again = await cancel(alerts_client, called, leader)
    assert (again.status_code, again.json()["code"]) == (409, "consultation_decided")
    late = await opine(alerts_client, called, liaison("民政"), "补充")
    assert (late.status_code, late.json()["code"]) == (409, "consultation_decided")
    [row] = await rows("alert_log", "action = 'consultation_cancelled'")
    assert (row["actor"], row["detail"]["reason"]) == ("T1", "部门已书面答复")
    listed = await alerts_client.get("/alerts/v1/consultations?state=cancelled", headers=leader)
    assert [item["consultation_id"] for item in listed.json()["items"]] == [called]
    path = f"/alerts/v1/alerts/{alert}/consultation"
    assert (await alerts_client.post(path, json=CALL, headers=leader)).status_code == 200


async def test_once_called_off_the_alert_is_answered_as_any_other(
    alerts_client: httpx.AsyncClient, alert: UUID, called: str, leader: dict[str, str], bearer: Bearer
) -> None:
    secretary = bearer("village_secretary", VILLAGE, officer_no="S1")
    path = f"/alerts/v1/alerts/{alert}/verification"
    pending = await alerts_client.post(path, json={"outcome": "moved"}, headers=secretary)
    assert (pending.status_code, pending.json()["code"]) == (409, "consultation_pending")
    assert (await cancel(alerts_client, called, secretary)).status_code == 403
    await cancel(alerts_client, called, leader)
    assert (await alerts_client.post(path, json={"outcome": "moved"}, headers=secretary)).status_code == 200


async def test_only_who_was_asked_hears_that_it_is_off(
    alerts_client: httpx.AsyncClient,
    called: str,
    leader: dict[str, str],
    enlist: Callable[..., Any],
    rows: Rows,
    bearer: Bearer,
) -> None:
    await enlist(("L1", "liaison", COUNTY), department="民政")
    await enlist(("L2", "liaison", COUNTY), department="水利")
    await cancel(alerts_client, called, leader)
    letters = await rows("inbox_item", "title = '联合会商已取消'")
    assert [row["officer_no"] for row in letters] == ["L1"]
    assert "张" not in letters[0]["body"]
    other = bearer("liaison", COUNTY, officer_no="L2", department="水利")
    assert (await alerts_client.get(f"/alerts/v1/consultations/{called}", headers=other)).status_code == 404


async def test_the_number_of_another_answer_is_refused(
    alerts_client: httpx.AsyncClient, called: str, leader: dict[str, str], tell: Any, bearer: Bearer, rows: Rows
) -> None:
    await tell(risk(2))
    (other,) = await rows("alert", "household_no = 'H2'")
    taken = str(uuid4())
    secretary = bearer("village_secretary", VILLAGE, officer_no="S1")
    path = f"/alerts/v1/alerts/{other['alert_id']}/verification"
    await alerts_client.post(path, json={"outcome": "moved", "id": taken}, headers=secretary)
    for department in CALL["departments"]:
        await opine(alerts_client, called, bearer("liaison", COUNTY, officer_no="L", department=department), "同意")
    refused = await decide(alerts_client, called, leader, id=taken)
    assert (refused.status_code, refused.json()["code"]) == (409, "verification_id_taken")
    assert (await decide(alerts_client, called, leader)).status_code == 200
