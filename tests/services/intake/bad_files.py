"""Files as they come, one for each line of the list of bad inputs (CSV 1-40, XLSX 1-40), and what becomes of each.

`answer`: what POST says (202: taken in). `end`: how the feed ends. `code`: why, of the answer or of the feed as a
whole. `rows`: code of each line that has an error or a warning. `taken`: how many rows were accepted. `says`: what
the report says besides, by dotted path.
"""

import gzip
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from tests.services.intake.build import MEDICAL, csv_text, medical_row, number, register_row
from tests.services.intake.workbooks import (
    SHEET,
    Formula,
    Money,
    Percent,
    bomb,
    encrypted,
    lying,
    many_entries,
    patched,
    replaced,
    workbook,
)

CSV, XLSX, GZIP = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/gzip"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@dataclass(frozen=True)
class BadFile:
    name: str
    body: Callable[[], bytes | str]
    answer: int = 202
    end: str = "recorded"
    code: str | None = None
    rows: Mapping[int, str] = field(default_factory=dict)
    taken: int = 0
    says: Mapping[str, Any] = field(default_factory=dict)
    layout: str = "medical_settlement"
    media_type: str = CSV
    query: Mapping[str, str] = field(default_factory=dict)


def text(*rows: Mapping[str, str]) -> str:
    return csv_text(rows or [medical_row(0)])


def changed(**cells: str) -> Callable[[], str]:
    """A good row, and one with these cells."""
    return lambda: text(medical_row(0), medical_row(1, **cells))


def rejected(name: str, body: Callable[[], bytes | str], code: str, **more: Any) -> BadFile:
    return BadFile(name, body, end="rejected", code=code, **more)


def refused(name: str, body: Callable[[], bytes | str], answer: int, code: str, **more: Any) -> BadFile:
    return BadFile(name, body, answer=answer, code=code, **more)


def one_bad(name: str, body: Callable[[], bytes | str], code: str, line: int = 3, **more: Any) -> BadFile:
    return BadFile(name, body, rows={line: code}, taken=1, **more)


def good(name: str, body: Callable[[], bytes | str], taken: int = 1, **says: Any) -> BadFile:
    more = {key: says.pop(key) for key in ("layout", "media_type", "query") if key in says}
    return BadFile(name, body, taken=taken, says={k.replace("__", "."): v for k, v in says.items()}, **more)


LINE = ",".join(medical_row(0).values())
HEADER = ",".join(MEDICAL)
TITLE = "某县2026年1月医保结算明细\r\n制表单位：测试,,\r\n"

CSV_FILES = [
    refused("1 empty", lambda: b"", 400, "feed_empty"),
    BadFile("2 header only", lambda: HEADER + "\r\n"),
    rejected("3 no header", lambda: LINE + "\r\n", "header_incomplete"),
    good("4 byte order mark", lambda: b"\xef\xbb\xbf" + text().encode()),
    good("5 GBK", lambda: text().encode("gbk"), encoding="gb18030"),
    good("6 beyond GBK", lambda: text(medical_row(0, 姓名="王𠮷")).encode("gb18030"), encoding="gb18030"),
    good("7 UTF-16 LE with tabs", lambda: text().replace(",", "\t").encode("utf-16"), encoding="utf-16-le"),
    good("7 UTF-16 BE", lambda: b"\xfe\xff" + text().encode("utf-16-be"), encoding="utf-16-be"),
    good("8 UTF-16 without a mark", lambda: text().encode("utf-16-le"), encoding="utf-16-le"),
    good("9 short GBK", lambda: text().encode("gb18030"), encoding="gb18030"),
    one_bad(
        "10 a GBK line in UTF-8",
        lambda: text(medical_row(0)).encode() + f"{LINE}\r\n".encode("gbk"),
        "wrong_encoding",
    ),
    one_bad(
        "10 a UTF-8 line in GBK",
        lambda: text(medical_row(0)).encode("gbk") + f"{LINE}\r\n".encode(),
        "wrong_encoding",
    ),
    rejected("11 Big5", lambda: "結算單號,證件號碼,姓名,醫療總費用\r\n1,2,3,4\r\n".encode("big5"), "big5"),
    rejected("12 mojibake of Latin", lambda: text().encode().decode("latin-1"), "mojibake"),
    rejected("12 mojibake of GBK", lambda: text().encode().decode("gb18030", "replace"), "mojibake"),
    good("13 semicolons", lambda: text().replace(",", ";"), file__delimiter="semicolon"),
    good("13 bars", lambda: text().replace(",", "|"), file__delimiter="bar"),
    good("13 full-width commas", lambda: text().replace(",", "，"), file__delimiter="fullwidth_comma"),
    good("13 TSV", lambda: text().replace(",", "\t"), media_type="text/tab-separated-values", file__delimiter="tab"),
    one_bad("14 quote not closed", lambda: text(medical_row(0)) + f'"{LINE}\r\n', "quote_not_closed"),
    good("15 line break in quotes", lambda: text(medical_row(0, 住院号="ZY1")).replace("ZY1", '"ZY1\n"')),
    good("16 CR only", lambda: text().replace("\r\n", "\r")),
    good("17 trailing delimiter", lambda: text().replace("\r\n", ",\r\n")),
    one_bad("18 short row", lambda: text() + "a,b\r\n", "ragged_row"),
    one_bad("18 long row", lambda: text() + f"{LINE},x\r\n", "ragged_row"),
    rejected("19 header twice", lambda: text().replace("姓名", "证件号码", 1), "header_repeated"),
    good("20 synonym", lambda: text().replace("证件号码", "身份证号", 1)),
    good(
        "21 header with blanks, break, asterisk and unit",
        lambda: (
            text(medical_row(0))
            .replace("证件号码", '" 证件号码 *\n(必填)"', 1)
            .replace("医疗总费用", "医疗总费用（元）", 1)
        ),
    ),
    good("22 unknown header, ignored", lambda: csv_text([{**medical_row(0), "备注": "x"}]), ignored=["备注"]),
    rejected(
        "22 unknown header, refused",
        lambda: csv_text([{**medical_row(0), "备注": "x"}]),
        "header_unknown",
        query={"unknown": "reject"},
    ),
    rejected("23 required header missing", lambda: text().replace("合规自付", "自付", 1), "header_incomplete"),
    good("24 title above", lambda: TITLE + text(), skipped__title_rows=2, file__header_line=3),
    good(
        "25 two header rows",
        lambda: (
            HEADER.replace("医疗总费用", "费用").replace("结算日期", "结算日期").replace("基本医保支付", "")
            + "\r\n"
            + ",".join(name if name in ("医疗总费用", "基本医保支付") else "" for name in MEDICAL)
            + f"\r\n{LINE}\r\n"
        ),
        file__header_rows=2,
    ),
    good("26 total row", lambda: text() + "合 计,,,,,,1000.00,,,,,,\r\n", skipped__total_rows=1),
    good("27 blank rows", lambda: text() + "\r\n,,,,,,,,,,,,\r\n", skipped__blank_rows=2),
    good("28 apostrophe", lambda: text(medical_row(0, 证件号码="'" + number(0)))),
    good("29 unwrapped", lambda: text(medical_row(0, 证件号码=f'="{number(0)}"'))),
    one_bad("30 scientific", changed(证件号码="1.10101E+17"), "precision_lost"),
    one_bad("31 last digits zero", changed(证件号码=number(1)[:14] + "0000"), "precision_lost"),
    one_bad("32 leading zero lost", changed(证件号码=number(1)[1:]), "wrong_length"),
    good("33 formula", lambda: text(medical_row(0, 姓名="=HYPERLINK(1)"))),
    one_bad("34 NUL", lambda: text() + f"{LINE}\0\r\n", "nul_character"),
    one_bad("35 field over 1 MiB", lambda: text() + "x" * 1_100_000 + "\r\n", "line_too_long"),
    rejected("36 ten thousand columns", lambda: HEADER + ",x" * 10_000 + "\r\n", "too_many_columns"),
    BadFile("38 same row twice", lambda: text(medical_row(0), medical_row(0)), taken=2),
    BadFile(
        "39 same key, other values",
        lambda: text(medical_row(0), medical_row(1), medical_row(0, 姓名="王大明")),
        rows={2: "rows_conflict", 4: "rows_conflict"},
        taken=1,
    ),
    refused("40 a workbook", lambda: workbook([MEDICAL]), 415, "xlsx_or_zip"),
    refused("40 a web page", lambda: b"<html><table></table></html>", 415, "html"),
    refused("40 old Excel", lambda: OLE, 415, "old_excel"),
    good("gzip", lambda: gzip.compress(text().encode()), file__compression="gzip"),
    good("gzip, nothing said of within", lambda: gzip.compress(text().encode()), media_type=GZIP),
    good("gzip of two members", lambda: gzip.compress(HEADER.encode() + b"\n") + gzip.compress(LINE.encode())),
    refused(
        "gzip with trailing garbage", lambda: gzip.compress(text().encode()) + b"xx", 400, "gzip_trailing_garbage"
    ),
    refused("gzip cut short", lambda: gzip.compress(text().encode())[:-9], 400, "gzip_truncated"),
    refused("gzip broken", lambda: b"\x1f\x8b" + b"x" * 100, 400, "gzip_broken"),
    refused("gzip in name only", text, 400, "not_gzip", media_type=GZIP),
    refused("gzip of a workbook", lambda: gzip.compress(workbook([MEDICAL])), 415, "xlsx_or_zip"),
    refused("gzip bomb", lambda: gzip.compress(bytes(80 * 2**20)), 413, "inflated_too_large"),
    good(
        "our own column of errors",
        lambda: csv_text([{**medical_row(0), "错误说明": "x"}]),
        query={"unknown": "reject"},
    ),
    good("header repeated in the middle", lambda: text() + HEADER + "\r\n", skipped__repeated_headers=1),
]


def cells(i: int = 0, **changes: Any) -> list[Any]:
    return list({**medical_row(i), **changes}.values())


def book(*rows: list[Any], **options: Any) -> bytes:
    return workbook([list(MEDICAL), *(rows or [cells()])], **options)


def cell(**changes: Any) -> Callable[[], bytes]:
    """A good row, and one with these cells."""
    return lambda: book(cells(), cells(1, **changes))


def register(*rows: dict[str, Any], **options: Any) -> bytes:
    return workbook([list(rows[0]), *(list(row.values()) for row in rows)], **options)


def two_sheets() -> bytes:
    return workbook(sheets={"一月": [MEDICAL, cells()], "二月": [MEDICAL, cells(1)]})


def of_book(files: list[BadFile]) -> list[BadFile]:
    return [BadFile(**{**vars(each), "media_type": XLSX}) for each in files]


GRAND = MEDICAL.index("医疗总费用")
DAY = MEDICAL.index("结算日期")


def _zip_of_text() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", "x")
    return out.getvalue()


XLSX_FILES = of_book(
    [
        refused("1 not a zip", lambda: text(), 415, "not_a_workbook"),
        refused("1 cut short", lambda: book()[:-100], 422, "damaged"),
        refused("2 and 3 old .xls, .et", lambda: OLE, 415, "old_excel"),
        refused("4 encrypted", lambda: encrypted(book()), 422, "encrypted"),
        refused("4 encrypted by Excel", lambda: OLE + "EncryptedPackage".encode("utf-16-le"), 422, "encrypted"),
        refused("5 zip bomb", lambda: bomb(book(), 80), 413, "inflated_too_large"),
        refused("6 many entries", lambda: many_entries(book(), 2100), 413, "too_many_entries"),
        rejected("7 lying size", lambda: lying(book(), 80), "inflated_too_large"),
        rejected(
            "8 entities",
            lambda: patched(
                book(),
                {SHEET: replaced(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet')},
            ),
            "external_definition",
        ),
        refused(
            "9 external link",
            lambda: patched(book(), {}, {"xl/externalLinks/externalLink1.xml": b"<x/>"}),
            422,
            "external_link",
        ),
        refused("10 macros", lambda: patched(book(), {}, {"xl/vbaProject.bin": b"x"}), 415, "macros"),
        refused("a zip of other things", _zip_of_text, 415, "zip"),
        rejected("11 sheet empty", lambda: workbook([]), "sheet_empty"),
        rejected("12 several sheets", two_sheets, "several_sheets"),
        good(
            "12 the one named", two_sheets, query={"sheet": "二月"}, file__sheet="二月", file__other_sheets=["一月"]
        ),
        rejected("12 none of that name", two_sheets, "sheet_unknown", query={"sheet": "三月"}),
        good(
            "12 the only one with our header",
            lambda: workbook(sheets={"说明": [["填表说明"]], "数据": [MEDICAL, cells()]}),
            file__sheet="数据",
        ),
        good(
            "13 hidden sheet",
            lambda: workbook(sheets={"数据": [MEDICAL, cells()], "旧": [MEDICAL, cells(1)]}, hidden=["旧"]),
            file__hidden_sheets=["旧"],
        ),
        good(
            "13 hidden row",
            lambda: book(then=lambda _, sheet: sheet.set_row(1, None, None, {"hidden": True})),
            file__hidden_rows=1,
        ),
        good(
            "14 merged household number",
            lambda: register(
                register_row(0), register_row(0, 1, 户编号="", 行政区划代码=""), merged=[(1, 0, 2, 0), (1, 5, 2, 5)]
            ),
            2,
            layout="household_register",
            file__merged_filled=2,
        ),
        one_bad(
            "14 merged elsewhere",
            lambda: book(cells(), cells(1, 结算日期=""), merged=[(1, DAY, 2, DAY)]),
            "merged_cell",
        ),
        good(
            "15 merged header",
            lambda: workbook(
                [
                    ["费用" if name == "医疗总费用" else "" if name == "基本医保支付" else name for name in MEDICAL],
                    [name if name in ("医疗总费用", "基本医保支付") else "" for name in MEDICAL],
                    cells(),
                ],
                merged=[(0, GRAND, 0, GRAND + 1)],
            ),
            file__header_rows=2,
        ),
        good("16 header in row 3", lambda: workbook([["某县"], [], MEDICAL, cells()]), file__header_line=3),
        one_bad("17 number as a number", cell(证件号码=float(number(1)[:17] + "0")), "precision_lost"),
        good("18 number with blanks", lambda: book(cells(证件号码=f" {number(0)} "))),
        good("19 date cell", lambda: book(cells(结算日期=date(2026, 1, 5)))),
        good("20 serial", lambda: book(cells(结算日期=46027))),
        one_bad("20 serial out of range", cell(结算日期=99999), "date_form"),
        good("21 1904", lambda: book(cells(结算日期=date(2026, 1, 5)), date_1904=True), file__uses_1904=True),
        good("21 1904, serial", lambda: book(cells(结算日期=46027 - 1462), date_1904=True)),
        good("22 dates as text", lambda: book(cells(结算日期="2026.1.5"), cells(1, 结算日期="2026年1月5日")), 2),
        good("22 eight digits", lambda: book(cells(结算日期=20260105))),
        one_bad("23 29 February 1900", cell(结算日期=60), "date_form"),
        one_bad(
            "23 29 February 1900, as a date",
            lambda: patched(book(cells(), cells(1, 结算日期=date(2026, 1, 5))), {SHEET: replaced(b"46027", b"60")}),
            "no_such_date",
        ),
        good(
            "24 time part", lambda: book(cells(结算日期=datetime(2026, 1, 5, 10, 30))), notes__0__code="time_dropped"
        ),
        good("25 formula", lambda: book(cells(医疗总费用=Formula("=500+500|1000")))),
        one_bad(
            "26 formula without a value",
            lambda: patched(
                book(cells(), cells(1, 医疗总费用=Formula("=500+500|1000"))),
                {SHEET: replaced(b"<v>1000</v>", b"<v></v>")},
            ),
            "formula_without_value",
        ),
        one_bad("27 error", cell(医疗总费用=Formula("=1/0|#DIV/0!")), "excel_error"),
        one_bad("27 error where a blank may stand", cell(住院号=Formula("=A0|#REF!")), "excel_error"),
        good(
            "28 TRUE and 29 √",
            lambda: register(
                register_row(0, 参加居民医保=True), register_row(0, 1, 参加居民医保="√", 参加职工医保="Y")
            ),
            2,
            layout="household_register",
        ),
        BadFile(
            "29 something else",
            lambda: register(register_row(0), register_row(0, 1, 参加居民医保="其他")),
            rows={3: "not_yes_or_no"},
            taken=1,
            layout="household_register",
        ),
        one_bad("30 per cent where money belongs", cell(医疗总费用=Percent(0.7)), "percent"),
        good("31 money with format", lambda: book(cells(医疗总费用=Money(1000.0)))),
        good(
            "32 code as a number",
            lambda: register(register_row(0, 行政区划代码=130624100201)),
            layout="household_register",
        ),
        one_bad("33 leading digits lost", cell(证件号码=number(1)[1:]), "wrong_length"),
        good("35 no-break and wide blanks", lambda: book(cells(姓名="王小明\u00a0\u3000"))),
        good("36 line break in a cell", lambda: book(cells(就诊类别="住院\n"))),
        good(
            "37 a million formatted blank rows",
            lambda: book(then=lambda b, sheet: sheet.write_blank(1_048_575, 3, None, b.add_format({"bold": True}))),
        ),
        rejected(
            "a string that is not there",
            lambda: patched(
                book(),
                {
                    SHEET: replaced(
                        b"</sheetData>", b'<row r="90000"><c r="A90000" t="s"><v>999</v></c></row></sheetData>'
                    )
                },
            ),
            "damaged",
        ),
        good(
            "38 wrong dimension",
            lambda: patched(
                book(), {SHEET: replaced(b'<dimension ref="A1:N2"/>', b'<dimension ref="A1:XFD1048576"/>')}
            ),
        ),
        rejected(
            "a cell in the last column",
            lambda: book(then=lambda _, sheet: sheet.write_number(1, 16383, 1)),
            "too_many_columns",
        ),
        good("39 comment", lambda: book(then=lambda _, sheet: sheet.write_comment(1, 1, "999901"))),
        rejected(
            "40 template of another version",
            lambda: workbook([["版本 medical_settlement v9"], MEDICAL, cells()]),
            "template_outdated",
        ),
        good("40 template of this version", lambda: workbook([["版本：medical_settlement v1"], MEDICAL, cells()])),
        good("total row", lambda: book(cells(), ["合计", *[None] * 5, 1000]), skipped__total_rows=1),
        rejected("no header", lambda: workbook([cells(), cells(1)]), "header_incomplete"),
    ]
)


FILES = [*CSV_FILES, *XLSX_FILES]
