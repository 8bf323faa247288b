"""The file goes back with what is wrong in it; mended and sent again, the rows are taken."""

import csv
import io
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.services.intake.build import COUNTY, MEDICAL, Department, csv_text, medical_row, number
from tests.services.intake.workbooks import workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS = [medical_row(0), medical_row(1, 结算日期="26-1-5", 姓名="=王"), medical_row(2)]


@pytest.fixture
def health(intake_client: Any, house: Any, bearer: Any) -> Department:
    return Department(intake_client, house, bearer("liaison", COUNTY, department="医疗保障"))


async def original(department: Department, feed_id: str, **query: str) -> Any:
    url = f"/intake/v1/feeds/{feed_id}/errors"
    return await department.client.get(url, params={"format": "original", **query}, headers=department.headers)


async def test_csv_comes_back_as_csv_and_can_be_sent_again(health: Department) -> None:
    feed = await health.send("medical_settlement", csv_text(ROWS))
    answer = await original(health, feed["id"])
    assert answer.status_code == 200, answer.text
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == [*MEDICAL, "错误说明"]
    assert len(rows) == 2
    assert rows[1][1] == "'" + number(1)
    assert rows[1][2] == "'=王"
    assert "年份只有两位" in rows[1][-1]
    mended = answer.content.decode().replace("26-1-5", "2026-01-05")
    again = await health.send("medical_settlement", mended, unknown="reject")
    assert (again["status"], again["counts"]["accepted"], again["counts"]["added"]) == ("recorded", 1, 1)


async def test_a_workbook_comes_back_as_a_workbook(health: Department) -> None:
    book = workbook([["某县"], list(MEDICAL), *(list(row.values()) for row in ROWS)])
    feed = await health.send("medical_settlement", book, media_type=XLSX)
    answer = await original(health, feed["id"], rows="all")
    assert answer.headers["content-type"] == XLSX
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert [row[-1] for row in rows[:3]] == ["", "错误说明", ""]
    assert "年份只有两位" in rows[3][-1]
    assert rows[3][1] == number(1)


async def test_values_go_back_to_their_sender_only(department: Department, health: Department) -> None:
    feed = await health.send("medical_settlement", csv_text(ROWS))
    answer = await original(department, feed["id"])
    assert (answer.status_code, answer.json()["code"]) == (403, "original_for_sender_only")


async def test_that_it_went_back_is_written_down(health: Department, admin: Any) -> None:
    feed = await health.send("medical_settlement", csv_text(ROWS))
    await original(health, feed["id"])
    assert await admin.fetchval("SELECT count(*) FROM intake.audit_log WHERE action = 'feed.original_read'") == 1
