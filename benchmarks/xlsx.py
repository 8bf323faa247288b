"""`fangpin bench xlsx`: a workbook of --size rows by 20 columns, until every row is in the hands of the row checker.

What is measured is all of it: checking the archive, the child process, calamine, the search for errors and formulas,
the way through the pipe, and each cell as its column takes it. The baseline is calamine's own `to_python` on the same
bytes in this process, in the same run.
"""

import argparse
import asyncio
import io
import os
import resource
import statistics
import time
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from benchmarks.report import print_result
from services.intake.catalogue import layout_named
from services.intake.domain.file_options import PLAIN
from services.intake.file_limits import FileLimits
from services.intake.read_workbook import WorkbookReader
from services.intake.stream_pieces import PieceStream
from shared.web.spreadsheet import XLSX
from tests.services.intake.build import MEDICAL, medical_row

WIDTH = 20


def make(size: int) -> bytes:
    """Settlements, with columns that no layout knows up to twenty; a third of the cells are numbers."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True})
    sheet = book.add_worksheet()
    header = [*MEDICAL, *(f"备用{i}" for i in range(WIDTH - len(MEDICAL)))]
    sheet.write_row(0, 0, header)
    for i in range(size):
        cells: list[Any] = list(medical_row(i).values())
        cells[6:13] = [float(cell) for cell in cells[6:13]]
        sheet.write_row(i + 1, 0, [*cells, *(f"x{i % 997}" for _ in range(WIDTH - len(MEDICAL)))])
    book.close()
    return out.getvalue()


def bare(book: bytes) -> float:
    start = time.perf_counter()
    CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    return time.perf_counter() - start


async def ours(book: bytes, size: int) -> float:
    start, rows = time.perf_counter(), 0
    layout = layout_named("medical_settlement")
    reader = WorkbookReader(layout)
    stream = PieceStream(XLSX, layout, PLAIN, FileLimits(), _nothing, 60)
    async for piece in stream.pieces(_raw(book), len(book)):
        rows += sum(1 for _ in reader.feed(piece.content))
        if piece.last:
            rows += sum(1 for _ in reader.finish())
    assert rows == size, rows
    return time.perf_counter() - start


async def _raw(book: bytes) -> Any:
    for at in range(0, len(book), 256 * 1024):
        yield book[at : at + 256 * 1024]


async def _nothing() -> None: ...


def run(size: int, runs: int) -> dict[str, Any]:
    book = make(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    measured = [(asyncio.run(ours(book, size)), 0.0) for _ in range(1)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    measured = [(asyncio.run(ours(book, size)), bare(book)) for _ in range(runs)]
    mine, theirs = (statistics.median(each) for each in zip(*measured, strict=True))
    return {
        "name": "xlsx",
        "size": size,
        "runs": runs,
        "ours": round(mine, 3),
        "baseline": round(theirs, 3),
        "ratio": round(statistics.median(a / b for a, b in measured), 2),
        "unit": "s",
        "peak_mib": peak // 1024,
        "grown_mib": (peak - before) // 1024,
        "child_peak_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "file_mib": round(len(book) / 2**20, 1),
        "processors": os.cpu_count(),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    print_result(run(chosen.size, chosen.runs))


if __name__ == "__main__":
    main()
