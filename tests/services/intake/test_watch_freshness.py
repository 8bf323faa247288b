"""Data that did not come is said once to those who can send it, and taken back when it came."""

import dataclasses
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.catalogue import layout_named, layouts
from services.intake.watch_freshness import watch_freshness
from shared.clock import FixedClock
from tests.conftest import COUNTY, MORNING
from tests.services.intake.build import Department, csv_text, medical_row

LAYOUT = layout_named("medical_settlement")
ON_TIME = timedelta(days=LAYOUT.overdue_after_days)


def after(runtime: Any, time: timedelta) -> Any:
    return dataclasses.replace(runtime, clock=FixedClock(MORNING + time))


async def open_(admin: Any) -> set[tuple[str, str]]:
    rows = await admin.fetch("SELECT kind, layout FROM intake.data_notice WHERE closed_at IS NULL")
    return {(row["kind"], row["layout"]) for row in rows}


@pytest.fixture
async def begun(department: Department) -> None:
    await department.send("medical_settlement", csv_text([medical_row(1)]))


@pytest.mark.usefixtures("begun")
@pytest.mark.parametrize(("age", "late"), [(ON_TIME, False), (ON_TIME + timedelta(days=1), True)])
async def test_a_file_is_late_on_the_day_after_its_time(
    age: timedelta, late: bool, intake_runtime: Any, admin: Any
) -> None:
    await watch_freshness(after(intake_runtime, age))
    assert (("late", "medical_settlement") in await open_(admin)) == late


@pytest.mark.usefixtures("begun")
async def test_what_never_came_is_missing_once_the_division_sends(intake_runtime: Any, admin: Any) -> None:
    await watch_freshness(after(intake_runtime, timedelta(days=800)))
    missing = {layout for kind, layout in await open_(admin) if kind == "missing"}
    assert missing == set(layouts()) - {"medical_settlement"}


async def test_a_county_that_never_began_owes_nothing(intake_runtime: Any, admin: Any) -> None:
    assert await watch_freshness(after(intake_runtime, timedelta(days=800))) == 0


@pytest.mark.usefixtures("begun")
async def test_it_is_said_once_and_taken_back_when_the_file_came(
    department: Department, intake_runtime: Any, admin: Any, said: Any
) -> None:
    late = after(intake_runtime, ON_TIME + timedelta(days=1))
    first, again = await watch_freshness(late), await watch_freshness(late)
    assert first > 0
    assert again == 0
    await department.send("medical_settlement", csv_text([medical_row(2)]))
    await admin.execute("UPDATE intake.feed SET received_at = received_at + interval '9 days' WHERE read > 0")
    await watch_freshness(after(intake_runtime, ON_TIME + timedelta(days=2)))
    assert ("late", "medical_settlement") not in await open_(admin)
    told = [
        (item["state"], item["kind"])
        for type_, payload, _ in await said()
        if type_ == "cn.fangpin.intake.data_notice.v1"
        for item in payload["items"]
        if item["data_set"] == "medical_settlement"
    ]
    assert told == [("open", "late"), ("closed", "late")]


@pytest.mark.parametrize(
    ("code", "hours", "said", "layout"),
    [
        ("busy", 5.9, False, "medical_settlement"),
        ("busy", 6, True, "medical_settlement"),
        ("not_authorised", 0, True, "medical_settlement"),
        ("layout_unknown", 6, True, "own_gone"),  # A county's own data set, since taken out of use.
    ],
)
async def test_an_interface_that_fails_is_said_after_a_while_or_at_once(
    code: str, hours: float, said: bool, layout: str, intake_runtime: Any, admin: Any
) -> None:
    await admin.execute(
        """
        INSERT INTO intake.connector (name, layout, department, division, url, dialect, client_id, sealed_secret,
            paging, rows_at, page_param, size_param, page_size, cursor_at, period_unit, query, schedule, active,
            failed_at, failure, updated_at)
        VALUES ('c', $4, '医疗保障', $1, 'https://x', 'bearer', '', 'x', 'none', '', 'p', 's', 9,
            'n', 'month', '{}', '0 0 * * *', true, $2, $3, $2)
        """,
        COUNTY,
        MORNING - timedelta(hours=hours),
        {"code": code, "detail": "接口暂时不可用"},
        layout,
    )
    await watch_freshness(intake_runtime)
    assert (("failing", layout) in await open_(admin)) == said


@pytest.mark.usefixtures("begun")
async def test_a_department_sees_its_own_notices(
    intake_runtime: Any, intake_client: httpx.AsyncClient, bearer: Any
) -> None:
    await watch_freshness(after(intake_runtime, timedelta(days=800)))
    headers = bearer("liaison", COUNTY, department="医疗保障")
    answer = await intake_client.get("/intake/v1/notices", headers=headers)
    items = answer.json()["items"]
    assert {item["department"] for item in items} == {"医疗保障"}
    assert "未知" in items[0]["detail"]
    closed = await intake_client.get("/intake/v1/notices", params={"closed": "true"}, headers=headers)
    assert closed.json()["items"] == []
