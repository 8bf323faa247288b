"""Write the template workbook of a data set (报送模板): headers with notes, drop-downs for codes, text for numbers.

Above the headers it says which data set and version it is of, so that a file made from an old one is noticed.
"""

import io
from collections.abc import Mapping
from typing import Any

import xlsxwriter

from services.intake.domain.feed_layout import Column, ColumnType, FeedLayout
from services.intake.domain.header_search import version_said
from services.intake.render_catalogue import TYPES

DATA_SHEET, ABOUT_SHEET, CHOICES_SHEET = "数据", "说明", "选项"
NAME_LABEL, VERSION_LABEL = "数据集版式", "版式版本"
HEADER_ROW = 1  # Below the title.
ROWS = 5000  # As far as drop-downs and formats reach; more rows may be filled in, without them.
CHOICES = {ColumnType.BOOLEAN: ("是", "否")}


def write_template(layout: FeedLayout) -> bytes:
    """The workbook; every cell for data is text, so that no spreadsheet rounds a number or guesses a date."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        data, about, choices = (book.add_worksheet(name) for name in (DATA_SHEET, ABOUT_SHEET, CHOICES_SHEET))
        columns = [column for column in layout.columns if not column.withheld]
        data.write_string(0, 0, f"{layout.title}　{version_said(layout)}", book.add_format({"bold": True}))
        _head(book, data, columns, {c.column: layout.column(c.stands_for).header for c in layout.crosswalk})
        for i, column in enumerate(columns):
            _offer(data, choices, i, _choices(column))
        _about(book, about, layout)
        choices.hide()
    return file.getvalue()


def _head(book: Any, sheet: Any, columns: list[Column], stands_for: Mapping[str, str]) -> None:
    bold, text = book.add_format({"bold": True, "bg_color": "#F2F4F7"}), book.add_format({"num_format": "@"})
    sheet.freeze_panes(HEADER_ROW + 1, 0)
    for i, column in enumerate(columns):
        sheet.set_column(i, i, max(12, 2 * len(column.header) + 4), text)
        sheet.write_string(HEADER_ROW, i, f"{column.header}*" if column.required else column.header, bold)
        sheet.write_comment(HEADER_ROW, i, _note(column, stands_for.get(column.name)))


def _offer(sheet: Any, choices: Any, at: int, offered: tuple[str, ...]) -> None:
    """A drop-down whose choices stand in a column of the hidden sheet: a list in the cell itself is too short."""
    if not offered:
        return
    for i, choice in enumerate(offered):
        choices.write_string(i, at, choice)
    source = f"={CHOICES_SHEET}!{_cell(0, at)}:{_cell(len(offered) - 1, at)}"
    allowed = {
        "validate": "list",
        "source": source,
        "error_title": "不在选项中",
        "error_message": "请从下拉列表中选择",
    }
    sheet.data_validation(HEADER_ROW + 1, at, HEADER_ROW + ROWS, at, allowed)


def _cell(row: int, column: int) -> str:
    from xlsxwriter.utility import xl_rowcol_to_cell

    return str(xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True))


def _choices(column: Column) -> tuple[str, ...]:
    """One text for each code, the first that the layout names; several in one cell cannot be dropped down."""
    if column.multiple:
        return ()
    first: dict[str, str] = {}
    for text, code in column.codes.items():
        first.setdefault(code, text)
    return tuple(first.values()) or CHOICES.get(column.type, ())


def _note(column: Column, stands_for: str | None = None) -> str:
    lines = [f"{TYPES[column.type]}，{'必填' if column.required else '可不填'}"]
    if column.type is ColumnType.MONEY_YUAN:
        lines.append("单位：万元" if column.unit == "ten_thousand_yuan" else "单位：元，最多两位小数")
    if column.multiple:
        lines.append(f"可填多项，用顿号隔开：{'、'.join(dict.fromkeys(column.codes))}"[:300])
    if stands_for is not None:
        lines.append(f"本部门编码：以前同时报送过的，{stands_for}可不填")
    if column.example:
        lines.append(f"示例：{column.example}")
    return "\n".join(lines)


def _about(book: Any, sheet: Any, layout: FeedLayout) -> None:
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True})
    sheet.set_column(0, 0, 16, bold)
    sheet.set_column(1, 1, 80, wrap)
    rows = (
        (NAME_LABEL, layout.name),
        (VERSION_LABEL, str(layout.version)),
        ("标题", layout.title),
        ("报送部门", layout.department_title),
        ("用途", layout.purpose),
        ("依据", layout.legal_basis),
        ("填写", "在“数据”表列名以下填写，第一行不要改动；带 * 的列必填；证件号码按文本填写；不要增加合计行"),
    )
    for i, (label, said) in enumerate(rows):
        sheet.write_string(i, 0, label)
        sheet.write_string(i, 1, said)
