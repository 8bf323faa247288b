"""What is asked of a department lies in the inbox of each of its liaisons, with or without a way out."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.alerts.remind_overdue import remind_overdue
from shared.clock import SHANGHAI, FixedClock
from shared.runtime import Runtime
from tests.services.alerts.conftest import Enlist
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE

Bearer = Callable[..., dict[str, str]]
Rows = Callable[..., Any]
HOUSING, DEPARTMENT = "住房和城乡建设局", "医保局"
VISIT = {"method": "visit", "on": "2026-03-15", "met": "户主本人"}
NEED_MET = {"outcome": "need_met", "contact": VISIT, "helped_by": "民政局", "causes": ["illness"]}


@pytest.fixture
async def liaisons(enlist: Enlist, cadres: None) -> None:
    """Two of housing, one of the medical insurance; none has a way out."""
    await enlist(("L1", "liaison", COUNTY), ("L2", "liaison", COUNTY), department=HOUSING)
    await enlist(("L3", "liaison", COUNTY), department=DEPARTMENT)


@pytest.fixture
def answer(alerts_client: httpx.AsyncClient, alert: UUID, bearer: Bearer) -> Callable[..., Any]:
    async def answered(**body: Any) -> None:
        headers = bearer("village_secretary", VILLAGE, officer_no="S1")
        path = f"/alerts/v1/alerts/{alert}/verification"
        sent = await alerts_client.post(path, json=body, headers=headers)
        assert sent.status_code == 200, sent.text

    return answered


@pytest.fixture
def inbox(alerts_client: httpx.AsyncClient) -> Callable[..., Any]:
    async def letters(headers: dict[str, str], **query: str) -> list[dict[str, Any]]:
        answer = await alerts_client.get("/alerts/v1/inbox", headers=headers, params=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    return letters


@pytest.fixture
def of(bearer: Bearer, alerts_client: httpx.AsyncClient) -> Callable[[str], dict[str, str]]:
    """A liaison's login."""
    departments = {"L1": HOUSING, "L2": HOUSING, "L3": DEPARTMENT}
    return lambda no: bearer("liaison", COUNTY, officer_no=no, department=departments[no])


async def test_a_task_is_a_letter_to_each_liaison_that_leads_to_it_and_is_marked_read(
    liaisons: None,
    answer: Callable[..., Any],
    inbox: Callable[..., Any],
    of: Callable[[str], dict[str, str]],
    alerts_client: httpx.AsyncClient,
) -> None:
    await answer(**NEED_MET, needs=["housing"])
    for number in ("L1", "L2"):
        (letter,) = await inbox(of(number))
        assert (letter["kind"], letter["matter"], letter["title"]) == ("task", "task", "住建任务待处理")
        assert (letter["alert_id"], letter["link"], letter["severity"]) == (None, None, None)
        assert "张" not in letter["body"]
        task = await alerts_client.get(f"/alerts/v1/tasks/{letter['matter_id']}", headers=of(number))
        assert (task.status_code, task.json()["sector"]) == (200, "housing")
    assert await inbox(of("L3")) == []
    path = f"/alerts/v1/inbox/{letter['item_no']}/read"
    read = await alerts_client.post(path, headers=of("L1"))
    assert (read.status_code, read.json()["alert_id"], read.json()["read_at"] is not None) == (200, None, True)
    assert await inbox(of("L1"), unread="true") == []
    assert len(await inbox(of("L2"), unread="true")) == 1


async def test_a_task_sent_back_is_a_letter_again(
    liaisons: None,
    answer: Callable[..., Any],
    inbox: Callable[..., Any],
    of: Callable[[str], dict[str, str]],
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
) -> None:
    await answer(**NEED_MET, needs=["housing"])
    (letter,) = await inbox(of("L1"))
    path = f"/alerts/v1/tasks/{letter['matter_id']}"
    await alerts_client.post(f"{path}/feedback", json={"result": "done", "note": "已加固"}, headers=of("L1"))
    secretary = bearer("village_secretary", VILLAGE, officer_no="S1")
    body = {"solved": False, "note": "屋顶仍漏"}
    assert (await alerts_client.post(f"{path}/confirmation", json=body, headers=secretary)).status_code == 200
    assert [one["matter_id"] for one in await inbox(of("L1"))] == [letter["matter_id"]] * 2


async def test_a_correction_ticket_is_a_letter_to_its_department(
    liaisons: None,
    answer: Callable[..., Any],
    inbox: Callable[..., Any],
    of: Callable[[str], dict[str, str]],
    alerts_client: httpx.AsyncClient,
    rows: Rows,
) -> None:
    await answer(outcome="data_wrong", contact=VISIT, needs=["housing"])
    (letter,) = await inbox(of("L3"))
    assert (letter["kind"], letter["matter"], letter["title"]) == ("ticket", "ticket", "数据更正单（医保局）待处理")
    assert "张" not in letter["body"]
    path = f"/alerts/v1/tickets/{letter['matter_id']}"
    ticket = await alerts_client.get(path, headers=of("L3"))
    assert (ticket.status_code, ticket.json()["department"]) == (200, DEPARTMENT)
    other = await alerts_client.get(path, headers=of("L1"))
    assert (other.status_code, other.json()["code"]) == (404, "ticket_unknown")
    assert [one["matter"] for one in await inbox(of("L1"))] == ["task"], "both are told in one transaction"
    assert await rows("inbox_item", "officer_no = 'C1' AND kind = 'data_notice'") == []


async def test_without_a_liaison_the_county_has_the_ticket(
    answer: Callable[..., Any], inbox: Callable[..., Any], bearer: Bearer, rows: Rows
) -> None:
    await answer(outcome="data_wrong")
    (ticket,) = await rows("correction_ticket")
    letters = await inbox(bearer("county_admin", COUNTY, officer_no="C1"))
    (letter,) = [one for one in letters if one["matter"]]
    assert (letter["kind"], letter["matter_id"]) == ("data_notice", str(ticket["ticket_id"]))
    assert "没有在岗的部门联络员" in letter["body"]


async def test_a_liaison_whose_family_it_is_hears_nothing(
    liaisons: None,
    answer: Callable[..., Any],
    inbox: Callable[..., Any],
    of: Callable[[str], dict[str, str]],
    enlist: Enlist,
    rows: Rows,
) -> None:
    await enlist(("L2", "liaison", COUNTY), ("L3", "liaison", COUNTY), household_no="H1", department=DEPARTMENT)
    await enlist(("L2", "liaison", COUNTY), department=HOUSING)
    await answer(outcome="data_wrong", contact=VISIT, needs=["housing"])
    assert [one["matter"] for one in await inbox(of("L1"))] == ["task"]
    assert [await inbox(of(number)) for number in ("L2", "L3")] == [[], []]
    (gap,) = await rows("inbox_item", "officer_no = 'C1' AND kind = 'data_notice'")
    assert gap["matter"] == "ticket"


async def test_a_consultation_asks_its_departments_and_says_whose_liaison_is_missing(
    liaisons: None,
    alert: UUID,
    inbox: Callable[..., Any],
    of: Callable[[str], dict[str, str]],
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
) -> None:
    leader = bearer("township_leader", TOWNSHIP, officer_no="T1")
    call = {
        "departments": [DEPARTMENT, "民政局"],
        "question": "是否符合纳入条件",
        "opinions_by": "2026-03-15",
        "meets_on": "2026-03-15",
    }
    called = await alerts_client.post(f"/alerts/v1/alerts/{alert}/consultation", json=call, headers=leader)
    assert called.status_code == 200, called.text
    (letter,) = await inbox(of("L3"))
    assert (letter["matter"], letter["matter_id"]) == ("consultation", called.json()["consultation_id"])
    path = f"/alerts/v1/consultations/{letter['matter_id']}"
    assert (await alerts_client.get(path, headers=of("L3"))).status_code == 200
    letters = await inbox(bearer("county_admin", COUNTY, officer_no="C1"))
    (unheard,) = [one for one in letters if one["matter"]]
    assert "民政局没有在岗" in unheard["body"]
    assert DEPARTMENT not in unheard["body"]
    off = await alerts_client.post(f"{path}/cancellation", json={"reason": "已书面答复"}, headers=leader)
    assert off.status_code == 200
    assert [one["title"] for one in await inbox(of("L3"))] == ["联合会商已取消", "联合会商待书面意见"]
    assert await inbox(of("L1")) == []


async def test_a_reminder_leads_to_what_is_overdue(
    liaisons: None,
    answer: Callable[..., Any],
    inbox: Callable[..., Any],
    of: Callable[[str], dict[str, str]],
    alerts_runtime: Runtime,
    clock: FixedClock,
    rows: Rows,
) -> None:
    await answer(outcome="data_wrong", contact=VISIT, needs=["housing"])
    clock.at = datetime(2026, 3, 30, 9, 0, tzinfo=SHANGHAI)
    await remind_overdue(alerts_runtime)
    (task,), (ticket,) = await rows("sector_task"), await rows("correction_ticket")
    for number, matter, matter_id in (("L1", "task", task["task_id"]), ("L3", "ticket", ticket["ticket_id"])):
        letter = (await inbox(of(number)))[0]
        assert (letter["kind"], letter["matter"], letter["matter_id"]) == ("overdue", matter, str(matter_id))
    assert await rows("delivery") == []


async def test_who_logs_in_for_a_department_reads_nothing_of_warnings_he_has_in_another_post(
    alert: UUID,
    tell: Callable[..., Any],
    inbox: Callable[..., Any],
    bearer: Bearer,
    alerts_client: httpx.AsyncClient,
) -> None:
    as_liaison = bearer("liaison", COUNTY, officer_no="S1", department=HOUSING)
    (letter,) = await inbox(as_liaison)
    shown = {name: letter[name] for name in ("title", "severity", "alert_id", "link")}
    assert shown == {"title": "其他岗位的消息", "severity": None, "alert_id": None, "link": None}
    assert "张" not in letter["body"]
    read = await alerts_client.post(f"/alerts/v1/inbox/{letter['item_no']}/read", headers=as_liaison)
    assert "张" not in read.text
    (full,) = await inbox(bearer("village_secretary", VILLAGE, officer_no="S1"))
    assert (full["alert_id"], full["matter"]) == (str(alert), None)
    assert "张建国" in full["body"]


async def test_a_login_without_either_right_has_no_inbox(alerts_client: httpx.AsyncClient, bearer: Bearer) -> None:
    headers = bearer("liaison", COUNTY, scopes=["intake:feeds:read"], officer_no="L1", department=HOUSING)
    refused = await alerts_client.get("/alerts/v1/inbox", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
