"""Rows told as columns say exactly what RowChecker says of them, one by one."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.intake.catalogue import layouts
from services.intake.domain import check_columns
from services.intake.domain.check_columns import LINE, CheckedColumns, ColumnChecker, told_in_columns
from services.intake.domain.feed_layout import (
    Asked,
    Cadence,
    Column,
    ColumnType,
    Condition,
    FactSpec,
    FeedLayout,
    Kind,
    Month,
    Reversal,
    Rule,
    RuleKind,
)
from services.intake.domain.feed_row import BadRow, FeedRow, RawRow, RowChecker, RowContext
from services.intake.domain.typed_layout import typed_layout
from services.intake.pack_rows import lay_on_shelves, pack_columns, pack_row
from tests.services.intake.build import COUNTY, VILLAGE, disability_row, medical_row, number
from tests.services.intake.ordinary_rows import good_row

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

# Everything a fact, a rule or a layout may say besides.
CONDITIONAL = replace(
    EVERYTHING,
    name="conditional",
    columns=(
        *EVERYTHING.columns,
        Column("secret", "原文", ColumnType.TEXT, required=True, withheld=True),
        Column("unread", "不读", ColumnType.MONEY_YUAN, withheld=True),
        Column("certificate", "残疾证号", ColumnType.DISABILITY_CERTIFICATE, personal=True),
        Column("types", "残疾类别", ColumnType.CODE, codes={"肢体": "4", "视力": "1", "多重": "7"}, multiple=True),
        Column("grade", "残疾等级", ColumnType.CODE, codes={"三级": "3", "一级": "1"}),
        Column("since", "起", ColumnType.DATE, month=Month.FIRST),
        Column("last", "止", ColumnType.DATE, future=True, open_ended=True),
        Column("share", "比例", ColumnType.PERCENT, unit="percent"),
        Column("number", "编号二", ColumnType.TEXT, max_length=12),
        Column("operation", "业务", ColumnType.CODE, codes={"新增": "grant", "冲销": "reversal"}),
    ),
    rules=(
        Rule(
            "over",
            RuleKind.SUM_AT_MOST,
            ("part",),
            "error",
            "",
            "amount",
            when=(Condition("yes", frozenset({"true"})),),
        ),
        Rule(
            "known",
            RuleKind.ANY_KNOWN,
            ("person",),
            "error",
            "",
            "number",
            when=(Condition("amount", asked=Asked.POSITIVE),),
        ),
        Rule("order", RuleKind.IN_ORDER, ("since", "day"), "warning", "", "last"),
        Rule(
            "year",
            RuleKind.WHOLE_YEAR,
            ("since",),
            "error",
            "",
            "last",
            when=(Condition("kinds", frozenset({"a"})), Condition("part", asked=Asked.KNOWN)),
        ),
        Rule("certificate", RuleKind.CERTIFICATE_AGREES, ("person", "types", "grade"), "error", "", "certificate"),
    ),
    facts=(
        FactSpec(
            "state.one",
            "person",
            "number",
            "division",
            "day",
            {"amount_fen": "amount"},
            value=("types", "grade"),
            attributes={"share": "share", "since": "since", "name": "person_name"},
            when=(Condition("kind", frozenset({"a", "07"})),),
            fixed={"verified": True, "visit": "inpatient"},
            period=("since", "last"),
            person_name="person_name",
        ),
        FactSpec(
            "state.one",
            "person",
            None,
            None,
            "day",
            when=(Condition("yes", frozenset({"false"})), Condition("last", asked=Asked.UNKNOWN)),
            fixed={"value": 'a"b'},
            part="二",
            ended_on="until",
        ),
        FactSpec(
            "event.three",
            None,
            "key",
            None,
            "day",
            attributes={"months": "months"},
            when=(Condition("months", asked=Asked.POSITIVE), Condition("secret", asked=Asked.UNKNOWN)),
            fixed_attributes={"scheme": "x", "n": 3, "no": False},
            last_day="last",
            part='"',
        ),
        FactSpec("event.four", None, "key", None, "day", when=(Condition("share", asked=Asked.POSITIVE),)),
        FactSpec("event.five", None, "key", None, "day", attributes={"n": "number"}, fixed={"verified": False}),
    ),
    reversal=Reversal("operation", frozenset({"reversal"}), "number"),
    own_codes={"household": "number", "division": "division"},
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


def messy_rows(layout: FeedLayout) -> st.SearchStrategy[list[list[str]]]:
    """Rows of which some have a few cells that are something else than what their column wants."""
    cell = st.sampled_from(range(len(layout.columns))).flatmap(
        lambda at: st.tuples(
            st.just(at), st.one_of(*[WORDS.get(layout.columns[at].type, ANYTHING)] * 4, BLANKS, ANYTHING)
        )
    )
    return st.lists(
        st.builds(_with_mess, st.just(layout), st.integers(0, 10**6), st.lists(cell, max_size=3)), min_size=1
    )


def _with_mess(layout: FeedLayout, seed: int, mess: list[tuple[int, str]]) -> list[str]:
    row = good_row(layout, Random(seed))
    for at, text in mess:
        row[at] = text
    return row


def check_as_columns(
    layout: FeedLayout, rows: list[list[str]], checker: ColumnChecker | None = None
) -> CheckedColumns:
    columns = {c.name: pl.Series([row[i] for row in rows], dtype=pl.String) for i, c in enumerate(layout.columns)}
    lines = pl.Series(range(2, len(rows) + 2), dtype=pl.Int64)
    return (checker or ColumnChecker(layout, CONTEXT)).check(pl.DataFrame({LINE: lines, **columns}))


FEED = UUID(int=1)


def agree(layout: FeedLayout, rows: list[list[str]], checker: ColumnChecker | None = None) -> int:
    """Compare both ways of checking; how many rows were told as columns."""
    checked = check_as_columns(layout, rows, checker)
    by_rows, packed, clean = RowChecker(layout, CONTEXT), list[bytes](), set(range(len(rows))) - set(checked.unsure)
    newest, notes, named = None, Counter[Any](), list[Any]()
    for i in sorted(clean):
        expected = by_rows.check(RawRow(i + 2, rows[i]))
        assert isinstance(expected, FeedRow), (expected, rows[i])
        assert not expected.warnings
        assert not expected.review
        assert expected.number is None
        assert not expected.is_head
        content = json.dumps(expected.content, ensure_ascii=False, separators=(",", ":"))
        said = (expected.line, expected.record, expected.digest, content)
        assert checked.clean.row(len(packed))[:4] == said
        assert not by_rows.codes_alone(RawRow(i + 2, rows[i]))
        named += [(i + 2, n.code[0].value, n.code[1], n.owner, n.on.isoformat()) for n in expected.named]
        packed.append(pack_row(FEED, expected.record, expected.line, expected.digest, None, content, None))
        notes.update(expected.notes)
        newest = max(newest or date.min, expected.newest or date.min)
    assert pack_columns(FEED, lay_on_shelves(checked.clean, 0), with_content=True) == b"".join(packed)
    assert checked.notes == notes
    assert sorted([] if checked.named is None else checked.named.rows()) == sorted(named)
    assert checked.newest == newest
    return len(packed)


SYNTHETIC = (EVERYTHING, CONDITIONAL, replace(typed_layout(CONDITIONAL), name="typed"))
# All kinds of own codes, each beside the column it stands for.
CODED = replace(
    CONDITIONAL,
    name="coded",
    columns=(
        *CONDITIONAL.columns,
        Column("person_code", "个人编号", ColumnType.TEXT, max_length=20, personal=True),
        Column("household_code", "家庭档案编号", ColumnType.TEXT, max_length=20),
        Column("division_code", "辖区编码", ColumnType.CODE, codes={"一所": "1", "二所": "22"}),
    ),
    facts=tuple(replace(f, household="number") if f.household else f for f in CONDITIONAL.facts),
    own_codes={"household": "household_code", "division": "division_code", "person": "person_code"},
)
SYNTHETIC = (*SYNTHETIC, CODED)
IN_COLUMNS = [layout for layout in (*layouts().values(), *SYNTHETIC) if told_in_columns(layout)]


@pytest.mark.parametrize("layout", IN_COLUMNS, ids=lambda layout: layout.name)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_stands_in_the_cells_both_ways_say_the_same(layout: FeedLayout, data: st.DataObject) -> None:
    agree(layout, data.draw(messy_rows(layout)))


@pytest.mark.parametrize("layout", IN_COLUMNS, ids=lambda layout: layout.name)
def test_of_ordinary_rows_all_good_ones_are_told_as_columns(layout: FeedLayout) -> None:
    chance, by_rows = Random(layout.name), RowChecker(layout, CONTEXT)
    rows = [good_row(layout, chance) for _ in range(300)]
    told = agree(layout, rows)
    raws = [RawRow(i, row) for i, row in zip(count(2), rows, strict=False)]
    checked = [by_rows.check(raw) for raw in raws if not by_rows.codes_alone(raw)]
    plain = [row for row in checked if isinstance(row, FeedRow) and not row.warnings and not _takes_back(row)]
    assert told == len(plain) >= 30


def _takes_back(row: FeedRow) -> bool:
    return any("op" in said for said in row.content["observations"])


@pytest.mark.parametrize("layout", [x for x in layouts().values() if told_in_columns(x)], ids=lambda x: x.name)
def test_the_example_in_the_catalogue_is_told_as_columns(layout: FeedLayout) -> None:
    row = [c.example or "" if c.name not in ("operation", "original_no") else "" for c in layout.columns]
    assert isinstance(RowChecker(layout, CONTEXT).check(RawRow(2, row)), BadRow) or agree(layout, [row]) == 1


def settlements(header: str, texts: list[str]) -> list[list[str]]:
    """Ordinary settlements but for one column."""
    return [[v if h != header else text for h, v in medical_row(0).items()] for text in texts]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.one_of(NUMBERS, ANYTHING), min_size=1, max_size=20))
@example(["999901200002290012", "110101190002290019"])
def test_a_number_is_clean_only_if_it_is_real(texts: list[str]) -> None:
    agree(layouts()["medical_settlement"], settlements("证件号码", texts))


@settings(max_examples=20, deadline=None)
@given(st.lists(MONEY, min_size=1, max_size=20))
def test_amounts_are_exact_to_the_fen(texts: list[str]) -> None:
    agree(layouts()["medical_settlement"], settlements("医疗总费用", texts))


@given(st.lists(st.integers(0, 10**11 - 1), min_size=1, max_size=30))
@settings(max_examples=20, deadline=None)
def test_eleven_digits_of_money_lose_nothing(amounts: list[int]) -> None:
    layout = replace(EVERYTHING, rules=(), columns=tuple(replace(c, max_yuan=10**9) for c in EVERYTHING.columns))
    rows = [list((clean_row() | {"amount": f"{fen // 100}.{fen % 100:02d}"}).values()) for fen in amounts]
    assert agree(layout, rows) == len(rows)


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


def test_all_shipped_layouts_but_rosters_are_told_as_columns() -> None:
    assert {name for name, layout in layouts().items() if not told_in_columns(layout)} == {"household_register"}


def _said(layout: FeedLayout, **changes: Any) -> FeedLayout:
    first, *others = layout.facts
    return replace(layout, facts=(replace(first, **changes), *others))


@pytest.mark.parametrize(
    "layout",
    [
        _said(CONDITIONAL, fixed={"value": "x"}),
        _said(CONDITIONAL, fixed_attributes={"share": 1}),
        _said(CONDITIONAL, ended_on="until", last_day="last"),
        _said(CONDITIONAL, attributes={"own_codes": "kind"}),
        _said(CONDITIONAL, attributes={"certificate": "certificate"}),
        _said(CONDITIONAL, household="secret"),
        _said(CONDITIONAL, occurred_on="since"),
        _said(CONDITIONAL, when=(Condition("number", frozenset({"K001"})),)),
        _said(CONDITIONAL, when=(Condition("kind", asked=Asked.POSITIVE),)),
        replace(CONDITIONAL, natural_key=("key", "certificate")),
        replace(CONDITIONAL, natural_key=("secret",)),
        replace(CONDITIONAL, own_codes={"person": "person"}),
        replace(
            CONDITIONAL,
            columns=tuple(replace(c, codes={"甲": 'a"'}) if c.name == "kind" else c for c in CONDITIONAL.columns),
        ),
        replace(CONDITIONAL, rules=(Rule("order", RuleKind.IN_ORDER, ("months",), "error", "", "day"),)),
    ],
)
def test_what_could_mean_two_things_here_is_told_row_by_row(layout: FeedLayout) -> None:
    assert not told_in_columns(layout)


@pytest.mark.parametrize("operation", ["", "发放", "冲销"])
def test_a_row_that_takes_something_back_is_told_row_by_row(operation: str) -> None:
    layout = layouts()["temporary_relief"]
    row = [operation if c.name == "operation" else c.example or "" for c in layout.columns]
    assert check_as_columns(layout, [row]).unsure == ([0] if operation == "冲销" else [])


@pytest.mark.parametrize(
    ("types", "grade", "owner", "clean"),
    [
        ("肢体", "三级", 0, True),
        ("肢体、视力", "三级", 0, True),
        ("多重", "三级", 0, True),
        ("视力", "三级", 0, False),
        ("肢体", "一级", 0, False),
        ("肢体", "三级", 1, False),
    ],
)
def test_a_certificate_is_clean_only_if_it_agrees(types: str, grade: str, owner: int, clean: bool) -> None:
    changes = {"残疾类别": types, "残疾等级": grade, "证件号码": number(owner)}
    row = [changes.get(header, text) for header, text in disability_row(0).items()]
    assert agree(layouts()["disability_register"], [row]) == clean


def test_a_layout_that_says_more_than_is_known_here_is_told_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**check_columns._KNOWN_FIELDS, FactSpec: check_columns._KNOWN_FIELDS[FactSpec].replace(" stay", "")}
    monkeypatch.setattr(check_columns, "_KNOWN_FIELDS", known)
    assert not told_in_columns(EVERYTHING)
