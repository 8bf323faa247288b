"""Tables for spreadsheets: text that no program takes for a formula, CSV that Chinese Excel reads, XLSX by a child.

An XLSX file is written by a process of its own (`python -m shared.web.spreadsheet`), so that no request waits behind
it: JSON lines in (first the sheet's name and what stands beside it, then a list of texts for each row), the file out.
"""

import asyncio
import csv
import io
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Spreadsheets need it to read Chinese.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Row = Sequence[str]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_PIECE = 64 * 1024


def defused(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula."""
    return "'" + text if text.startswith(_FORMULA) else text


def csv_lines(rows: Sequence[Row]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([defused(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


async def write_csv(pages: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    """The file in pieces."""
    yield BYTE_ORDER_MARK
    async for rows in pages:
        yield csv_lines(rows)


async def write_xlsx(title: str, notes: Sequence[Row], pages: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    """The file in pieces; `notes` stand on a second sheet. Cells are texts, whatever they begin with."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(_line({"title": title, "notes": [list(note) for note in notes]}))
        async for rows in pages:
            child.stdin.writelines(_line(list(row)) for row in rows)
            await child.stdin.drain()
        child.stdin.close()
        while piece := await child.stdout.read(_PIECE):
            yield piece
        if await child.wait() != 0:
            raise OSError(f"xlsx writer ended with {child.returncode}")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _write(lines: IO[bytes], out: IO[bytes]) -> None:
    """The child's work: rows go to disk as they come, so memory does not grow with them."""
    import xlsxwriter

    head = json.loads(next(lines))
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        book = xlsxwriter.Workbook(file.name, {"constant_memory": True, "strings_to_urls": False})
        sheet = book.add_worksheet(head["title"])
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        for i, line in enumerate(lines):
            for j, cell in enumerate(json.loads(line)):
                sheet.write_string(i, j, cell, bold if i == 0 else None)
        beside = book.add_worksheet("说明")
        for i, note in enumerate(head["notes"]):
            for j, cell in enumerate(note):
                beside.write_string(i, j, cell)
        book.close()
        while piece := file.read(_PIECE):
            out.write(piece)


if __name__ == "__main__":
    _write(sys.stdin.buffer, sys.stdout.buffer)
