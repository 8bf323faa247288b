"""Rows that carry only a department's own code, through intake and monitoring."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
import yaml

from services.intake.catalogue import FOLDER
from services.intake.domain.layout_reader import read_layout
from services.intake.keep_retention import keep_retention
from tests.services.intake.build import (
    COUNTY,
    VILLAGE,
    Department,
    csv_text,
    disability_row,
    medical_row,
    number,
    register_row,
)
from tests.services.intake.test_retention import RAW_DAYS, at

CODE = "1306240000000010"


@pytest.fixture
async def department(client: httpx.AsyncClient, house: Any, bearer: Callable[..., dict[str, str]]) -> Department:
    """A department whose county has two households of one."""
    made = Department(client, house, bearer(), bearer("county_admin", COUNTY))
    await made.send("household_register", csv_text([register_row(1), register_row(2)]), period="2025")
    await house.settle()
    return made


async def send(department: Department, layout: str, *rows: Mapping[str, str], **options: str) -> Any:
    feed = await department.send(layout, csv_text(rows), **{"period": "2026-03-14", **options})
    await department.house.settle()
    return feed


def bill(no: int, person: int | None, code: str = CODE, **changes: str) -> dict[str, str]:
    return medical_row(no, 证件号码=number(person) if person is not None else "", 个人编号=code, **changes)


async def facts(admin: Any) -> list[tuple[str, str]]:
    """Whose household each settlement is of."""
    sql = """
        SELECT f.record_key, h.household_no FROM monitoring.fact f JOIN monitoring.household h USING (household_id)
        WHERE kind = 'expense.medical' AND superseded_at IS NULL ORDER BY 1
    """
    return [(row[0].split("/")[1], row[1]) for row in await admin.fetch(sql)]


async def codes(department: Department, feed: Any) -> list[tuple[int, str, str]]:
    return [(e["line"], e["code"], e["level"]) for e in await department.errors(feed["id"])]


async def test_a_code_finds_whom_an_earlier_file_named(department: Department, admin: Any) -> None:
    await send(department, "medical_settlement", bill(1, 10))
    feed = await send(department, "medical_settlement", bill(2, None))
    assert (feed["status"], feed["counts"]["accepted"]) == ("recorded", 1), await codes(department, feed)
    assert [note["code"] for note in feed["report"]["notes"]] == ["own_code_found"]
    assert await facts(admin) == [("JS00000001", "H000001"), ("JS00000002", "H000001")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_it_finds_whom_the_same_file_names_wherever(
    department: Department, admin: Any, order: tuple[int, int]
) -> None:
    rows = (bill(1, 10), bill(2, None))
    await send(department, "medical_settlement", *(rows[i] for i in order))
    assert await facts(admin) == [("JS00000001", "H000001"), ("JS00000002", "H000001")]


async def test_a_file_without_the_number_is_taken_by_the_code_and_says_the_same(
    department: Department, admin: Any
) -> None:
    await send(department, "medical_settlement", bill(1, 10))
    without = {name: text for name, text in bill(1, None).items() if name != "证件号码"}
    feed = await send(department, "medical_settlement", without)
    assert (feed["counts"]["unchanged"], feed["counts"]["changed"]) == (1, 0)


async def test_an_unknown_code_is_an_error_of_its_row(department: Department, admin: Any) -> None:
    feed = await send(department, "medical_settlement", bill(1, 10), bill(2, None, "9900000000000009"))
    [error] = await department.errors(feed["id"])
    assert (error["line"], error["column"], error["code"], error["level"]) == (
        3,
        "个人编号",
        "own_code_unknown",
        "error",
    )
    assert "证件号码" in error["expected"]
    assert error["example"]
    assert "9900000000000009" not in str(error)
    assert (feed["counts"]["read"], feed["counts"]["rejected"]) == (2, 1)
    assert await facts(admin) == [("JS00000001", "H000001")]


async def test_of_two_persons_of_one_code_the_newer_stands_and_the_report_says_so(
    department: Department, admin: Any
) -> None:
    await send(department, "medical_settlement", bill(1, 10, 结算日期="2026-01-05"))
    feed = await send(department, "medical_settlement", bill(2, 20, 结算日期="2026-02-05"))
    assert feed["report"]["own_codes"]["two_owners"] == 1
    assert await codes(department, feed) == [(2, "own_code_two_owners", "warning")]
    late = await send(department, "medical_settlement", bill(3, 10, 结算日期="2026-01-09"))
    assert late["report"]["own_codes"]["two_owners"] == 1
    await send(department, "medical_settlement", bill(4, None))
    assert (await facts(admin))[-1] == ("JS00000004", "H000002")


async def test_a_household_and_a_division_are_found_by_their_codes(
    department: Department, client: httpx.AsyncClient, admin: Any, bearer: Callable[..., dict[str, str]]
) -> None:
    document = yaml.safe_load((FOLDER / "temporary_relief.v1.yaml").read_text(encoding="utf-8"))
    document["columns"].append({"name": "office", "header": "受理点编码", "type": "text", "example": "SLD01"})
    own = {"household": "file_no", "division": "office"}
    document |= {"name": "own_relief", "own_codes": own, "owner": "民政局"}
    layout = read_layout(document, "x")
    assert [(each.owner, each.stands_for) for each in layout.crosswalk] == [
        ("household", "household_no"),
        ("division", "division"),
    ]
    answer = await client.post("/intake/v1/layouts", json=document, headers=department.a_person)
    assert answer.status_code == 201, answer.text
    row = {"救助单号": "L1", "户主姓名": "王小明", "户编号": "H000001", "家庭档案编号": "JT1", "救助原因": "因病"}
    row |= {"发放日期": "2026-02-08", "救助金额": "100", "受理点编码": "SLD01", "行政区划代码": VILLAGE}
    alone = {**row, "救助单号": "L2", "户编号": "", "行政区划代码": ""}
    unknown = [{**alone, "救助单号": "L3", "家庭档案编号": "JT9"}, {**alone, "救助单号": "L4", "受理点编码": "SLD9"}]
    feed = await send(department, "own_relief", row, alone, *unknown)
    assert await codes(department, feed) == [(line, "own_code_unknown", "error") for line in (4, 5)]
    said = await admin.fetchval("SELECT payload FROM intake.outbox WHERE payload::text LIKE $1", '%"L2"%')
    found = {o["record"]: (o["household_no"], o["division"]) for o in said["observations"]}
    assert found == {"L1": ("H000001", VILLAGE), "L2": ("H000001", VILLAGE)}


async def test_another_department_is_not_asked(department: Department, admin: Any) -> None:
    await send(department, "medical_settlement", bill(1, 10))
    row = {"姓名": "王小明", "证件号码": "", "学籍号": CODE, "在校生状况": "初中", "学籍状态": "在校"}
    feed = await send(department, "school_status", {**row, "状态日期": "2026-03-01"})
    assert feed["status"] == "rejected"
    assert [code for _, code, _ in await codes(department, feed)] == ["own_code_unknown"]


async def test_a_certificate_names_its_person_and_no_number_is_kept(department: Department, admin: Any) -> None:
    await send(department, "disability_register", disability_row(10))
    feed = await send(department, "disability_register", disability_row(10, 证件号码=""))
    assert (feed["counts"]["accepted"], feed["counts"]["unchanged"]) == (1, 1), await codes(department, feed)
    kept = await admin.fetchval("SELECT string_agg(c::text, ' ') FROM intake.crosswalk c")
    assert kept
    assert number(10) not in kept
    for table in ("feed_code_staged", "feed_row_coded"):
        assert await admin.fetchval(f"SELECT count(*) FROM intake.{table}") == 0


async def test_a_student_known_by_his_number_alone_has_dropped_out(
    department: Department, client: httpx.AsyncClient, bearer: Callable[..., dict[str, str]]
) -> None:
    young = "999901201209150311"
    child = register_row(1, 1, 证件号码=young, 与户主关系="之子")
    await send(department, "household_register", register_row(1), child, period="2026")
    row = {"姓名": "王小明", "证件号码": young, "学籍号": "G20190001", "在校生状况": "初中", "学籍状态": "在校"}
    row |= {"未上学原因": "", "状态日期": "2025-09-01", "行政区划代码": VILLAGE}
    dropped = {**row, "证件号码": "", "学籍状态": "辍学", "未上学原因": "厌学", "状态日期": "2026-03-01"}
    states = []
    for period, said in (("2025-12", row), ("2026-03", dropped)):
        feed = await send(department, "school_status", said, period=period)
        assert feed["status"] == "recorded", feed["problem"]
        url, headers = (
            "/monitoring/v1/households/H000001/assessment",
            bearer("county_admin", COUNTY, officer_no="C-1"),
        )
        found = (await client.get(url, headers=headers)).json()
        states += [each["state"] for each in found["indicators"] if each["id"] == "dropout"]
    assert states == ["clear", "fired"]


@pytest.mark.parametrize(("days", "kept"), [(RAW_DAYS, 1), (RAW_DAYS + 1, 0)])
async def test_codes_are_kept_as_long_as_the_raw_file_that_said_them(
    department: Department, intake_runtime: Any, admin: Any, days: int, kept: int
) -> None:
    await send(department, "medical_settlement", bill(1, 10))
    moment = await admin.fetchval("SELECT received_at FROM intake.crosswalk")
    await keep_retention(at(intake_runtime, moment + timedelta(days=days)))
    assert await admin.fetchval("SELECT count(*) FROM intake.crosswalk") == kept
