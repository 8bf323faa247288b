"""Read the rows of a request that changes parameters: a JSON list, a CSV sheet, or a workbook."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from services.monitoring.domain.parameter_change import Row, TableUnreadable, read_table, wanted_columns
from shared.errors import UnsupportedMedia
from shared.web.spreadsheet import XLSX
from shared.web.strict_json import parse_strict
from shared.workbook.archive import WorkbookRefused
from shared.workbook.read_sheet import BadCell, Cell, read_sheet, written

MOST_LINES = 2_000
OTHER_FORMATS = ("old_excel", "encrypted", "binary_workbook")


async def read_rows(body: bytes, content_type: str) -> list[Row]:
    """The rows as sent; what is wrong with a single row is said later, of all rows at once."""
    kind = content_type.split(";")[0].strip().lower()
    if kind == "text/csv":
        return read_table(body)
    if kind == XLSX:
        return _of_sheet(await _sheet(body))
    if kind != "application/json":
        raise UnsupportedMedia(f"请求体类型为“{kind[:60] or '未注明'}”；应为 application/json、text/csv 或 XLSX")
    rows = parse_strict(body)
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise TableUnreadable("请求体应为列表，每项是一行：name、value、from、document_no")
    return rows


async def _sheet(body: bytes) -> list[list[Cell]]:
    try:
        return await read_sheet(body, MOST_LINES)
    except WorkbookRefused as refused:
        said = f"{refused.reason}；{refused.expected}" if refused.expected else refused.reason
        raise (UnsupportedMedia(said) if refused.code in OTHER_FORMATS else TableUnreadable(said)) from refused


def _of_sheet(sheet: Sequence[Sequence[Cell]]) -> list[Row]:
    """The rows below the first that is not empty; a cell that says nothing sure refuses the sheet."""
    filled = [(number, row) for number, row in enumerate(sheet, 1) if any(_says(cell) for cell in row)]
    if not filled:
        raise TableUnreadable("第一张工作表是空的")
    for number, row in filled:
        for cell in row:
            if isinstance(cell, BadCell):
                raise TableUnreadable(f"第{number}行有单元格{cell.reason}；{cell.expected}")
    (_, headers), *rows = filled
    wanted = wanted_columns([written(cell) for cell in headers])
    return [
        {name: _field(name, row[column] if column < len(row) else "") for name, column in wanted.items()}
        for _, row in rows
    ]


def _says(cell: Cell) -> bool:
    return isinstance(cell, BadCell) or written(cell).strip() != ""


def _field(name: str, cell: Cell) -> str:
    return _day_of(cell) if name == "from" and isinstance(cell, Decimal) else written(cell).strip()


def _day_of(serial: Decimal) -> str:
    """The day that a number in a column of days means (days since 1899-12-30); as it is if it means none."""
    if serial != serial.to_integral_value() or not 0 < serial < 100_000:
        return written(serial)
    return (date(1899, 12, 30) + timedelta(days=int(serial))).isoformat()
