"""Rows told as columns say exactly what RowChecker says of them, one by one."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.intake.catalogue import layouts
from services.intake.domain import check_columns
from services.intake.domain.check_columns import LINE, CheckedColumns, ColumnChecker, told_in_columns
from services.intake.domain.feed_layout import (
    Cadence,
    Column,
    ColumnType,
    FactSpec,
    FeedLayout,
    Kind,
    Rule,
    RuleKind,
)
from services.intake.domain.feed_row import FeedRow, RawRow, RowChecker, RowContext
from tests.services.intake.build import COUNTY, VILLAGE, medical_row, number

TODAY = date(2026, 3, 15)
CONTEXT = RowContext(
    TODAY, (COUNTY, "130625000000"), lambda n: hashlib.sha256(n.encode()).digest(), frozenset({VILLAGE})
)

# Every type of column and both rules, in one layout.
EVERYTHING = FeedLayout(
    name="everything",
    version=3,
    title="各类列",
    department="测试",
    department_title="测试",
    kind=Kind.TRANSACTION,
    cadence=Cadence.MONTHLY,
    overdue_after_days=40,
    natural_key=("key", "person", "day", "months"),
    purpose="",
    legal_basis="",
    retention_months=1,
    raw_retention_days=1,
    owner="",
    columns=(
        Column("key", "编号", ColumnType.TEXT, required=True, max_length=30),
        Column("person", "证件号码", ColumnType.IDENTITY_NUMBER, personal=True),
        Column("person_name", "姓名", ColumnType.TEXT, max_length=10, personal=True),
        Column("day", "日期", ColumnType.DATE, required=True),
        Column("until", "到期", ColumnType.DATE, future=True, tolerant=True),
        Column("kind", "类别", ColumnType.CODE, codes={"甲": "a", "乙": "1", "丙": "07"}, required=True),
        Column("kinds", "多类", ColumnType.CODE, codes={"甲": "a", "乙": "1"}, multiple=True),
        Column("yes", "是否", ColumnType.BOOLEAN),
        Column("months", "月数", ColumnType.INTEGER),
        Column("year", "年度", ColumnType.YEAR),
        Column("division", "区划", ColumnType.DIVISION),
        Column("phone", "电话", ColumnType.TEXT, pattern=r"1\d{10}", personal=True),
        Column("amount", "金额", ColumnType.MONEY_YUAN, max_yuan=1000),
        Column("part", "其中", ColumnType.MONEY_YUAN, tolerant=True),
        Column("wan", "万元", ColumnType.MONEY_YUAN, unit="ten_thousand_yuan"),
        Column("owed", "欠款", ColumnType.MONEY_YUAN, negative=True),
    ),
    rules=(
        Rule("over", RuleKind.SUM_AT_MOST, ("part", "months"), "error", "多了", "amount"),
        Rule("unequal", RuleKind.SUM_EQUALS, ("part", "owed"), "warning", "不等", "amount", tolerance_fen=1),
    ),
    facts=(
        FactSpec(
            "event.one",
            "person",
            "key",
            "division",
            "day",
            {"amount_fen": "amount", "months": "months"},
            visit="kind",
            stay="phone",
            value=("kind", "kinds"),
            attributes={
                name: name for name in ("kind", "kinds", "yes", "months", "year", "until", "phone", "wan", "division")
            },
        ),
        FactSpec("event.two", "person", None, None, "day", attributes={"key": "key", "owed": "owed"}),
    ),
)

ANYTHING = st.one_of(st.text(max_size=24), st.text("0123456789.-/年月日Xx ,", max_size=20))
BLANKS = st.sampled_from(["", "-", "无", "暂无", "NULL", " ", "\u3000", "'", "None"])
NUMBERS = st.one_of(
    st.integers(0, 5000).map(number),
    st.from_regex(r"[0-9]{17}[0-9Xx]", fullmatch=True),
    st.sampled_from(["1" * 18, "810000199001010018", "999901190001010000", "999901600101001", number(3).lower()]),
)
DAYS = st.one_of(
    st.dates(date(1899, 1, 1), date(2027, 1, 1)).flatmap(
        lambda d: st.sampled_from(
            [d.isoformat(), f"{d.year}/{d.month}/{d.day}", f"{d:%Y%m%d}", f"{d.year}年{d.month}月{d.day}日"]
        )
    ),
    st.sampled_from(["2026-02-30", "46027", "2026-01-05 08:00", "２０２６-01-05", "长期"]),
)
MONEY = st.one_of(
    st.integers(0, 120_000).map(lambda fen: f"{fen // 100}.{fen % 100:02d}"),
    st.integers(-99, 2000).map(str),
    st.sampled_from(["1,000.00", "1.5", "0.1", "1.234", "1e3", "¥10", "1.2万", "007", "999999999.99", "0", "-0"]),
)
TEXTS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,36}", fullmatch=True),
    st.text("王小明阿依古丽·买提无", min_size=1, max_size=12),
    st.integers(0, 50).map(lambda i: f"ZY-{number(i)}"),
    st.sampled_from(["07", "7", "12345678901234567890", "19900000001", "A\\B", 'A"B', "Ａ1", "合计"]),
)
WORDS = {
    ColumnType.IDENTITY_NUMBER: NUMBERS,
    ColumnType.DATE: DAYS,
    ColumnType.MONEY_YUAN: MONEY,
    ColumnType.TEXT: TEXTS,
    ColumnType.CODE: st.sampled_from(["甲", "乙", "丙", "a", "1", "甲、乙", " 甲", "住院", "门诊", "门特", "丁"]),
    ColumnType.BOOLEAN: st.sampled_from(["是", "否", "√", "1", "也许", "无"]),
    ColumnType.INTEGER: st.sampled_from(["0", "3", "12", "3.0", "三", "１２", "-1"]),
    ColumnType.YEAR: st.sampled_from(["2025", "2025年", "25", "2027"]),
    ColumnType.DIVISION: st.sampled_from([VILLAGE, "130624100202", "130625100201", "130624100000", VILLAGE + ".0"]),
}


def cells_of(layout: FeedLayout) -> st.SearchStrategy[list[str]]:
    """Rows of which most cells are what their column wants."""
    cell = [st.one_of(*[WORDS.get(c.type, ANYTHING)] * 6, BLANKS, ANYTHING) for c in layout.columns]
    return st.tuples(*cell).map(list)


def check_as_columns(
    layout: FeedLayout, rows: list[list[str]], checker: ColumnChecker | None = None
) -> CheckedColumns:
    columns = {c.name: pl.Series([row[i] for row in rows], dtype=pl.String) for i, c in enumerate(layout.columns)}
    lines = pl.Series(range(2, len(rows) + 2), dtype=pl.Int64)
    return (checker or ColumnChecker(layout, CONTEXT)).check(pl.DataFrame({LINE: lines, **columns}))


def agree(layout: FeedLayout, rows: list[list[str]], checker: ColumnChecker | None = None) -> int:
    """Compare both ways of checking; how many rows were told as columns."""
    checked = check_as_columns(layout, rows, checker)
    by_rows = RowChecker(layout, CONTEXT)
    unsure, newest, notes = set(checked.unsure), None, Counter[Any]()
    clean = iter(checked.clean.iter_rows())
    for i, row in enumerate(rows):
        if i in unsure:
            continue
        expected = by_rows.check(RawRow(i + 2, row))
        assert isinstance(expected, FeedRow), (expected, row)
        content = json.dumps(expected.content, ensure_ascii=False, separators=(",", ":"))
        assert next(clean) == (expected.line, expected.record, expected.digest, content)
        assert not expected.warnings
        assert expected.number is None
        assert not expected.is_head
        notes.update(expected.notes)
        newest = max(newest or date.min, expected.newest or date.min)
    assert next(clean, None) is None
    assert checked.notes == notes
    assert checked.newest == newest
    return len(rows) - len(unsure)


IN_COLUMNS = [layout for layout in (*layouts().values(), EVERYTHING) if told_in_columns(layout)]


@pytest.mark.parametrize("layout", IN_COLUMNS, ids=lambda layout: layout.name)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_stands_in_the_cells_both_ways_say_the_same(layout: FeedLayout, data: st.DataObject) -> None:
    agree(layout, data.draw(st.lists(cells_of(layout), min_size=1, max_size=12)))


@settings(deadline=None)
@given(st.one_of(NUMBERS, ANYTHING))
@example("999901200002290012")
@example("110101190002290019")
def test_a_number_is_clean_only_if_it_is_real(text: str) -> None:
    row = [v if h != "证件号码" else text for h, v in medical_row(0).items()]
    agree(layouts()["medical_settlement"], [row])


@settings(deadline=None)
@given(MONEY)
def test_amounts_are_exact_to_the_fen(text: str) -> None:
    row = [v if h != "医疗总费用" else text for h, v in medical_row(0).items()]
    agree(layouts()["medical_settlement"], [row])


@given(st.integers(0, 10**11 - 1))
@settings(deadline=None)
def test_eleven_digits_of_money_lose_nothing(fen: int) -> None:
    layout = replace(EVERYTHING, rules=(), columns=tuple(replace(c, max_yuan=10**9) for c in EVERYTHING.columns))
    row = clean_row() | {"amount": f"{fen // 100}.{fen % 100:02d}"}
    assert agree(layout, [list(row.values())]) == 1


def clean_row(i: int = 0) -> dict[str, str]:
    values = ("K1", number(i), "王小明", "2026-01-05", "2030-01-01", "乙", "甲、乙", "是", "0", "2025", VILLAGE)
    rest = ("19900000001", "100.00", "60.5", "1.2", "39.50")
    return dict(zip((c.name for c in EVERYTHING.columns), (*values, *rest), strict=True))


def test_a_clean_row_of_every_type_is_told_as_columns() -> None:
    assert agree(EVERYTHING, [list(clean_row(i).values()) for i in range(3)]) == 3


@pytest.mark.parametrize("name", [c.name for c in EVERYTHING.columns if not c.required])
def test_a_blank_that_is_allowed_is_clean(name: str) -> None:
    row = list((clean_row() | {name: ""}).values())
    if name == "person":  # The second fact would be nobody's, which RowChecker must answer.
        assert check_as_columns(EVERYTHING, [row]).unsure == [0]
    else:
        assert agree(EVERYTHING, [row]) == 1


def test_what_was_remembered_of_a_block_holds_for_the_next() -> None:
    checker = ColumnChecker(EVERYTHING, CONTEXT)
    for start in range(3):
        rows = [list(clean_row(start * 2 + i).values()) for i in range(4)]
        rows[1][3] = "2026/1/5"
        assert agree(EVERYTHING, rows, checker) == 4


def test_ordinary_settlements_are_all_told_as_columns() -> None:
    layout = layouts()["medical_settlement"]
    assert agree(layout, [list(medical_row(i).values()) for i in range(200)]) == 200


def test_a_column_the_file_does_not_have_is_blank() -> None:
    layout = layouts()["medical_settlement"]
    row = dict(zip((c.name for c in layout.columns), medical_row(0).values(), strict=True))
    del row["stay"]
    frame = pl.DataFrame({LINE: [2], **{name: [text] for name, text in row.items()}})
    content = json.loads(ColumnChecker(layout, CONTEXT).check(frame).clean["content"][0])
    assert "stay" not in content["observations"][0]


@pytest.mark.parametrize("name", ["household_register", "disability_register"])
def test_households_and_certificates_are_told_row_by_row(name: str) -> None:
    assert not told_in_columns(layouts()[name])


def test_a_layout_that_says_more_than_is_known_here_is_told_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**check_columns._KNOWN_FIELDS, FactSpec: check_columns._KNOWN_FIELDS[FactSpec].replace(" stay", "")}
    monkeypatch.setattr(check_columns, "_KNOWN_FIELDS", known)
    assert not told_in_columns(EVERYTHING)
