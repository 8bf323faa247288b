"""The process that reads a workbook, `python -m shared.workbook.child FD LIMITS`: limited, alone with one file.

It writes frames, each a length of four bytes and JSON: first the heads of all sheets; then, told on standard input
which sheet to read, what is to be known of it; then its rows; then the end. A refusal takes the place of any of them.
A cell is a text ("" is blank), a number, a yes or no, or {"day"}, {"time"}, {"percent"} or {"bad"} with what it is.
"""

import io
import json
import os
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from shared.workbook.archive import Limits, WorkbookRefused, check_contents, check_listing, refuse_other
from shared.workbook.sheet_scan import NO_VALUE, PERCENT, SheetMarks, scan_sheet, uses_1904

HEAD_ROWS = 40  # Of each sheet, enough to find a header below a title.
FRAME_ROWS = 500
MOST_COLUMNS = 2_000

Row = list[Any]


def main() -> None:
    file = os.fdopen(int(sys.argv[1]), "rb")
    limits = Limits(**json.loads(sys.argv[2]))
    _limit(limits)
    try:
        _read(file, limits)
    except WorkbookRefused as refused:
        _say({"refused": [refused.code, refused.reason, refused.expected]})
    except MemoryError:
        _say({"refused": ["workbook_too_large", "工作簿过大，无法读取", "拆成几个文件，或另存为 CSV"]})


def _limit(limits: Limits) -> None:
    """Before a byte of the file is looked at: memory, seconds, no core dump, no further file or process."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _read(file: IO[bytes], limits: Limits) -> None:
    refuse_other(file.read(2**20))
    archive = check_listing(file, limits)
    check_contents(archive, limits)
    sheets = _Sheets(file)
    _say({"sheets": [sheets.head(i) for i in range(len(sheets.names))]})
    chosen = sys.stdin.readline()
    if chosen:
        _tell(archive, sheets, json.loads(chosen))


def _tell(archive: zipfile.ZipFile, sheets: "_Sheets", name: str) -> None:
    """All of one sheet."""
    sheet = sheets.sheet(sheets.names.index(name))
    marks = scan_sheet(archive, name)
    merged = [[r1 + 1, c1, r2 + 1, c2] for (r1, c1), (r2, c2) in sheet.merged_cell_ranges or ()]
    _say(
        {
            "rows": sheet.end[0] + 1 if sheet.end else 0,
            "merged": merged,
            "hidden_rows": marks.hidden_rows,
            "hidden_columns": marks.hidden_columns,
            "uses_1904": uses_1904(archive),
        }
    )
    frame: list[tuple[int, Row]] = []
    for row in _rows(sheet, marks):
        frame.append(row)
        if len(frame) == FRAME_ROWS:
            _say(frame)
            frame = []
    if frame:
        _say(frame)
    _say({"end": True})


def _rows(sheet: Any, marks: SheetMarks) -> Iterator[tuple[int, Row]]:
    """The rows that say anything, with their numbers."""
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number in marks.cells:
            for column, what in marks.cells[number].items():
                if column < len(row):
                    row[column] = _marked(what, row[column])
        if any(cell != "" for cell in row):
            yield number, row


def _marked(what: str, value: Any) -> Any:
    if what == PERCENT:
        return {"percent": value} if isinstance(value, float) else value
    if what == NO_VALUE and value not in ("", 0.0):
        return value
    return {"bad": what}


class _Sheets:
    """The sheets of a workbook, each parsed once; only worksheets hold rows."""

    def __init__(self, file: IO[bytes]) -> None:
        from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

        file.seek(0)
        self._errors = (CalamineError, OSError, ValueError)
        try:
            self._book = CalamineWorkbook.from_filelike(file)
        except self._errors as error:
            raise WorkbookRefused("damaged", "工作簿已损坏或不完整", "重新另存为 .xlsx") from error
        of = [s for s in self._book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
        self.names = [s.name for s in of]
        self._visible = [s.visible == SheetVisibleEnum.Visible for s in of]
        self._parsed: dict[int, Any] = {}

    def sheet(self, i: int) -> Any:
        if i not in self._parsed:
            try:
                self._parsed[i] = self._book.get_sheet_by_name(self.names[i])
            except self._errors as error:
                raise WorkbookRefused("damaged", "工作簿已损坏或不完整", "重新另存为 .xlsx") from error
            end = self._parsed[i].end
            if end and end[1] >= MOST_COLUMNS:
                # A stray cell far to the right makes every row that wide.
                raise WorkbookRefused("too_many_columns", f"工作表超过 {MOST_COLUMNS} 列", "删去数据右侧的列后另存")
        return self._parsed[i]

    def head(self, i: int) -> dict[str, Any]:
        rows = []
        for number, row in enumerate(self.sheet(i).iter_rows(), 1):
            if any(cell != "" for cell in row):
                rows.append((number, row))
            if len(rows) == HEAD_ROWS:
                break
        return {"name": self.names[i], "visible": self._visible[i], "head": rows}


def _say(value: Any) -> None:
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()
    out: io.BufferedWriter = sys.stdout.buffer  # type: ignore[assignment]
    out.write(len(said).to_bytes(4, "big"))
    out.write(said)
    out.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"day": value.isoformat(" ", "seconds") if value.time() != time() else value.date().isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, time | timedelta):
        return {"time": str(value)}
    raise TypeError(type(value))


if __name__ == "__main__":
    main()
