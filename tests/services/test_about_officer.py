"""A report or complaint that names an officer goes one level up, and he hears nothing of it; through all services."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import House
from tests.services.alerts.conftest import Enlist, enlist
from tests.services.intake.build import COUNTY, VILLAGE, Department, csv_text, number, register_row
from tests.services.intake.test_self_reports import report, send

__all__ = ["enlist"]

Bearer = Callable[..., dict[str, str]]
POSTS = (
    ("G1", "grid_worker", VILLAGE),
    ("S1", "village_secretary", VILLAGE),
    ("F1", "first_secretary", VILLAGE),
    ("C1", "county_admin", COUNTY),
)


@pytest.fixture
async def department(client: httpx.AsyncClient, house: House, bearer: Bearer, enlist: Enlist) -> Department:
    """A village with its cadres, and one household on the register."""
    made = Department(client, house, bearer(), bearer("county_admin", COUNTY))
    await made.send("household_register", csv_text([register_row(1)]), period="2025")
    await enlist(*POSTS)
    await house.settle()
    return made


async def heard(admin: Any) -> tuple[set[str], list[tuple[str, str]]]:
    """Who has a letter about a warning, and who is barred from one, why."""
    letters = await admin.fetch("SELECT DISTINCT officer_no FROM alerts.inbox_item WHERE alert_id IS NOT NULL")
    barred = await admin.fetch("SELECT officer_no, why FROM alerts.alert_barred")
    return {row["officer_no"] for row in letters}, [tuple(row) for row in barred]


@pytest.mark.parametrize("person", [10, 1], ids=["listed", "on no register"])
async def test_a_report_that_names_the_secretary(
    person: int, department: Department, client: httpx.AsyncClient, house: House, bearer: Bearer, admin: Any
) -> None:
    reporter = {"name": "王小明", "identity_number": number(person), "phone": "19900000001"}
    headers = bearer("village_secretary", VILLAGE, officer_no="F1")
    sent = await send(client, headers, report(reporter=reporter, about_officer="S1"))
    assert sent.status_code == 202, sent.text
    await house.settle()
    letters, barred = await heard(admin)
    assert barred == [("S1", "complaint")]
    assert letters
    assert "S1" not in letters


@pytest.mark.parametrize("person", [10, 1], ids=["listed", "on no register"])
@pytest.mark.parametrize("when", ["before it is told", "while it is open", "after it was answered"])
@pytest.mark.parametrize("names", [None, "G1"])
async def test_a_correction_keeps_out_whom_the_report_named_and_whom_it_names_itself(
    person: int,
    when: str,
    names: str | None,
    department: Department,
    client: httpx.AsyncClient,
    house: House,
    bearer: Bearer,
    admin: Any,
) -> None:
    reporter = {"name": "王小明", "identity_number": number(person), "phone": "19900000001"}
    headers = bearer("village_secretary", VILLAGE, officer_no="F1")
    sent = await send(client, headers, report(reporter=reporter, about_officer="S1"))
    if when != "before it is told":
        await house.settle()
    if when == "after it was answered":
        alert = await admin.fetchval("SELECT alert_id FROM alerts.alert")
        county = bearer("county_admin", COUNTY, officer_no="C1")
        body = {"outcome": "already_monitored"}
        done = await client.post(f"/alerts/v1/alerts/{alert}/verification", json=body, headers=county)
        assert done.status_code == 200, done.text
        await house.settle()
    path = f"/intake/v1/self-reports/{sent.json()['id']}/corrections"
    said = {"reason": "补充情况", "amount_yuan": "8000.00", **({"about_officer": names} if names else {})}
    corrected = await client.post(path, json=said, headers=headers)
    assert corrected.status_code == 201, corrected.text
    await house.settle()
    # Two messages about one report may meet in monitoring: one of them is sent again.
    house.clock.at += timedelta(minutes=5)
    await house.settle()
    open_alerts = await admin.fetch("SELECT alert_id FROM alerts.alert WHERE status <> 'closed'")
    assert len(open_alerts) == 1
    barred = await admin.fetch(
        "SELECT officer_no FROM alerts.alert_barred WHERE alert_id = $1", open_alerts[0]["alert_id"]
    )
    answering = await admin.fetch(
        "SELECT officer_no FROM alerts.assignment WHERE until IS NULL AND alert_id = $1", open_alerts[0]["alert_id"]
    )
    assert {row["officer_no"] for row in barred} == {"S1"} | ({names} if names else set())
    assert {row["officer_no"] for row in answering}
    assert not {row["officer_no"] for row in answering} & {"S1", names}


async def test_a_complaint_in_a_file_that_names_the_secretary(
    department: Department, house: House, admin: Any
) -> None:
    row = {
        "工单编号": "GD1",
        "姓名": "王小明",
        "证件号码": number(10),
        "受理渠道": "12345热线",
        "困难类别": "因病",
        "受理日期": "2026-03-14",
        "行政区划代码": VILLAGE,
        "被反映干部工号": "S1",
    }
    feed = await department.send("complaints", csv_text([row]), period="2026-03-14")
    assert (feed["status"], feed["counts"]["rejected"]) == ("recorded", 0), await department.errors(feed["id"])
    await house.settle()
    letters, barred = await heard(admin)
    assert barred == [("S1", "complaint")]
    assert letters
    assert "S1" not in letters


@pytest.mark.parametrize("said", ["", "王书记", "S1;", "999901195503074016", "x" * 41])
async def test_a_number_is_a_number(said: str, intake_client: httpx.AsyncClient, bearer: Bearer) -> None:
    answer = await send(
        intake_client, bearer("village_secretary", VILLAGE, officer_no="F1"), report(about_officer=said)
    )
    assert answer.status_code == 422
