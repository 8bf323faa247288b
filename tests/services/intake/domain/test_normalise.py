"""Values as departments write them: what is put right, what is refused, and why (with the code people get)."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.catalogue import layouts
from services.intake.domain.feed_layout import Column, ColumnType, Month
from services.intake.domain.normalise import Normal, Refusal, normalise
from services.intake.domain.quick_values import UNSURE, quick_reader
from services.intake.domain.row_error import echo

TODAY = date(2026, 3, 15)
COLUMNS = {
    "date": Column("settled_on", "结算日期", ColumnType.DATE),
    "money": Column("gross", "医疗总费用", ColumnType.MONEY_YUAN),
    "wan": Column("income", "收入", ColumnType.MONEY_YUAN, unit="ten_thousand_yuan"),
    "boolean": Column("insured", "参保", ColumnType.BOOLEAN),
    "number": Column("identity_number", "证件号码", ColumnType.IDENTITY_NUMBER),
    "certificate": Column("certificate_no", "残疾证号", ColumnType.DISABILITY_CERTIFICATE),
    "code": Column("visit", "就诊类别", ColumnType.CODE, codes={"住院": "inpatient", "门诊": "outpatient"}),
    "codes": Column("types", "残疾类别", ColumnType.CODE, codes={"肢体": "4", "智力": "5"}, multiple=True),
    "text": Column("stay", "住院号", ColumnType.TEXT, max_length=20),
    "name": Column("person_name", "姓名", ColumnType.TEXT),
    "integer": Column("months", "月数", ColumnType.INTEGER),
    "division": Column("division", "行政区划代码", ColumnType.DIVISION),
    "year": Column("year", "年度", ColumnType.YEAR),
    "first": Column("since", "起始年月", ColumnType.DATE, month=Month.FIRST),
    "last": Column("until", "截止年月", ColumnType.DATE, month=Month.LAST),
    "percent": Column("drop", "降幅", ColumnType.PERCENT, unit="basis_points"),
    "whole": Column("guarantee", "保证率", ColumnType.PERCENT, unit="percent"),
    "few": Column("posts", "岗位月数", ColumnType.INTEGER, most=12),
}
DAY = date(2026, 1, 5)

TAKEN: list[tuple[str, str, Any, tuple[str, ...]]] = [
    ("date", "2026-01-05", DAY, ()),
    ("date", "2026/1/5", DAY, ("date_form",)),
    ("date", "2026.1.5", DAY, ("date_form",)),
    ("date", "20260105", DAY, ("date_form",)),
    ("date", "2026年1月5日", DAY, ("date_form",)),
    ("date", "2026-01-05 00:00:00", DAY, ("time_dropped",)),
    ("date", "２０２６－０１－０５", DAY, ("width",)),
    ("date", "46027", DAY, ("excel_serial",)),
    ("date", " 2026-01-05\u3000", DAY, ("spaces",)),
    ("date", "", None, ()),
    ("date", "-", None, ("blank_mark",)),
    ("first", "2026-01-05", DAY, ()),
    ("first", "2026-02", date(2026, 2, 1), ("month_only",)),
    ("first", "202602", date(2026, 2, 1), ("month_only",)),
    ("first", "2026年2月", date(2026, 2, 1), ("month_only",)),
    ("last", "2026-02", date(2026, 2, 28), ("month_only",)),
    ("last", "2024.2", date(2024, 2, 29), ("month_only",)),
    ("last", "2026-03", TODAY, ("month_only",)),
    ("percent", "35%", 3500, ()),
    ("percent", "35.25", 3525, ()),
    ("percent", "３５％", 3500, ("width",)),
    ("percent", "0", 0, ()),
    ("percent", "0.5%", 50, ()),
    ("percent", "100", 10000, ()),
    ("whole", "97.5%", 97, ("fraction_dropped",)),
    ("few", "12", 12, ()),
    ("money", "1234.5", 123450, ()),
    ("money", "0", 0, ()),
    ("money", "-0", 0, ()),
    ("money", "007", 700, ()),
    ("money", "1,234.50", 123450, ("thousands",)),
    ("money", "１，２３４．５", 123450, ("width", "thousands")),
    ("money", "¥1234.50", 123450, ("currency",)),
    ("money", "￥ 1,234元", 123400, ("width", "currency", "thousands")),
    ("money", "RMB100", 10000, ("currency",)),
    ("money", "1.2万", 1200000, ("ten_thousand",)),
    ("money", "无", None, ("blank_mark",)),
    ("money", "暂无", None, ("blank_mark",)),
    ("money", "/", None, ("blank_mark",)),
    ("money", "'100", 10000, ("apostrophe",)),
    ("wan", "1.2", 1200000, ("ten_thousand",)),
    ("wan", "0.123456", 123456, ("ten_thousand",)),
    ("boolean", "是", True, ()),
    ("boolean", "√", True, ()),
    ("boolean", "有", True, ()),
    ("boolean", "1", True, ()),
    ("boolean", "Ｙ", True, ()),
    ("boolean", "TRUE", True, ()),
    ("boolean", "否", False, ()),
    ("boolean", "无", False, ()),
    ("boolean", "×", False, ()),
    ("boolean", "暂无", None, ("blank_mark",)),
    ("code", "住院", "inpatient", ()),
    ("code", "inpatient", "inpatient", ()),
    ("code", "住 院", "inpatient", ()),
    ("codes", "肢体、智力", ("4", "5"), ()),
    ("codes", "5.0", ("5",), ()),
    ("text", "ZY001", "ZY001", ()),
    ("text", '="0012"', "0012", ("apostrophe",)),
    ("text", "=HYPERLINK(1)", "=HYPERLINK(1)", ()),
    ("name", "买买提．阿里", "买买提·阿里", ("middle_dot",)),
    ("name", "王 明", "王明", ("spaces",)),
    ("name", "王𠮷", "王𠮷", ()),
    ("integer", "12", 12, ()),
    ("integer", "12.0", 12, ("decimal_dropped",)),
    ("division", "130624100201", "130624100201", ()),
    ("division", "130624100201.0", "130624100201", ("decimal_dropped",)),
    ("year", "2025", 2025, ()),
    ("year", "2025年", 2025, ("year_form",)),
]


@pytest.mark.parametrize(("kind", "text", "value", "notes"), TAKEN)
def test_what_is_meant_is_taken_and_what_was_changed_is_noted(
    kind: str, text: str, value: Any, notes: tuple[str, ...]
) -> None:
    assert normalise(COLUMNS[kind], text, TODAY) == Normal(value, notes)


REFUSED = [
    ("first", "2026-13", "no_such_date"),
    ("first", "2026-04", "date_in_future"),
    ("percent", "0.35", "ambiguous_percentage"),
    ("percent", "1", "ambiguous_percentage"),
    ("percent", "101%", "implausible_number"),
    ("percent", "三成", "not_a_percentage"),
    ("percent", "-5%", "not_a_percentage"),
    ("few", "13", "implausible_number"),
    ("date", "26-1-5", "two_digit_year"),
    ("date", "05/01/2026", "ambiguous_date"),
    ("date", "2026-01", "month_only"),
    ("date", "2026年1月", "month_only"),
    ("date", "2026-02-29", "no_such_date"),
    ("date", "20260230", "no_such_date"),
    ("date", "60", "date_form"),
    ("date", "9999-12-31", "open_ended_date"),
    ("date", "长期", "open_ended_date"),
    ("date", "农历正月初五", "lunar_date"),
    ("date", "2026-03-16", "date_in_future"),
    ("date", "1899-12-31", "date_out_of_range"),
    ("date", "1767225600", "date_form"),
    ("money", "-5", "negative_amount"),
    ("money", "1.005", "too_many_decimals"),
    ("money", "1e3", "scientific_notation"),
    ("money", "壹万贰仟", "chinese_numerals"),
    ("money", "70%", "percent"),
    ("money", "12,34", "money_form"),
    ("money", "10000000.01", "implausible_amount"),
    ("wan", "45000", "implausible_amount"),
    ("money", "NaN", "money_form"),
    ("money", "####", "excel_overflow"),
    ("money", "#REF!", "excel_error"),
    ("boolean", "其他", "not_yes_or_no"),
    ("code", "体检", "unknown_code"),
    ("codes", "肢体、其他", "unknown_code"),
    ("text", "x" * 21, "too_long"),
    ("text", "a\x00b", "nul_character"),
    ("name", "张\u202e三", "control_character"),
    ("integer", "1.5", "not_an_integer"),
    ("integer", "-1", "negative_number"),
    ("division", "1.30624E+11", "precision_lost"),
    ("division", "130624", "not_a_village"),
    ("division", "阜平镇", "division_format"),
    ("year", "26", "year_form"),
    ("year", "2027", "year_out_of_range"),
    ("number", "1.10101E+17", "precision_lost"),
    ("number", "99990119550307401643", "disability_certificate"),
    ("number", "999901195503074017", "wrong_check_digit"),
    ("certificate", "999901195503074016", "wrong_form"),
    ("certificate", "99990119550307401743", "wrong_check_digit"),
    ("certificate", "99990119550307401695", "wrong_form"),
]


@pytest.mark.parametrize(("kind", "text", "code"), REFUSED)
def test_what_could_mean_two_things_or_none_is_refused(kind: str, text: str, code: str) -> None:
    refusal = normalise(COLUMNS[kind], text, TODAY)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert refusal.reason


CELLS = st.one_of(
    st.text(max_size=30),
    st.sampled_from([text for _, text, *_ in TAKEN] + [text for _, text, _ in REFUSED]),
    st.from_regex(r"[0-9]{0,4}[-/.年,]?[0-9]{1,3}[-/.月,]?[0-9]{0,3}[日元万%]?", fullmatch=True),
    st.decimals(min_value=0, max_value=10**7, places=2).map(str),
    st.dates(date(1890, 1, 1), date(2030, 1, 1)).map(str),
)
EVERY_COLUMN = [*COLUMNS.values(), *(c for layout in layouts().values() for c in layout.columns)]


@given(st.sampled_from(EVERY_COLUMN), CELLS)
def test_any_text_is_a_value_or_a_refusal(column: Column, text: str) -> None:
    assert isinstance(normalise(column, text, TODAY), Normal | Refusal)


@given(st.sampled_from(EVERY_COLUMN), CELLS)
def test_the_quick_reader_is_only_sure_of_what_normalise_says(column: Column, text: str) -> None:
    quick = quick_reader(column, TODAY)
    for _ in range(2):
        value = quick(text)
        if value is not UNSURE:
            assert normalise(column, text, TODAY) == Normal(value)
            assert value is not None or not column.required


@given(st.integers(0, 10**9))
def test_money_is_exact(fen: int) -> None:
    text = f"{fen // 100:,}.{fen % 100:02d}元"
    outcome = normalise(COLUMNS["money"], text, TODAY)
    assert isinstance(outcome, Normal)
    assert outcome.value == fen


@given(st.dates(date(1900, 1, 1), TODAY))
def test_every_way_to_write_a_day_means_that_day(day: date) -> None:
    ways = (
        f"{day:%Y-%m-%d}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day:%Y%m%d}",
        f"{day.year}年{day.month}月{day.day}日",
    )
    assert {normalise(COLUMNS["date"], way, TODAY).value for way in ways} == {day}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["text", "name"])
def test_an_identity_number_in_another_column_is_refused(kind: str) -> None:
    for text in ("999901195503074016", "999901 19550307 4016"):
        found = normalise(COLUMNS[kind], text, date(2026, 1, 31))
        assert isinstance(found, Refusal)
        assert found.code == "identity_number_misplaced"
        assert quick_reader(COLUMNS[kind], date(2026, 1, 31))(text) is UNSURE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("999901195503074016", "99***16"),
        ("999901 19550307 4016", "99***16"),
        ("９９９９０１１９５５０３０７４０１６", "99***16"),
        ("199-0000-0001", "19***01"),
        ("2026-01-05 12:00", "2026-01-05 12:00"),
        ("20260105", "20260105"),
    ],
)
def test_an_error_shows_a_value_without_its_numbers(text: str, shown: str) -> None:
    assert echo(text) == shown
