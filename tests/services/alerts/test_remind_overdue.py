"""What is overdue is told once to who owes it, and once to the county's desk; never twice, never at night."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
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
VISIT = {"method": "visit", "on": "2026-03-15", "met": "户主本人"}
# Ten working days after Sunday 2026-03-15 end on Friday the 27th; five on Friday the 20th.
MONDAY_AFTER = datetime(2026, 3, 30, 9, 30, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def none_drawn(asked: dict[str, Any]) -> None:
    """No re-check is drawn by chance, which would be overdue too."""
    asked["recheck_percent"] = 0


@pytest.fixture
def all_drawn(asked: dict[str, Any], none_drawn: None) -> None:
    asked["recheck_percent"] = 100


@pytest.fixture
def answer(alerts_client: httpx.AsyncClient, alert: UUID, bearer: Bearer) -> Callable[..., Any]:
    async def answered(outcome: str = "need_met", **more: Any) -> None:
        headers = bearer("village_secretary", VILLAGE, officer_no="S1")
        said = {"contact": VISIT, "helped_by": "民政局", "causes": ["illness"]} if outcome == "need_met" else {}
        body = {"outcome": outcome, **said, **more}
        sent = await alerts_client.post(f"/alerts/v1/alerts/{alert}/verification", json=body, headers=headers)
        assert sent.status_code == 200, sent.text

    return answered


@pytest.fixture
async def housing(enlist: Enlist, cadres: None) -> None:
    await enlist(("L1", "liaison", COUNTY), department="住房和城乡建设局")


async def told(rows: Rows) -> list[tuple[str, str, str]]:
    """Who was reminded of what: recipient, title, the last words."""
    items = await rows("inbox_item", "kind = 'overdue' ORDER BY created_at, officer_no, title")
    return [(row["officer_no"], row["title"], row["body"].rsplit("，", 1)[1]) for row in items]


async def test_a_department_is_told_when_it_is_late_and_the_county_when_it_still_is(
    answer: Callable[..., Any], housing: None, rows: Rows, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await answer(needs=["housing"])
    [task] = await rows("sector_task")
    clock.at = task["due_at"] - timedelta(minutes=1)
    assert await remind_overdue(alerts_runtime) == 0
    clock.at = MONDAY_AFTER
    assert await remind_overdue(alerts_runtime) == 1
    assert await told(rows) == [("L1", "住建任务已逾期", "请尽快办理。")]
    [item] = await rows("inbox_item", "kind = 'overdue'")
    assert "2026-03-27" in item["body"]
    assert "张" not in item["body"]
    assert await remind_overdue(alerts_runtime) == 0
    clock.at = MONDAY_AFTER + timedelta(days=2, hours=-1)
    assert await remind_overdue(alerts_runtime) == 0, "two working days are not over"
    clock.at = MONDAY_AFTER + timedelta(days=3)
    assert await remind_overdue(alerts_runtime) == 1
    assert (await told(rows))[1:] == [("C1", "住建任务已逾期", "请督办。")]
    clock.at += timedelta(days=5)
    assert await remind_overdue(alerts_runtime) == 0
    [row] = await rows("reminder")
    assert (row["superior_at"], row["superior_told_at"] is not None) == (None, True)
    assert {row["decision"] for row in await rows("notification", "kind = 'overdue'")} == {"send"}


async def test_what_was_answered_meanwhile_goes_no_further(
    answer: Callable[..., Any],
    housing: None,
    rows: Rows,
    alerts_runtime: Runtime,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
    clock: FixedClock,
) -> None:
    await answer(needs=["housing"])
    clock.at = MONDAY_AFTER
    await remind_overdue(alerts_runtime)
    [task] = await rows("sector_task")
    liaison = bearer("liaison", COUNTY, officer_no="L1", department="住房和城乡建设局")
    fed = {"result": "done", "note": "已加固"}
    path = f"/alerts/v1/tasks/{task['task_id']}/feedback"
    assert (await alerts_client.post(path, json=fed, headers=liaison)).status_code == 200
    clock.at = MONDAY_AFTER + timedelta(days=3)
    assert await remind_overdue(alerts_runtime) == 0
    assert len(await told(rows)) == 1
    assert [row["superior_at"] for row in await rows("reminder")] == [None]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 28, 10, 0, tzinfo=SHANGHAI),  # a Saturday
        datetime(2026, 3, 30, 6, 0, tzinfo=SHANGHAI),
        datetime(2026, 3, 30, 22, 0, tzinfo=SHANGHAI),
    ],
)
async def test_nobody_is_reminded_out_of_working_time(
    moment: datetime,
    answer: Callable[..., Any],
    housing: None,
    rows: Rows,
    alerts_runtime: Runtime,
    clock: FixedClock,
) -> None:
    await answer(needs=["housing"])
    clock.at = moment
    assert await remind_overdue(alerts_runtime) == 0
    assert await rows("reminder") == []
    clock.at = datetime(2026, 3, 31, 10, 0, tzinfo=SHANGHAI)
    assert await remind_overdue(alerts_runtime) == 1


async def test_without_a_liaison_the_desk_is_told_once(
    answer: Callable[..., Any], rows: Rows, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await answer(needs=["housing"])
    clock.at = MONDAY_AFTER
    assert await remind_overdue(alerts_runtime) == 1
    clock.at += timedelta(days=7)
    assert await remind_overdue(alerts_runtime) == 0
    assert await told(rows) == [("C1", "住建任务已逾期", "请督办。")]


async def test_a_ticket_is_its_departments(
    answer: Callable[..., Any], enlist: Enlist, rows: Rows, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await enlist(("L5", "liaison", COUNTY), department="医保局")
    await enlist(("L6", "liaison", COUNTY), department="民政局")
    await answer("data_wrong")
    clock.at = datetime(2026, 3, 23, 10, 0, tzinfo=SHANGHAI)
    assert await remind_overdue(alerts_runtime) == 1
    assert await told(rows) == [("L5", "数据更正单（医保局）已逾期", "请尽快办理。")]


async def test_a_recheck_is_the_townships_and_never_the_answerers(
    all_drawn: None,
    answer: Callable[..., Any],
    enlist: Enlist,
    rows: Rows,
    alerts_runtime: Runtime,
    clock: FixedClock,
) -> None:
    await enlist(("T2", "township_deputy", TOWNSHIP))
    await answer("moved")
    clock.at = MONDAY_AFTER
    assert await remind_overdue(alerts_runtime) == 1
    assert [(who, title) for who, title, _ in await told(rows)] == [
        ("T1", "抽查复核已逾期"),
        ("T2", "抽查复核已逾期"),
    ]


async def test_two_replicas_tell_once(
    answer: Callable[..., Any], housing: None, rows: Rows, alerts_runtime: Runtime, clock: FixedClock
) -> None:
    await answer(needs=["housing", "water"])
    clock.at = MONDAY_AFTER
    counts = await asyncio.gather(*(remind_overdue(alerts_runtime) for _ in range(3)))
    assert sum(counts) == 2
    assert len(await told(rows)) == 2
    clock.at = MONDAY_AFTER + timedelta(days=3)
    counts = await asyncio.gather(*(remind_overdue(alerts_runtime) for _ in range(3)))
    assert sum(counts) == 1, "of the two only the one with a liaison has somebody above"


async def test_several_things_are_several_letters_and_one_push(
    answer: Callable[..., Any],
    enlist: Enlist,
    rows: Rows,
    alerts_runtime: Runtime,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
    clock: FixedClock,
) -> None:
    """The desk of the county answers for two sectors without a liaison."""
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    endpoint = {"channel": "console", "address": "c1", "officer_no": "C1"}
    assert (await alerts_client.post("/alerts/v1/endpoints", json=endpoint, headers=headers)).status_code == 200
    await answer(needs=["housing", "water"])
    clock.at = MONDAY_AFTER
    await remind_overdue(alerts_runtime)
    assert len(await told(rows)) == 2
    [push] = await rows("delivery", "message ->> 'kind' = 'overdue'")
    assert (push["message"]["count"], push["state"]) == (2, "due")
    assert "张" not in str(push["message"])
