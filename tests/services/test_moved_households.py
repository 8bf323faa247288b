"""A household moves while its alert is open: the register's word reaches alerts, and the alert goes along."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import House
from tests.services.alerts.conftest import Enlist, enlist
from tests.services.intake.build import COUNTY, VILLAGE, Department, csv_text, number, register_row
from tests.services.intake.test_self_reports import report, send

__all__ = ["enlist"]

Bearer = Callable[..., dict[str, str]]
OTHER_VILLAGE = "130624100203"
POSTS = (
    ("S1", "village_secretary", VILLAGE),
    ("S2", "village_secretary", OTHER_VILLAGE),
    ("C1", "county_admin", COUNTY),
)


@pytest.fixture
async def department(client: httpx.AsyncClient, house: House, bearer: Bearer, enlist: Enlist) -> Department:
    made = Department(client, house, bearer(), bearer("county_admin", COUNTY))
    await made.send("household_register", csv_text([register_row(1)]), period="2025")
    await enlist(*POSTS)
    await house.settle()
    return made


async def test_its_open_alert_goes_along(
    department: Department, client: httpx.AsyncClient, house: House, bearer: Bearer, admin: Any
) -> None:
    reporter = {"name": "王小明", "identity_number": number(10), "phone": "19900000001"}
    sent = await send(client, bearer("village_secretary", VILLAGE, officer_no="S1"), report(reporter=reporter))
    assert sent.status_code == 202, sent.text
    await house.settle()
    before = await admin.fetchrow("SELECT household_no, living_division FROM alerts.alert")
    assert before["living_division"] == VILLAGE
    change = {"change": "move", "on": "2026-03-15", "place": "both", "division": OTHER_VILLAGE, "reason": "易地搬迁"}
    headers = {**bearer("county_admin", COUNTY, officer_no="C1"), "idempotency-key": "move-1"}
    path = f"/monitoring/v1/households/{before['household_no']}/changes"
    moved = await client.post(path, json=change, headers=headers)
    assert moved.status_code in (200, 201), moved.text
    await house.settle()
    alert = await admin.fetchrow("SELECT * FROM alerts.alert")
    assert (alert["living_division"], alert["status"]) == (OTHER_VILLAGE, "open")
    answering = await admin.fetch("SELECT officer_no FROM alerts.assignment WHERE until IS NULL")
    assert {row["officer_no"] for row in answering} == {"S2"}
    told = await admin.fetchval("SELECT count(*) FROM alerts.inbox_item WHERE kind = 'moved'")
    assert told == 1
