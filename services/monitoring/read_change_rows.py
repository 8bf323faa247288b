"""Read the rows of a request that changes parameters: a JSON list, a CSV sheet, or a workbook."""

from decimal import Decimal

from services.monitoring.domain.parameter_change import Row, TableUnreadable, read_table, wanted_columns
from services.monitoring.read_workbook import XLSX, Cell, day_of, read_workbook, written
from shared.errors import UnsupportedMedia
from shared.web.strict_json import parse_strict


def read_rows(body: bytes, content_type: str) -> list[Row]:
    """The rows as sent; what is wrong with a single row is said later, of all rows at once."""
    kind = content_type.split(";")[0].strip().lower()
    if kind == "text/csv":
        return read_table(body)
    if kind == XLSX:
        return _of_workbook(read_workbook(body))
    if kind != "application/json":
        raise UnsupportedMedia(f"请求体类型为“{kind[:60] or '未注明'}”；应为 application/json、text/csv 或 XLSX")
    rows = parse_strict(body)
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise TableUnreadable("请求体应为列表，每项是一行：name、value、from、document_no")
    return rows


def _of_workbook(sheet: list[list[Cell]]) -> list[Row]:
    """The rows below the first that is not empty; a number in the column of days is a day."""
    filled = [row for row in sheet if any(written(cell).strip() for cell in row)]
    if not filled:
        raise TableUnreadable("第一张工作表是空的")
    headers, *rows = filled
    wanted = wanted_columns([written(cell) for cell in headers])
    return [
        {name: _field(name, row[column] if column < len(row) else "") for name, column in wanted.items()}
        for row in rows
    ]


def _field(name: str, cell: Cell) -> str:
    return day_of(cell) if name == "from" and isinstance(cell, Decimal) else written(cell).strip()
