"""Rows that correct, end or take back earlier ones, through intake and monitoring, in whatever order they come."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from tests.services.intake.build import COUNTY, VILLAGE, Department, csv_text, number, register_row

HOUSEHOLD = "H000001"
PERSON = {"姓名": "王小明", "证件号码": number(10)}


@pytest.fixture
async def department(client: httpx.AsyncClient, house: Any, bearer: Callable[..., dict[str, str]]) -> Department:
    """A department whose county has one household of one."""
    made = Department(client, house, bearer(), bearer("county_admin", COUNTY))
    await made.send("household_register", csv_text([register_row(1)]), period="2025")
    await house.settle()
    return made


async def send(department: Department, layout: str, *rows: Mapping[str, str], period: str = "2026-03-14") -> Any:
    feed = await department.send(layout, csv_text(rows), period=period)
    assert (feed["status"], feed["counts"]["rejected"]) == ("recorded", 0), await department.errors(feed["id"])
    await department.house.settle()
    return feed


async def standing(admin: Any, kind: str) -> list[dict[str, Any]]:
    """The facts of a kind that stand."""
    rows = await admin.fetch("SELECT * FROM monitoring.fact WHERE kind = $1 AND superseded_at IS NULL", kind)
    return [dict(row) for row in rows]


def job(status: str, **more: str) -> dict[str, str]:
    return {"记录编号": "JY1", **PERSON, "统计日期": "2026-02-28", "就业状态": status, "工资下降幅度": "", **more}


async def test_a_corrected_row_takes_back_what_it_says_no_longer(department: Department, admin: Any) -> None:
    await send(department, "employment", job("失业"))
    assert len(await standing(admin, "event.job_loss")) == 1
    await send(department, "employment", job("降薪", 工资下降幅度="40%"))
    assert await standing(admin, "event.job_loss") == []
    [drop] = await standing(admin, "event.wage_drop")
    assert drop["attributes"] == {"percent_basis": 4000}
    await send(department, "employment", job("失业", 劳动技能="普通劳动力"))
    assert len(await standing(admin, "event.job_loss")) == 1
    assert await standing(admin, "event.wage_drop") == []


def bill(no: str, operation: str, original: str = "", amount: str = "9000") -> dict[str, str]:
    return {
        "缴费单号": no,
        "业务类型": operation,
        "原缴费单号": original,
        **PERSON,
        "就学阶段": "高中",
        "缴费日期": "2025-09-01",
        "学费住宿费": amount,
        "资助金额": "0",
    }


CHARGE, ANOTHER, BACK = bill("X1", "缴费"), bill("X2", "缴费", amount="700"), bill("X3", "冲销", "X1")


@pytest.mark.parametrize("order", list(itertools.permutations((CHARGE, ANOTHER, BACK))), ids=str)
async def test_a_reversal_takes_its_record_back_whenever_it_comes(
    department: Department, admin: Any, order: tuple[dict[str, str], ...]
) -> None:
    for row in order:
        await send(department, "education_cost", row)
    [left] = await standing(admin, "expense.education")
    assert (left["amount_fen"], left["record_key"]) == (70_000, "130624/X2")


async def test_a_reversal_in_the_same_file_takes_back_too(department: Department, admin: Any) -> None:
    await send(department, "education_cost", CHARGE, ANOTHER, BACK)
    assert [fact["record_key"] for fact in await standing(admin, "expense.education")] == ["130624/X2"]


async def test_what_was_taken_back_is_nobody_unmatched(
    department: Department, client: httpx.AsyncClient, bearer: Callable[..., dict[str, str]]
) -> None:
    await send(department, "education_cost", BACK)
    url = "/monitoring/v1/unmatched"
    answer = await client.get(url, headers=bearer("county_admin", COUNTY, officer_no="C-1"))
    assert (answer.status_code, answer.json().get("items")) == (200, [])


def house_row(no: str, grade: str) -> dict[str, str]:
    return {
        "房屋编号": no,
        "户主姓名": "王小明",
        "户编号": HOUSEHOLD,
        "住房等级": grade,
        "实际居住房屋等级": grade,
        "是否唯一住房": "是",
        "鉴定日期": "2026-02-01",
        "行政区划代码": VILLAGE,
    }


async def test_a_list_ends_what_it_names_no_longer(department: Department, admin: Any) -> None:
    await send(department, "housing_grades", house_row("N1", "D"), house_row("N2", "B"), period="2026-02-10")
    await send(department, "housing_grades", house_row("N2", "B"), period="2026-03-10")
    ended = {
        fact["value"]: fact["ended_on"]
        for fact in await standing(admin, "state.dwelling")
        if "N" in fact["record_key"]
    }
    assert {grade: str(day) for grade, day in ended.items()} == {"D": "2026-03-10", "B": "None"}


async def test_a_complaint_is_told_without_its_words(department: Department, admin: Any) -> None:
    row = {
        "工单编号": "GD1",
        **PERSON,
        "受理渠道": "12345",
        "困难类别": "因病",
        "受理日期": "2026-03-10",
        "诉求内容": "化疗费用五万元，电话19900000001",
        "行政区划代码": VILLAGE,
    }
    await send(department, "complaints", row)
    again = await send(department, "complaints", {**row, "诉求内容": "另一段话"})
    assert again["counts"]["unchanged"] == 1
    [fact] = await standing(admin, "event.hardship_report")
    assert (fact["source"], fact["value"], fact["attributes"]) == ("hotline", "illness", {"channel": "hotline_12345"})
    for table in ("intake.outbox", "intake.feed_record", "monitoring.fact"):
        texts = await admin.fetchval(f"SELECT string_agg(t::text, ' ') FROM {table} t")
        assert "化疗" not in (texts or "")
        assert "19900000001" not in (texts or "") or table == "intake.outbox"  # The roster's own phone.


async def test_the_departments_own_codes_stay_with_the_fact(department: Department, admin: Any) -> None:
    row = {
        "业务流水号": "HJ1",
        **PERSON,
        "户编号": HOUSEHOLD,
        "户口簿户号": "600000001",
        "变动类型": "迁出",
        "变动日期": "2026-02-12",
    }
    await send(department, "hukou_changes", row)
    [fact] = await standing(admin, "event.hukou_change")
    assert fact["attributes"] == {"own_codes": {"household": "600000001"}}
