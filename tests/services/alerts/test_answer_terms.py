"""What policy asks of an answer stands in the alert from its opening, and is what verifying and re-checking go by."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.clock import SHANGHAI
from tests.conftest import House
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE, risk

Bearer = Callable[..., dict[str, str]]
Rows = Callable[..., Any]
Tell = Callable[..., Any]
VISIT = {"method": "visit", "on": "2026-03-15", "met": "户主本人"}
ASKED = {
    "second_officer_severities": ["red", "orange"],
    "recheck_percent": 20,
    "recheck_working_days": 5,
    "task_working_days": 3,
}
USUAL = {
    "second_officer_severities": ["red"],
    "recheck_percent": 5,
    "recheck_working_days": 10,
    "task_working_days": 10,
}

pytestmark = pytest.mark.usefixtures("cadres")


def friday(day: int) -> datetime:
    return datetime(2026, 3, day, 18, 0, tzinfo=SHANGHAI)


@pytest.fixture
def answer(alerts_client: httpx.AsyncClient, bearer: Bearer) -> Callable[..., Any]:
    async def give(alert: UUID, outcome: str = "no_risk", **more: Any) -> str:
        headers = bearer("village_secretary", VILLAGE, officer_no="S1")
        body = {"outcome": outcome, "contact": VISIT, **more}
        given = await alerts_client.post(f"/alerts/v1/alerts/{alert}/verification", json=body, headers=headers)
        assert given.status_code == 200, given.text
        status: str = given.json()["status"]
        return status

    return give


async def stored(rows: Rows, where: str = "true") -> dict[str, Any]:
    (alert,) = await rows("alert", where)
    return {name: alert[name] for name in USUAL}


@pytest.mark.parametrize(
    ("told", "stands"),
    [({}, USUAL), ({"answer_terms": ASKED}, ASKED), ({"answer_terms": {"recheck_percent": 0}}, None)],
)
async def test_they_stand_in_the_alert_as_they_were_told(
    tell: Tell, rows: Rows, told: dict[str, Any], stands: dict[str, Any] | None
) -> None:
    await tell(risk(**told))
    assert await stored(rows) == (stands or {**USUAL, "recheck_percent": 0})


@pytest.mark.parametrize("wrong", [{"recheck_percent": 101}, {"recheck_working_days": 0}, {"colour": "red"}])
async def test_what_no_policy_can_ask_is_refused(tell: Tell, rows: Rows, wrong: dict[str, Any]) -> None:
    assert (await tell(risk(answer_terms=wrong))).status_code == 422
    assert await rows("alert") == []


@pytest.mark.parametrize(
    ("news", "stands"),
    [
        ({"severity": "red"}, ASKED),
        ({"report_ids": ["r1"]}, ASKED),
        ({}, USUAL),
        ({"severity": "yellow"}, USUAL),
    ],
)
async def test_news_that_matters_makes_them_stricter(
    tell: Tell, rows: Rows, news: dict[str, Any], stands: dict[str, Any]
) -> None:
    await tell(risk())
    await tell(risk(facts_version=11, answer_terms=ASKED, **news))
    assert await stored(rows) == stands


async def test_news_never_makes_them_milder(tell: Tell, rows: Rows) -> None:
    await tell(risk(answer_terms=ASKED))
    none = {
        "second_officer_severities": [],
        "recheck_percent": 0,
        "recheck_working_days": 60,
        "task_working_days": 60,
    }
    await tell(risk(facts_version=11, severity="red", answer_terms=none))
    assert await stored(rows) == ASKED


@pytest.mark.parametrize(
    ("severities", "severity", "status"),
    [
        (["red", "orange"], "orange", "confirming"),
        (["red", "orange"], "yellow", "closed"),
        (["yellow"], "red", "closed"),
        (["yellow"], "yellow", "confirming"),
        ([], "red", "closed"),
    ],
)
async def test_a_second_officer_is_asked_where_policy_says(
    tell: Tell, rows: Rows, answer: Callable[..., Any], severities: list[str], severity: str, status: str
) -> None:
    await tell(risk(severity=severity, answer_terms={"second_officer_severities": severities}))
    (alert,) = await rows("alert")
    assert await answer(alert["alert_id"]) == status


@pytest.mark.parametrize(("percent", "days", "due_at"), [(0, 5, None), (100, 5, friday(20)), (100, 10, friday(27))])
async def test_so_many_answers_are_rechecked_within_so_many_days(
    tell: Tell, rows: Rows, answer: Callable[..., Any], percent: int, days: int, due_at: datetime | None
) -> None:
    await tell(risk(answer_terms={"recheck_percent": percent, "recheck_working_days": days}))
    (alert,) = await rows("alert")
    await answer(alert["alert_id"])
    assert [row["due_at"] for row in await rows("recheck")] == ([due_at] if due_at else [])


async def test_a_department_has_so_many_days_each_round(
    tell: Tell, rows: Rows, answer: Callable[..., Any], alerts_client: httpx.AsyncClient, bearer: Bearer
) -> None:
    await tell(risk(answer_terms={"task_working_days": 5}))
    (alert,) = await rows("alert")
    await answer(alert["alert_id"], "need_met", helped_by="民政局", needs=["housing"])
    (task,) = await rows("sector_task")
    assert task["due_at"] == friday(20)
    path = f"/alerts/v1/tasks/{task['task_id']}"
    liaison = bearer("liaison", COUNTY, officer_no="L1", department="住房和城乡建设")
    done, back = {"result": "done", "note": "已加固"}, {"solved": False, "note": "屋顶仍漏"}
    assert (await alerts_client.post(f"{path}/feedback", json=done, headers=liaison)).status_code == 200
    secretary = bearer("village_secretary", VILLAGE, officer_no="S1")
    assert (await alerts_client.post(f"{path}/confirmation", json=back, headers=secretary)).status_code == 200
    (task,) = await rows("sector_task")
    assert (task["round"], task["due_at"]) == (2, friday(20))


async def test_what_a_recheck_opens_is_answered_by_the_same_terms(
    tell: Tell, rows: Rows, answer: Callable[..., Any], alerts_client: httpx.AsyncClient, bearer: Bearer, house: House
) -> None:
    terms = {**ASKED, "second_officer_severities": ["blue"], "recheck_percent": 100}
    await tell(risk(answer_terms=terms))
    (alert,) = await rows("alert")
    await answer(alert["alert_id"], id=str(uuid4()))
    (drawn,) = await rows("recheck")
    leader = bearer("township_leader", TOWNSHIP, officer_no="T1")
    found = {"outcome": "identify", "contact": VISIT, "note": "入户查看"}
    path = f"/alerts/v1/rechecks/{drawn['verification_id']}/result"
    assert (await alerts_client.post(path, json=found, headers=leader)).status_code == 200
    assert await house.run_worker("alerts", "rechecks") == 1
    assert await stored(rows, "status = 'open'") == terms
