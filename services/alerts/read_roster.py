"""Read a sheet that a county filled in, CSV or XLSX, into lines by column; the limited child reads workbooks."""

import asyncio
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from services.alerts.domain.officer_list import LineError
from services.alerts.domain.roster import COLUMNS_OF, HEADERS_OF, Sheet
from services.alerts.import_officers import MOST_LINES, OfficerListUnreadable, decode
from shared.errors import UnsupportedMedia
from shared.web.spreadsheet import XLSX
from shared.workbook.archive import WorkbookRefused
from shared.workbook.read_sheet import BadCell, Cell, read_sheet, written

MOST_LINES_ABOVE = 20
OTHER_FORMATS = ("old_excel", "encrypted", "binary_workbook", "not_a_workbook")
_DAYS = frozenset({"valid_from", "valid_to", "first_day", "last_day", "since", "until"})


@dataclass(frozen=True, slots=True)
class Roster:
    """The lines of a sheet, each with its row in the file; cells that say nothing sure; columns nobody knows."""

    lines: list[tuple[int, dict[str, str]]]
    errors: list[LineError]
    unknown_columns: list[str]


async def read_roster(sheet: Sheet, content: bytes, media_type: str) -> Roster:
    """OfficerListUnreadable for what is no such sheet, UnsupportedMedia for what is no CSV or XLSX."""
    kind = media_type.split(";")[0].strip().lower()
    if kind == "text/csv":
        return await asyncio.to_thread(lambda: _of_cells(sheet, _csv_cells(content)))
    if kind != XLSX:
        raise UnsupportedMedia("名册应为 text/csv 或 XLSX 工作簿")
    try:
        cells = await read_sheet(content, MOST_LINES + MOST_LINES_ABOVE)
    except WorkbookRefused as refused:
        said = f"{refused.reason}；{refused.expected or '另存为 .xlsx 或 CSV'}"
        raise (UnsupportedMedia(said) if refused.code in OTHER_FORMATS else OfficerListUnreadable(said)) from refused
    return await asyncio.to_thread(_of_cells, sheet, cells)


def _csv_cells(content: bytes) -> list[list[Cell]]:
    reader = csv.reader(io.StringIO(decode(content, OfficerListUnreadable), newline=""), strict=True)
    try:
        return [[*row] for row in reader]
    except csv.Error as error:
        raise OfficerListUnreadable(f"第 {reader.line_num} 行附近无法解析，请检查引号与逗号") from error


def _of_cells(sheet: Sheet, cells: Sequence[Sequence[Cell]]) -> Roster:
    """What stands below the header, the first row that says anything."""
    filled = [(number, row) for number, row in enumerate(cells, start=1) if any(_says(cell) for cell in row)]
    if not filled:
        raise OfficerListUnreadable("文件是空的")
    (_, header), *rows = filled
    if len(rows) > MOST_LINES:
        raise OfficerListUnreadable(f"最多 {MOST_LINES} 行，请分批导入")
    at, unknown = _columns(sheet, [written(cell).strip().rstrip("*").strip() for cell in header])
    lines, errors = [], []
    for number, row in rows:
        line: dict[str, str] = {}
        for name, column in at.items():
            cell = row[column] if column < len(row) else ""
            if isinstance(cell, BadCell):
                errors.append(LineError(number, COLUMNS_OF[sheet][name], cell.code, cell.reason, cell.expected))
            line[name] = _text(name, cell)
        lines.append((number, line))
    return Roster(lines, errors, unknown)


def _columns(sheet: Sheet, header: list[str]) -> tuple[dict[str, int], list[str]]:
    known = {label: name for name, label in COLUMNS_OF[sheet].items()}
    missing = [COLUMNS_OF[sheet][name] for name in HEADERS_OF[sheet] if COLUMNS_OF[sheet][name] not in header]
    labels = [label for label in header if label]
    if missing or len(set(labels)) != len(labels):
        wrong = f"缺少：{'、'.join(missing)}" if missing else "有重复的列"
        raise OfficerListUnreadable(f"表头应为：{'、'.join(COLUMNS_OF[sheet].values())}；{wrong}")
    at = {known[label]: column for column, label in enumerate(header) if label in known}
    return at, [label[:50] for label in labels if label not in known]


def _says(cell: Cell) -> bool:
    return isinstance(cell, BadCell) or written(cell).strip() != ""


def _text(name: str, cell: Cell) -> str:
    """A cell as text; of a day that a spreadsheet keeps with a time, the day."""
    text = written(cell).strip()
    return text.removesuffix(" 00:00:00") if name in _DAYS else text
