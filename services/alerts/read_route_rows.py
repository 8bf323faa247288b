"""Read the rows of a table of routes: a JSON list, a CSV sheet, or a workbook; each with its number."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from services.alerts.domain.route_table import COLUMNS, MOST_LINES, Row, is_blank
from shared.errors import BadRequest, FieldError, Unprocessable, UnsupportedMedia
from shared.web.spreadsheet import XLSX
from shared.web.strict_json import parse_strict
from shared.workbook.archive import WorkbookRefused
from shared.workbook.read_sheet import BadCell, Cell, read_sheet, written

Rows = tuple[tuple[int, Row], ...]
_NAME_OF = {**{name: name for name in COLUMNS}, **{column.zh: name for name, column in COLUMNS.items()}}
_REQUIRED = ("node", "parent", "match", "tell")
_OTHER_FORMATS = ("old_excel", "encrypted", "binary_workbook")


class RouteTableUnreadable(BadRequest):
    code, title = "route_table_unreadable", "无法读取路由表"


class RouteTableRefused(Unprocessable):
    code, title = "route_table_refused", "路由表有误，未保存"


async def read_route_rows(body: bytes, content_type: str) -> Rows:
    """The rows of a request; RouteTableUnreadable, UnsupportedMedia."""
    kind = content_type.split(";")[0].strip().lower()
    if kind == "text/csv":
        return of_csv(body)
    if kind == XLSX:
        return _of_sheet(await _sheet(body))
    if kind != "application/json":
        raise UnsupportedMedia("路由表应为 application/json、text/csv 或 XLSX")
    return _of_json(parse_strict(body))


def of_csv(body: bytes) -> Rows:
    """The rows of a CSV file in UTF-8 or GB18030."""
    try:
        sheet = list(csv.reader(io.StringIO(_decoded(body), newline=""), strict=True))
    except csv.Error as error:
        raise RouteTableUnreadable("引号或分隔不完整，请检查引号与逗号") from error
    return _below_header(sheet)


def _decoded(body: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RouteTableUnreadable("文件编码应为 UTF-8 或 GB18030")


async def _sheet(body: bytes) -> list[list[Cell]]:
    try:
        return await read_sheet(body, MOST_LINES + 1)
    except WorkbookRefused as refused:
        said = f"{refused.reason}；{refused.expected}" if refused.expected else refused.reason
        raise (UnsupportedMedia(said) if refused.code in _OTHER_FORMATS else RouteTableUnreadable(said)) from refused


def _of_sheet(sheet: Sequence[Sequence[Cell]]) -> Rows:
    bad = [
        FieldError(f"line/{number}/第{place}列", cell.code, f"单元格{cell.reason}", cell.expected)
        for number, row in enumerate(sheet)
        for place, cell in enumerate(row, 1)
        if isinstance(cell, BadCell)
    ]
    if bad:
        raise RouteTableRefused(f"有 {len(bad)} 个单元格无法读取", errors=bad[:100])
    return _below_header([[written(cell) for cell in row] for row in sheet])


def _below_header(sheet: Sequence[Sequence[str]]) -> Rows:
    """The rows under the first; its headers are columns of ours, Chinese or English, in any order."""
    while sheet and not any(cell.strip() for cell in sheet[0]):
        sheet = sheet[1:]
    headers = [text.strip() for text in sheet[0]] if sheet else []
    while headers and not headers[-1]:
        headers.pop()
    names = [_NAME_OF.get(header) for header in headers]
    wrong = [header for header, name in zip(headers, names, strict=True) if name is None]
    missing = [COLUMNS[name].zh for name in _REQUIRED if name not in names]
    if wrong or missing or len(set(names)) != len(names):
        said = f"没有“{wrong[0][:20]}”列" if wrong else f"缺少：{'、'.join(missing)}" if missing else "有重复的列"
        raise RouteTableUnreadable(f"表头应为：{'、'.join(column.zh for column in COLUMNS.values())}；{said}")
    rows = []
    for number, cells in enumerate(sheet[1:], 1):
        if any(cell.strip() for cell in cells[len(names) :]):
            raise RouteTableUnreadable(f"第 {number} 行的单元格多于表头，请检查逗号与引号")
        given = dict(zip((name or "" for name in names), (cell.strip() for cell in cells), strict=False))
        rows.append((number, {name: given.get(name, "") for name in COLUMNS}))
    return tuple((number, row) for number, row in rows if not is_blank(row))


def _of_json(value: Any) -> Rows:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise RouteTableUnreadable(f"请求体应为列表，每项是一行：{'、'.join(COLUMNS)}")
    errors = [
        FieldError(f"body/{place}/{str(name)[:40]}", code, message, "、".join(COLUMNS), COLUMNS["node"].example)
        for place, row in enumerate(value)
        for name, cell in row.items()
        for code, message in _wrong(name, cell)
    ]
    if errors:
        raise RouteTableRefused(f"有 {len(errors)} 处错误", errors=errors[:100])
    return tuple((number, {name: _text(row.get(name)) for name in COLUMNS}) for number, row in enumerate(value, 1))


def _wrong(name: str, cell: Any) -> list[tuple[str, str]]:
    if name not in COLUMNS:
        return [("extra_forbidden", "没有这一列")]
    return [] if cell is None or isinstance(cell, str | bool) else [("text_expected", "应为文本")]


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    return (cell or "").strip()
