"""Field values as departments write them, and what becomes of each: value and notes, or the code; one table.

`line` is the line of the list of bad values. Numbers lie in reserved areas (9999xx); where the area is the point,
their owners would have been born in 1900. All dates are before 2026-03-15, the tests' today.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.intake.domain.feed_layout import Column, ColumnType, Month
from shared.vocabulary.identity_number import check_digit
from tests.services.intake.build import medical_row, number


def numbered(first_17: str) -> str:
    return first_17 + check_digit(first_17)


OWN = "999901195503074016"
WITH_X = next(n for n in map(number, range(200)) if n.endswith("X"))
LEGACY = "999901550307401"
PERMIT, FOREIGN = numbered("81000019000101001"), numbered("91113019000101001")
SEQUENCE_000, RETIRED = numbered("99990119550307000"), numbered("99990019550307401")

COLUMNS: Mapping[str, Column] = {
    "number": Column("identity_number", "证件号码", ColumnType.IDENTITY_NUMBER, personal=True),
    "date": Column("settled_on", "结算日期", ColumnType.DATE),
    "month": Column("ended_on", "离岗日期", ColumnType.DATE, month=Month.LAST),
    "end": Column("valid_to", "有效期至", ColumnType.DATE, open_ended=True, future=True),
    "money": Column("gross", "医疗总费用", ColumnType.MONEY_YUAN),
    "wan": Column("income", "收入", ColumnType.MONEY_YUAN, unit="ten_thousand_yuan"),
    "balance": Column("balance", "余额", ColumnType.MONEY_YUAN, negative=True),
    "name": Column("person_name", "姓名", ColumnType.TEXT, max_length=50, personal=True),
    "text": Column("stay", "住院号", ColumnType.TEXT, max_length=40),
    "whole": Column("share", "自付比例", ColumnType.PERCENT, unit="percent"),
    "flag": Column("insured", "参保", ColumnType.BOOLEAN),
    "share": Column("share", "自付比例", ColumnType.PERCENT, unit="basis_points"),
}
# Columns of the settlement, and how the value of each is found in what monitoring is told.
SENT = {"number": ("证件号码", "person"), "date": ("结算日期", "occurred_on"), "money": ("医疗总费用", "gross_fen")}
SENT |= {"text": ("住院号", "stay"), "name": ("姓名", "")}


@dataclass(frozen=True)
class Value:
    """A text in a column: its value and notes, or the code it is refused with."""

    line: int
    kind: str
    text: str
    value: Any = None
    notes: tuple[str, ...] = ()
    code: str = ""


def taken(line: int, kind: str, text: str, value: Any, *notes: str) -> Value:
    return Value(line, kind, text, value, notes)


def refused(line: int, kind: str, text: str, code: str) -> Value:
    return Value(line, kind, text, code=code)


DAY = date(2026, 1, 5)
VALUES = [
    taken(1, "number", WITH_X.lower(), WITH_X, "upper_case"),
    taken(2, "number", "９９９９０１１９５５０３０７４０１６", OWN, "width"),
    taken(3, "number", WITH_X[:17] + "Ｘ", WITH_X, "width"),
    refused(3, "number", WITH_X[:17] + "Х", "lookalike_letter"),
    taken(4, "number", LEGACY, numbered("99990119550307401"), "legacy_15_digits"),
    refused(4, "number", "999901551307401", "wrong_birth_date"),
    taken(5, "number", "999901 19550307 4016", OWN, "separators"),
    taken(5, "number", "999901-19550307-4016", OWN, "separators"),
    taken(5, "number", "999901\u00a0195503074016", OWN, "separators"),
    taken(5, "number", "9999011955\u200b03074016", OWN, "separators"),
    taken(5, "number", f" '{OWN}", OWN, "spaces", "apostrophe"),
    refused(6, "number", "999901195503074017", "wrong_check_digit"),
    refused(7, "number", "999901195503074106", "wrong_check_digit"),
    refused(8, "number", numbered("99990119550230401"), "wrong_birth_date"),
    refused(9, "number", numbered("99990120260316401"), "birth_in_future"),
    refused(10, "number", numbered("99990118000307401"), "birth_before_1900"),
    taken(11, "number", OWN, OWN),
    taken(12, "number", RETIRED, RETIRED),
    taken(13, "number", PERMIT, PERMIT, "permit"),
    refused(14, "number", "USA110000000115", "foreign_card"),
    taken(14, "number", FOREIGN, FOREIGN, "foreign_resident"),
    taken(15, "number", "无", None, "blank_mark"),
    refused(15, "number", "新生儿", "wrong_length"),
    *(refused(17, "number", c * n, "placeholder") for c in "019" for n in (15, 18)),
    refused(19, "number", f"{OWN}43", "disability_certificate"),
    refused(19, "number", f"{OWN}43B1", "disability_certificate"),
    taken(20, "number", SEQUENCE_000, SEQUENCE_000, "sequence_000"),
    refused(20, "number", "999901195503070000", "precision_lost"),
    refused(20, "number", "9.9990119550307E+17", "precision_lost"),
    refused(20, "number", "999901195503070000.0", "precision_lost"),
    taken(21, "date", "2026/1/5", DAY, "date_form"),
    taken(22, "date", "2026.1.5", DAY, "date_form"),
    taken(23, "date", "20260105", DAY, "date_form"),
    taken(24, "date", "2026年1月5日", DAY, "date_form"),
    taken(24, "date", "２０２６年１月５日", DAY, "width", "date_form"),
    taken(24, "date", "2026-01-05 13:20", DAY, "time_dropped"),
    taken(24, "date", "2026-01-04T20:00:00Z", DAY, "time_dropped", "zone"),
    taken(24, "date", "2026-01-05T20:00:00+08:00", DAY, "time_dropped", "zone"),
    refused(24, "date", "2026-01-05T25:00:00Z", "no_such_date"),
    refused(25, "date", "26-1-5", "two_digit_year"),
    refused(26, "date", "05/01/2026", "ambiguous_date"),
    refused(27, "date", "2026-01", "month_only"),
    taken(27, "month", "2026-01", date(2026, 1, 31), "month_only"),
    taken(27, "month", "2026年3月", date(2026, 3, 15), "month_only"),
    refused(27, "month", "2026-13", "no_such_date"),
    taken(28, "date", "46027", DAY, "excel_serial"),
    refused(28, "date", "60", "date_form"),
    refused(28, "date", "٤٦٠٢٧", "date_form"),
    refused(28, "date", "፩፪", "date_form"),
    refused(29, "date", "9999-12-31", "open_ended_date"),
    refused(29, "date", "长期", "open_ended_date"),
    taken(29, "end", "9999-12-31", None, "open_ended"),
    taken(29, "end", "9999年12月31日", None, "date_form", "open_ended"),
    taken(29, "end", "长期", None, "open_ended"),
    taken(29, "end", "2027-02-28", date(2027, 2, 28)),
    refused(30, "date", "农历正月初五", "lunar_date"),
    refused(30, "date", "2025年腊月廿三", "lunar_date"),
    refused(30, "date", "二〇二六年一月五日", "chinese_numerals"),
    taken(31, "money", "1,234.50", 123450, "thousands"),
    refused(31, "money", "12,34", "money_form"),
    taken(32, "money", "１，２３４．５", 123450, "width", "thousands"),
    taken(33, "money", "¥1234.50", 123450, "currency"),
    taken(33, "money", "1234元", 123400, "currency"),
    taken(33, "money", "RMB 1234", 123400, "currency"),
    taken(34, "money", "1.2万", 1200000, "ten_thousand"),
    taken(34, "money", "1.2万元", 1200000, "currency", "ten_thousand"),
    taken(34, "wan", "1.2", 1200000, "ten_thousand"),
    refused(35, "wan", "45000", "implausible_amount"),
    refused(36, "money", "-5", "negative_amount"),
    taken(37, "balance", "-5", -500),
    refused(38, "money", "10000000.01", "implausible_amount"),
    taken(38, "money", "10000000", 1000000000),
    refused(39, "money", "壹万贰仟", "chinese_numerals"),
    refused(39, "money", "一万二", "chinese_numerals"),
    *(taken(40, "balance", mark, None, "blank_mark") for mark in ("-", "无", "/", "暂无", "－", "——")),
    refused(43, "money", "1.005", "too_many_decimals"),
    refused(43, "money", "1e3", "scientific_notation"),
    refused(43, "money", "70%", "percent"),
    refused(43, "money", "NaN", "money_form"),
    refused(43, "money", "٣", "money_form"),
    *(taken(45, "name", f"买买提{dot}阿里", "买买提·阿里", "middle_dot") for dot in "•．・‧"),
    taken(45, "name", "买买提·阿里", "买买提·阿里"),
    taken(45, "name", "王 明", "王明", "spaces"),
    taken(45, "name", "王\u200b明", "王明", "spaces"),
    refused(45, "name", "王" * 51, "too_long"),
    taken(46, "name", "王𠮷", "王𠮷"),
    taken(46, "name", "䶮二", "䶮二"),
    taken(47, "text", "ZY😀", "ZY😀"),
    taken(47, "text", "<script>alert(1)</script>", "<script>alert(1)</script>"),
    refused(47, "name", "张\u202e三", "control_character"),
    refused(47, "name", "张\u200f三", "control_character"),
    refused(47, "text", "a\x07b", "control_character"),
    refused(47, "text", "a\x00b", "nul_character"),
    refused(48, "text", "####", "excel_overflow"),
    refused(48, "money", "########", "excel_overflow"),
    refused(48, "money", "#DIV/0!", "excel_error"),
    taken(49, "name", "王小明a", "王小明a"),
    taken(50, "text", "=1+1", "=1+1"),
    *(taken(50, "flag", yes, True) for yes in ("是", "有", "√", "Y", "1", "ｙ")),
    *(taken(50, "flag", no, False) for no in ("否", "无", "×", "N", "0")),
    refused(50, "flag", "其他", "not_yes_or_no"),
    taken(50, "share", "35%", 3500),
    taken(50, "share", "35.5", 3550),
    taken(50, "whole", "35.50", 35, "fraction_dropped"),
    taken(50, "whole", "35.00", 35),
    refused(50, "share", "0.35", "ambiguous_percentage"),
    refused(50, "share", "101%", "implausible_number"),
]
ELSEWHERE = {
    16: "the register compares number, sex and relation (quality checks)",
    18: "one number with two names is a task of the register (monitoring)",
    41: "ROWS below",
    42: "ROWS below",
    44: "a layout says for each amount whether it is of a year or a month; a file cannot leave it out",
}


@dataclass(frozen=True)
class Row:
    """A whole row whose values contradict each other, or whose meaning depends on another value."""

    line: int
    layout: str
    row: Mapping[str, str]
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)


def accident(**changes: str) -> dict[str, str]:
    row = {
        "记录编号": "SG1",
        "姓名": "王小明",
        "证件号码": OWN,
        "户编号": "H1",
        "事故类型": "火灾",
        "伤亡情况": "轻伤",
        "发生日期": "2026-02-20",
    }
    return {**row, **changes}


def relief(**changes: str) -> dict[str, str]:
    row = {
        "救助单号": "LS2",
        "业务类型": "冲销",
        "原救助单号": "LS1",
        "户主姓名": "王小明",
        "户主证件号码": OWN,
        "救助原因": "因病",
        "发放日期": "2026-02-20",
        "救助金额": "-800",
        "行政区划代码": "130624100201",
    }
    return {**row, **changes}


ROWS = [
    Row(15, "accidents", accident(证件号码=""), errors=("number_or_reason",)),
    Row(15, "accidents", accident(证件号码="", 无证件号码原因="新生儿"), said={"household_no": "H1"}),
    Row(36, "temporary_relief", relief(), said={"op": "reverse", "record": "LS1", "amount_fen": 80000}),
    Row(36, "temporary_relief", relief(业务类型="发放", 原救助单号=""), errors=("negative_amount",)),
    Row(41, "medical_settlement", medical_row(0, 合规自付="1000.01"), errors=("self_paid_over_gross",)),
    Row(42, "medical_settlement", medical_row(0, 其他支付="0.02"), warnings=("amounts_do_not_add_up",)),
    Row(42, "medical_settlement", medical_row(0, 其他支付="0.01")),
]
