"""A guarantee found lacking becomes a department's task; the village says when it is there."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.clock import SHANGHAI
from shared.runtime import Runtime
from tests.conftest import House
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, finding, risk

Bearer = Callable[..., dict[str, str]]
Rows = Callable[..., Any]
VISIT = {"method": "visit", "on": "2026-03-15", "met": "户主本人"}


@pytest.fixture
def housing(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    return bearer("liaison", COUNTY, officer_no="L1", department="住房和城乡建设")


@pytest.fixture
def answer(alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str]) -> Callable[..., Any]:
    async def answered(outcome: str = "need_met", **more: Any) -> httpx.Response:
        body = {"outcome": outcome, "contact": VISIT, "helped_by": "民政局", "causes": ["illness"], **more}
        return await alerts_client.post(f"/alerts/v1/alerts/{alert}/verification", json=body, headers=secretary)

    return answered


async def test_from_the_visit_to_the_roof_and_back(
    alerts_client: httpx.AsyncClient,
    answer: Callable[..., Any],
    secretary: dict[str, str],
    housing: dict[str, str],
    rows: Rows,
) -> None:
    assert (await answer(needs=["housing"])).status_code == 200
    (listed,) = (await alerts_client.get("/alerts/v1/tasks", headers=housing)).json()["items"]
    assert (listed["sector"], listed["state"], listed["household_no"]) == ("housing", "open", "H1")
    assert (listed["name"], listed["about"]) == ("张*国", None)
    path = f"/alerts/v1/tasks/{listed['task_id']}"
    fed = await alerts_client.post(f"{path}/feedback", json={"result": "done", "note": "已加固"}, headers=housing)
    assert (fed.status_code, fed.json()["state"], fed.json()["alert_id"]) == (200, "answered", None)
    without = await alerts_client.post(f"{path}/confirmation", json={"solved": False}, headers=secretary)
    assert (without.status_code, without.json()["code"]) == (422, "reason_needed")
    body = {"solved": False, "note": "屋顶仍漏"}
    back = await alerts_client.post(f"{path}/confirmation", json=body, headers=secretary)
    assert (back.json()["state"], back.json()["round"]) == ("open", 2)
    await alerts_client.post(f"{path}/feedback", json={"result": "done", "note": "已重修"}, headers=housing)
    done = await alerts_client.post(f"{path}/confirmation", json={"solved": True}, headers=secretary)
    assert (done.json()["state"], done.json()["closed_at"] is not None) == ("closed", True)
    history = [entry["action"] for entry in done.json()["history"]]
    assert history == ["opened", "done", "not_solved", "done", "confirmed"]
    told = [row["action"] for row in await rows("alert_log", "action LIKE 'task%'")]
    assert told == ["task_opened", "task_done", "task_not_solved", "task_done", "task_confirmed"]
    assert {"alert.task_done", "alert.task_confirmed"} <= {row["action"] for row in await rows("audit_log")}


async def test_a_liaison_sees_his_sector_only_and_of_the_household_no_illness(
    alerts_client: httpx.AsyncClient, answer: Callable[..., Any], housing: dict[str, str], bearer: Bearer, rows: Rows
) -> None:
    await answer(needs=["housing", "medical"], note="户主肝病住院")
    for department, sectors in (("住建局", ["housing"]), ("医疗保障", ["medical"]), ("民政", []), ("水利", [])):
        headers = bearer("liaison", COUNTY, officer_no="L9", department=department)
        answered = await alerts_client.get("/alerts/v1/tasks", headers=headers)
        assert [item["sector"] for item in answered.json()["items"]] == sectors, department
        assert not [word for word in ("肝病", "199000", "illness", "张建国") if word in answered.text]
    asked = await alerts_client.get("/alerts/v1/tasks?sector=medical", headers=housing)
    assert asked.json()["items"] == []
    (medical,) = await rows("sector_task", "sector = 'medical'")
    for path, method, body in (
        ("", "GET", None),
        ("/feedback", "POST", {"result": "done", "note": "x"}),
    ):
        there = await alerts_client.request(
            method, f"/alerts/v1/tasks/{medical['task_id']}{path}", json=body, headers=housing
        )
        nowhere = await alerts_client.request(method, f"/alerts/v1/tasks/{uuid4()}{path}", json=body, headers=housing)
        assert (there.status_code, there.json()["code"]) == (nowhere.status_code, nowhere.json()["code"])
        assert there.status_code == 404


async def test_nobody_out_of_range_and_nobody_out_of_turn(
    alerts_client: httpx.AsyncClient,
    answer: Callable[..., Any],
    secretary: dict[str, str],
    housing: dict[str, str],
    bearer: Bearer,
    rows: Rows,
) -> None:
    await answer(needs=["housing"])
    (task,) = await rows("sector_task")
    path = f"/alerts/v1/tasks/{task['task_id']}"
    stranger = bearer("village_secretary", OTHER_VILLAGE, officer_no="S2")
    assert (await alerts_client.get(path, headers=stranger)).status_code == 404
    assert (await alerts_client.get("/alerts/v1/tasks", headers=stranger)).json()["items"] == []
    done = {"result": "done", "note": "已加固"}
    wrong = [
        (secretary, "feedback", done, 403),
        (housing, "confirmation", {"solved": True}, 403),
        (secretary, "confirmation", {"solved": True}, 409),
    ]
    for headers, step, body, status in wrong:
        assert (await alerts_client.post(f"{path}/{step}", json=body, headers=headers)).status_code == status
    county = bearer("county_admin", COUNTY, officer_no="C1")
    assert (await alerts_client.post(f"{path}/feedback", json=done, headers=county)).status_code == 200
    own = await alerts_client.post(f"{path}/confirmation", json={"solved": True}, headers=county)
    assert (own.status_code, own.json()["code"]) == (403, "not_your_task_step")


async def test_without_a_liaison_the_county_desk_hears_and_knows_of_the_gap(
    answer: Callable[..., Any], rows: Rows
) -> None:
    await answer(needs=["water"])
    (letter,) = await rows("inbox_item", "title LIKE '%任务%'")
    assert letter["officer_no"] == "C1"
    assert "没有在岗的部门联络员" in letter["body"]
    assert "张" not in letter["body"]


async def test_a_liaison_on_duty_hears_instead_of_the_county(
    answer: Callable[..., Any], rows: Rows, admin: asyncpg.Connection
) -> None:
    for officer_no, department in (("L1", "水利"), ("L2", "教育")):
        await admin.execute(
            "INSERT INTO alerts.officer (officer_no, name, division, division_hi, department, updated_at)"
            " VALUES ($1, '联络员', $2, '130625000000', $3, now())",
            officer_no,
            COUNTY,
            department,
        )
        await admin.execute(
            "INSERT INTO alerts.duty (officer_no, role, division, division_hi, valid_from)"
            " VALUES ($1, 'liaison', $2, '130625000000', '2026-01-01')",
            officer_no,
            COUNTY,
        )
    await answer(needs=["water"])
    (letter,) = await rows("inbox_item", "title LIKE '%任务%'")
    assert (letter["officer_no"], letter["kind"]) == ("L1", "task")


async def test_what_stays_unsolved_reaches_the_county(
    alerts_client: httpx.AsyncClient,
    answer: Callable[..., Any],
    secretary: dict[str, str],
    housing: dict[str, str],
    rows: Rows,
) -> None:
    await answer(needs=["housing"])
    (task,) = await rows("sector_task")
    path = f"/alerts/v1/tasks/{task['task_id']}"
    await alerts_client.post(f"{path}/feedback", json={"result": "not_possible", "note": "无宅基地"}, headers=housing)
    closed = await alerts_client.post(f"{path}/confirmation", json={"solved": True}, headers=secretary)
    assert (closed.json()["state"], closed.json()["feedback"]) == ("closed", "not_possible")
    assert len(await rows("inbox_item", "officer_no = 'C1' AND title LIKE '%无法解决%'")) == 1


async def test_what_the_departments_data_say_is_a_task_where_the_answer_lets_it_stand(
    alerts_client: httpx.AsyncClient, cadres: None, tell: Any, secretary: dict[str, str], rows: Rows
) -> None:
    unsafe = finding(indicator="dwelling_unsafe", cause="housing", sentence="居住的住房为D级危房。")
    await tell(*(risk(n, findings=[finding(), unsafe]) for n in (1, 2)))
    ids = {row["household_no"]: row["alert_id"] for row in await rows("alert")}
    for household, outcome in (("H1", "identify"), ("H2", "data_wrong")):
        body = {"outcome": outcome, "contact": VISIT, "causes": ["housing"]}
        await alerts_client.post(f"/alerts/v1/alerts/{ids[household]}/verification", json=body, headers=secretary)
    (task,) = await rows("sector_task")
    assert (task["alert_id"], task["sector"], task["about"]) == (ids["H1"], "housing", "居住的住房为D级危房。")


async def test_one_open_task_for_a_household_and_sector(
    alerts_client: httpx.AsyncClient, answer: Callable[..., Any], secretary: dict[str, str], tell: Any, rows: Rows
) -> None:
    await answer(needs=["housing", "housing"])
    await tell(risk(facts_version=20))
    (opened,) = await rows("alert", "status <> 'closed'")
    body = {"outcome": "identify", "contact": VISIT, "causes": ["housing"], "needs": ["housing", "water"]}
    path = f"/alerts/v1/alerts/{opened['alert_id']}/verification"
    assert (await alerts_client.post(path, json=body, headers=secretary)).status_code == 200
    assert sorted(row["sector"] for row in await rows("sector_task")) == ["housing", "water"]


async def test_needs_come_from_a_visit_or_call(answer: Callable[..., Any], rows: Rows) -> None:
    refused = await answer("moved", contact=None, needs=["housing"])
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "contact_required")
    assert await rows("sector_task") == []


async def test_the_clock_runs_in_working_days(
    alerts_client: httpx.AsyncClient,
    answer: Callable[..., Any],
    bearer: Bearer,
    house: House,
    rows: Rows,
    alerts_runtime: Runtime,
) -> None:
    await answer(needs=["housing"])
    (task,) = await rows("sector_task")
    # The 15th is a Sunday: ten working days end on Friday the 27th.
    assert task["due_at"].astimezone(SHANGHAI) == datetime(2026, 3, 27, 18, tzinfo=SHANGHAI)
    for moment, overdue in ((task["due_at"] - timedelta(seconds=1), 0), (task["due_at"], 1)):
        house.clock.at = moment
        headers = bearer("liaison", COUNTY, officer_no="L1", department="住建")
        listed = await alerts_client.get("/alerts/v1/tasks?overdue=true", headers=headers)
        assert len(listed.json()["items"]) == overdue


async def test_the_same_feedback_again_changes_nothing(
    alerts_client: httpx.AsyncClient, answer: Callable[..., Any], housing: dict[str, str], rows: Rows
) -> None:
    await answer(needs=["housing"])
    (task,) = await rows("sector_task")
    path, body = (
        f"/alerts/v1/tasks/{task['task_id']}/feedback",
        {"result": "done", "note": "已加固", "id": str(uuid4())},
    )
    for _ in range(2):
        again = await alerts_client.post(path, json=body, headers=housing)
        assert (again.status_code, again.json()["state"]) == (200, "answered")
    other = await alerts_client.post(path, json={**body, "note": "未加固"}, headers=housing)
    assert (other.status_code, other.json()["code"]) == (409, "step_id_taken")
    assert len(await rows("sector_task_log", "action = 'done'")) == 1


async def test_the_deputy_of_a_liaison_who_is_away_hears_of_it_and_else_the_county(
    enlist: Any, answer: Callable[..., Any], rows: Rows, admin: asyncpg.Connection
) -> None:
    await enlist(("X1", "county_admin", COUNTY))
    await enlist(("L1", "liaison", COUNTY), department="住建局", deputy_no="X1")
    await enlist(("L2", "liaison", COUNTY), department="水利局")
    await admin.execute(
        "INSERT INTO alerts.absence (officer_no, first_day, last_day, recorded_at) "
        "SELECT o, '2026-03-15', '2026-03-15', now() FROM unnest('{L1,L2}'::text[]) o"
    )
    assert (await answer(needs=["housing", "water"])).status_code == 200
    told = {(row["officer_no"], row["title"]) for row in await rows("inbox_item", "kind IN ('task', 'data_notice')")}
    assert told == {("X1", "住建任务待处理"), ("X1", "水利任务待处理"), ("C1", "水利任务待处理")}
