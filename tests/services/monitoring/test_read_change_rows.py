"""A parameter sheet as a workbook: read by a limited child as written, or refused with what to do."""

import io
import zipfile
from datetime import date
from typing import Any

import pytest
import xlsxwriter

from services.monitoring.domain.parameter_change import TableUnreadable
from services.monitoring.read_change_rows import read_rows
from shared.errors import UnsupportedMedia
from shared.web.spreadsheet import XLSX
from shared.workbook.archive import Limits, WorkbookRefused
from shared.workbook.read_sheet import read_sheet

HEADERS = ("文号", "参数", "取值", "生效日期")
HIDDEN = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'


def workbook(
    *rows: tuple[Any, ...], headers: tuple[str, ...] = HEADERS, number_format: str = "", **options: Any
) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, **options}) as book:
        sheet, day = book.add_worksheet("参数"), book.add_format({"num_format": "yyyy-mm-dd"})
        plain = book.add_format({"num_format": number_format}) if number_format else None
        for number, row in enumerate((headers, *rows)):
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, day)
                elif isinstance(cell, str) and cell.startswith("="):
                    sheet.write_formula(number, column, cell, value="#DIV/0!")
                elif isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                elif cell is not None:
                    sheet.write(number, column, cell, plain)
        book.add_worksheet("说明").write(0, 0, "只读第一张")
    return file.getvalue()


async def read(body: bytes) -> list[Any]:
    return await read_rows(body, XLSX)


def changed(body: bytes, part: str, content: bytes) -> bytes:
    """The workbook with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return out.getvalue()


async def test_texts_numbers_and_days_are_read_as_written() -> None:
    rows = await read(
        workbook(
            ("1号", "monitoring_line", "9800.00", "2027-01-01"),
            ("2号", "monitoring_line", 9800.5, date(2027, 2, 28)),
            (None, None, None, None),
            ("3号", "line_inclusive", True, date(2027, 3, 1)),
            (4, "education_threshold", 12000),
        )
    )
    line, when = "monitoring_line", "from"
    assert rows == [
        {"name": line, "value": "9800.00", when: "2027-01-01", "document_no": "1号"},
        {"name": line, "value": "9800.5", when: "2027-02-28", "document_no": "2号"},
        {"name": "line_inclusive", "value": "true", when: "2027-03-01", "document_no": "3号"},
        {"name": "education_threshold", "value": "12000", when: "", "document_no": "4"},
    ]


async def test_texts_inside_the_cells_are_read_too() -> None:
    [row] = await read(workbook(("1号", "monitoring_line", "1", "2027-01-01"), constant_memory=True))
    assert row["document_no"] == "1号"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"PK\x03\x04 cut off", "损坏"),
        (b"", "不是 XLSX"),
        (workbook()[:200], "损坏"),
        (workbook(headers=("参数", "取值", "生效日期")), "文号"),
        (workbook(headers=(*HEADERS, "取值")), "取值"),
        (workbook(("1号", "monitoring_line", 9800, "2027-01-01"), number_format="0%"), "百分比"),
        (workbook(("1号", "monitoring_line", 10**15, "2027-01-01")), "15位"),
        (workbook(("1号", "monitoring_line", "=1/0", "2027-01-01")), "公式"),
        (workbook(date_1904=True), "1904"),
        (changed(workbook(), "xl/workbook.xml", b"<workbook/>"), "工作表|损坏"),
        (changed(workbook(), "xl/worksheets/sheet1.xml", b"not xml"), "损坏|空的"),
        (changed(workbook(), "xl/worksheets/sheet1.xml", b"<worksheet/>"), "空的"),
        (changed(workbook(), "xl/worksheets/sheet1.xml", b'<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'), "外部定义"),
        (changed(workbook(), "xl/worksheets/sheet1.xml", HIDDEN.encode("utf-16")), "外部定义"),
        (workbook(*[("1号", "monitoring_line", "1", "2027-01-01")] * 2000), "超过 2000 行"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_reason(body: bytes, told: str) -> None:
    with pytest.raises(TableUnreadable, match=told):
        await read(body)


async def test_what_unpacks_to_more_than_a_sheet_may_be_is_refused() -> None:
    bomb = changed(workbook(), "xl/worksheets/sheet1.xml", b" " * (2**20 + 1))
    with pytest.raises(WorkbookRefused, match="large"):
        await read_sheet(bomb, 10, Limits(inflated_bytes=2**20))


async def test_an_old_or_locked_workbook_is_said_to_be_one() -> None:
    with pytest.raises(UnsupportedMedia, match="旧版"):
        await read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


async def test_a_cell_far_to_the_right_does_not_fill_the_memory() -> None:
    ns = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    far = ns + b'<row><c r="ZZZZZZ1"><v>1</v></c></row></sheetData></worksheet>'
    with pytest.raises(TableUnreadable, match="列"):
        await read(changed(workbook(), "xl/worksheets/sheet1.xml", far))
