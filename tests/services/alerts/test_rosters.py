"""Sheets that a county fills in: CSV or XLSX, errors by row and column, dry runs, the same in same out."""

import io
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import httpx
import pytest
import xlsxwriter

from services.alerts.domain.roster import COLUMNS_OF, Sheet
from shared.web.spreadsheet import XLSX
from shared.workbook.read_sheet import read_sheet
from tests.conftest import House
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

Rows = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
Table = Sequence[Sequence[Any]]

OFFICERS: Table = (
    (
        "工号",
        "姓名",
        "角色",
        "手机",
        "邮箱",
        "行政区划代码",
        "任职起",
        "任职止",
        "代理人工号",
        "负责户数",
        "本人户编号",
    ),
    ("S1", "李四", "村党支部书记", "19900000001", "s1@example.gov.cn", VILLAGE, "2026-01-01", "", "T1", "", "H1"),
    ("G1", "王五", "网格员", "", "", VILLAGE, "", "", "", "86", ""),
    ("B1", "赵六", "包村干部", "", "", VILLAGE, "", "", "", "", ""),
    ("T1", "钱七", "乡镇分管领导", "", "", TOWNSHIP, "", "", "", "", ""),
)
ABSENCES: Table = (("工号", "请假起", "请假止", "原因"), ("S1", "2026-03-15", "2026/3/20", "外出培训"))
PAIRINGS: Table = (
    ("户编号", "帮扶责任人工号", "行政区划代码", "结对起", "结对止", "户类型", "原因"),
    ("H2", "S1", VILLAGE, "", "", "脱贫户", ""),
    ("H3", "G1", VILLAGE, "2026-01-01", "2027-01-01", "一般农户", ""),
)
SHEETS = {"officers": OFFICERS, "absences": ABSENCES, "pairings": PAIRINGS}


def as_csv(table: Table) -> bytes:
    return "".join(",".join(str(cell) for cell in row) + "\r\n" for row in table).encode("gb18030")


def as_xlsx(table: Table) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for i, row in enumerate(table):
            for j, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(i, j, cell, day)
                else:
                    sheet.write(i, j, cell)
    return file.getvalue()


@pytest.fixture
def send(bearer: Bearer, alerts_client: httpx.AsyncClient) -> Callable[..., Any]:
    async def post(name: str, content: bytes, kind: str = "text/csv", **query: str) -> httpx.Response:
        headers = {**bearer("county_admin", COUNTY, officer_no="C1"), "content-type": kind}
        return await alerts_client.post(f"/alerts/v1/rosters/{name}", content=content, headers=headers, params=query)

    return post


async def test_three_sheets_are_imported_once(send: Any, rows: Rows) -> None:
    for kind, write in (("text/csv", as_csv), (XLSX, as_xlsx)):
        changed = []
        for name, table in SHEETS.items():
            answer = await send(name, write(table), kind)
            assert answer.status_code == 200, answer.text
            changed.append((answer.json()["lines"], answer.json()["changed"]))
        # The workbook says the same as the CSV did, and changes nothing.
        assert changed == ([(4, 8), (1, 1), (2, 2)] if kind == "text/csv" else [(4, 0), (1, 0), (2, 0)])
    duty = {row["officer_no"]: row for row in await rows("duty")}
    assert (duty["S1"]["deputy_no"], duty["S1"]["valid_from"]) == ("T1", date(2026, 1, 1))
    assert (duty["G1"]["households"], duty["G1"]["valid_from"]) == (86, date(2026, 3, 15))
    assert (duty["B1"]["role"], duty["T1"]["role"]) == ("village_cadre", "township_deputy")
    (absence,) = await rows("absence")
    assert (absence["first_day"], absence["last_day"]) == (date(2026, 3, 15), date(2026, 3, 20))


async def test_the_same_sheet_on_a_later_day_changes_nothing(send: Any, house: House) -> None:
    for name, table in SHEETS.items():
        await send(name, as_csv(table))
    house.clock.at = house.clock.at.replace(day=25)
    assert [(await send(name, as_csv(table))).json()["changed"] for name, table in SHEETS.items()] == [0, 0, 0]


async def test_a_dry_run_says_what_would_change_and_writes_nothing(send: Any, rows: Rows) -> None:
    answer = await send("officers", as_csv(OFFICERS), dry_run="true")
    assert (answer.status_code, answer.json()["applied"], answer.json()["changed"]) == (200, False, 8)
    for table in ("officer", "duty", "endpoint", "audit_log"):
        assert await rows(table) == []


async def test_every_mistake_is_told_by_row_and_column(send: Any, rows: Rows) -> None:
    await send("officers", as_csv(OFFICERS))
    wrong = {
        "officers": (
            OFFICERS[0],
            ("X1", "", "村长", "", "", VILLAGE, "3月1日", "", "X1", "很多", ""),
            (),
            ("X2", "孙八", "网格员", "", "", TOWNSHIP, "2026-01-02", "2026-01-01", "G1", "", "999901195503074016"),
        ),
        "absences": (ABSENCES[0], ("N1", "2026-03-15", "2026-03-16", ""), ("S1", "2026-02-30", "", "")),
        "pairings": (
            PAIRINGS[0],
            ("H9", "G1", "130524100202", "", "", "富农", ""),
            ("H9", "N1", VILLAGE, "", "", "", ""),
            ("H9", "B1", TOWNSHIP, "2026-03-02", "2026-03-02", "", ""),
            ("H1", "S1", VILLAGE, "", "", "", "愿意"),
        ),
    }
    found = {}
    for name, table in wrong.items():
        answer = await send(name, as_csv(table), dry_run="true")
        assert answer.json()["changed"] == 0
        found[name] = [(e["line"], e["column"], e["code"]) for e in answer.json()["errors"]]
        refused = await send(name, as_csv(table))
        assert (refused.status_code, refused.json()["code"]) == (422, "roster_refused")
        assert len(refused.json()["errors"]) == answer.json()["error_count"]
    assert found["officers"] == [
        (2, "姓名", "missing"),
        (4, "本人户编号", "identity_number_misplaced"),
    ]
    assert found["absences"] == [
        (2, "工号", "officer_unknown"),
        (3, "请假止", "missing"),
        (3, "请假起", "date_format"),
    ]
    assert found["pairings"] == [
        (2, "户类型", "unknown_group"),
        (2, "行政区划代码", "out_of_range"),
        (3, "帮扶责任人工号", "officer_unknown"),
        (4, "结对止", "ends_before"),
        (4, "行政区划代码", "not_a_village"),
        (5, "帮扶责任人工号", "own_household"),
    ]
    assert await rows("pairing") == await rows("absence") == []


async def test_an_error_says_what_is_right_with_an_example(send: Any) -> None:
    line = ("X1", "孙八", "村长", "", "", VILLAGE, "3月1日", "", "X1", "很多", "")
    answer = await send("officers", as_csv((OFFICERS[0], line)), dry_run="true")
    errors = {error["column"]: error for error in answer.json()["errors"]}
    assert errors["任职起"] == {
        "line": 2,
        "column": "任职起",
        "code": "date_format",
        "message": "日期不正确",
        "expected": "年-月-日",
        "example": "2026-03-15",
    }
    assert {errors[column]["code"] for column in ("角色", "负责户数", "代理人工号")} == {
        "unknown_role",
        "count_format",
        "own_deputy",
    }


@pytest.mark.parametrize("deputy", ["S2", "N1"])
async def test_a_deputy_must_be_known_and_see_the_place(send: Any, deputy: str) -> None:
    other = ("S2", "周九", "村党支部书记", "", "", OTHER_VILLAGE, "", "", "", "", "")
    line = ("S3", "吴十", "村党支部书记", "", "", VILLAGE, "", "", deputy, "", "")
    answer = await send("officers", as_csv((OFFICERS[0], other, line)), dry_run="true")
    (error,) = answer.json()["errors"]
    code = "deputy_elsewhere" if deputy == "S2" else "officer_unknown"
    assert (error["line"], error["column"], error["code"]) == (3, "代理人工号", code)


async def test_a_day_cell_is_a_day_and_a_broken_cell_is_told(send: Any, rows: Rows) -> None:
    await send("officers", as_csv(OFFICERS))
    good = (ABSENCES[0], ("S1", date(2026, 4, 1), date(2026, 4, 2), ""))
    assert (await send("absences", as_xlsx(good), XLSX)).json()["changed"] == 1
    assert [row["last_day"] for row in await rows("absence")] == [date(2026, 4, 2)]
    broken = (ABSENCES[0], ("S1", "2026-05-01", "=NA()", ""))
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate(broken):
            for j, cell in enumerate(row):
                sheet.write(i, j, cell) if cell != "=NA()" else sheet.write_formula(i, j, cell, None, "#N/A")
    answer = await send("absences", file.getvalue(), XLSX, dry_run="true")
    assert (3 - 1, "请假止", "excel_error") in {(e["line"], e["column"], e["code"]) for e in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "text/csv", 400),
        ("工号,姓名\n1,2\n".encode(), "text/csv", 400),
        ('工号,"'.encode(), "text/csv", 400),
        (b"\xff\xfe\x00", "text/csv", 400),
        (b"PK\x03\x04rubbish", XLSX, 400),
        (b"rubbish", XLSX, 415),
        (b"[]", "application/json", 415),
        (as_csv((*OFFICERS[:1], *(OFFICERS[1:2] * 20_001))), "text/csv", 400),
    ],
)
async def test_what_is_no_such_sheet_is_refused(send: Any, content: bytes, kind: str, status: int) -> None:
    assert (await send("officers", content, kind)).status_code == status


async def test_unknown_columns_are_named(send: Any) -> None:
    table = [[*row, "备注" if i == 0 else "x"] for i, row in enumerate(OFFICERS)]
    assert (await send("officers", as_csv(table), dry_run="true")).json()["unknown_columns"] == ["备注"]


@pytest.mark.parametrize("sheet", list(Sheet))
async def test_a_template_filled_in_is_read(
    send: Any, alerts_client: httpx.AsyncClient, bearer: Bearer, sheet: Sheet
) -> None:
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    answer = await alerts_client.get(f"/alerts/v1/rosters/{sheet}/template.xlsx", headers=headers)
    assert answer.headers["content-type"] == XLSX
    (header,) = await read_sheet(answer.content, 10)
    assert [str(cell).rstrip("*") for cell in header] == list(COLUMNS_OF[sheet].values())
    empty = await send(sheet, answer.content, XLSX)
    assert (empty.status_code, empty.json()["lines"], empty.json()["changed"]) == (200, 0, 0)


async def test_an_import_routes_what_waited(send: Any, tell: Any, rows: Rows, house: House) -> None:
    await tell(risk(2))
    await send("officers", as_csv(OFFICERS))
    assert await house.run_worker("alerts", "route") == 1
    assert {row["officer_no"] for row in await rows("assignment")} == {"G1", "S1"}
