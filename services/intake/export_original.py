"""The file as it was sent, with a last column of what is wrong (错误说明): to be mended and sent again.

CSV comes back as CSV, a workbook as a workbook; values are shown as sent, so only to the department they came from.
"""

import re
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

import asyncpg

from services.intake import repository_original as repository
from services.intake.catalogue import layout_named
from services.intake.domain.csv_records import Record
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.file_options import FileOptions, Unknown
from services.intake.domain.header_map import ERROR_COLUMN
from services.intake.file_limits import limits_of, settings_of
from services.intake.read_csv import CsvReader
from services.intake.read_workbook import WorkbookReader
from services.intake.receive_feed import chunk_place, key_place
from services.intake.repository_ingest import load_chunk
from services.intake.stream_pieces import PieceStream
from shared.db.scope import scoped, transaction
from shared.errors import Conflict, Forbidden, Gone
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.security.principal import Principal
from shared.web.spreadsheet import BYTE_ORDER_MARK, XLSX, csv_lines, write_xlsx

# A spreadsheet would take these for numbers, and keep fifteen digits; sent again the apostrophe is dropped.
_LONG_NUMBER = re.compile(r"[0-9]{11,}[Xx]?")


class Rows(StrEnum):
    """Which rows go back: those with something wrong, or all."""

    BAD = "bad"
    ALL = "all"


class OriginalForSenderOnly(Forbidden):
    code, title = "original_for_sender_only", "原始数据只提供给报送部门"


class OriginalDestroyed(Gone):
    code, title = "original_destroyed", "原始文件已按期限销毁"


class OriginalIsNoTable(Conflict):
    code, title = "original_is_no_table", "JSON 文件请按行号对照错误清单修改"


@dataclass(slots=True)
class Original:
    """A raw file about to be read again."""

    runtime: Runtime
    division: str
    feed: asyncpg.Record
    which: Rows
    records: list[Record] = field(default_factory=list)

    @property
    def is_workbook(self) -> bool:
        return bool(self.feed["media_type"] == XLSX)

    @property
    def feed_id(self) -> UUID:
        id_: UUID = self.feed["feed_id"]
        return id_


async def open_original(
    connection: asyncpg.Connection, runtime: Runtime, caller: Principal, feed: asyncpg.Record | None, which: Rows
) -> Original:
    """Whether this caller gets this file back; that it did is written down."""
    assert feed is not None
    if caller.department != feed["department"]:
        raise OriginalForSenderOnly("请由报送该数据的部门下载")
    if feed["sealed_key"] is None:
        raise OriginalDestroyed("原始文件和密钥已销毁，错误清单仍可下载")
    if feed["media_type"] not in ("text/csv", XLSX):
        raise OriginalIsNoTable("只有 CSV 和 XLSX 可以附错误说明下载")
    detail = {"rows": which, "layout": feed["layout"]}
    now = runtime.clock.now()
    await audit(connection, caller, "feed.original_read", f"feed:{feed['feed_id']}", now=now, detail=detail)
    return Original(runtime, caller.division, feed, which)


async def export_original(original: Original) -> AsyncIterator[bytes]:
    """The file in pieces."""
    async with aclosing(_pages(original)) as pages:
        if original.is_workbook:
            async for piece in write_xlsx("数据", [("只含有问题的行",)] if original.which is Rows.BAD else [], pages):
                yield piece
            return
        yield BYTE_ORDER_MARK
        async for page in pages:
            yield csv_lines([[_kept(cell) for cell in row] for row in page])


async def _pages(original: Original) -> AsyncGenerator[list[list[str]], None]:
    """The rows as they go back, a page for each piece of the file."""
    feed = original.feed
    layout = layout_named(feed["layout"], feed["layout_version"])
    options = FileOptions(Unknown.IGNORE, feed["sheet"], feed["layout_version"])
    reader = _reader(layout, options, original)
    limits = limits_of(settings_of(original.runtime))
    stream = PieceStream(feed["media_type"], layout, options, limits, _nothing_to_hold, 60)
    width, at = 0, None
    async with aclosing(stream.pieces(_raw(original), feed["size_bytes"])) as pieces:
        async for piece in pieces:
            for _ in reader.feed(piece.content):
                pass
            if piece.last:
                for _ in reader.finish():
                    pass
            if reader.header is None or not original.records:
                continue
            if not width:
                width, at = _shape(reader)
            page = await _page(original, reader, width, at)
            original.records.clear()
            if page:
                yield page


def _reader(layout: FeedLayout, options: FileOptions, original: Original) -> CsvReader | WorkbookReader:
    kind = WorkbookReader if original.is_workbook else CsvReader
    return kind(layout, options, on_record=original.records.append)


def _shape(reader: CsvReader | WorkbookReader) -> tuple[int, int | None]:
    """How many cells a row has, and where our own column stands if the file came back to us before."""
    assert reader.header is not None
    cells = reader.header.cells
    return len(cells), next((c.position for c in cells if c.header == ERROR_COLUMN), None)


async def _page(
    original: Original, reader: CsvReader | WorkbookReader, width: int, at: int | None
) -> list[list[str]]:
    first, last = original.records[0].line, original.records[-1].line
    async with scoped(original.runtime.pool, original.division) as connection:
        found = await repository.errors_between(connection, original.feed_id, first, last)
    wrong: dict[int, list[str]] = defaultdict(list)
    for error in found:
        wrong[error["line"]].append(_said(error))
    header = reader.stated["header_line"] + reader.stated.get("header_rows", 1) - 1
    rows = []
    for record in original.records:
        if record.line > header and original.which is Rows.BAD and record.line not in wrong:
            continue
        said = ERROR_COLUMN if record.line == header else "；".join(wrong.get(record.line, ()))
        rows.append(_with(record.fields, width, at, said))
    return rows


def _with(fields: Sequence[str], width: int, at: int | None, said: str) -> list[str]:
    cells = [*fields, *[""] * (width - len(fields))]
    if at is None:
        # Behind all columns, also of a row that is too long: what is wrong with it is just that.
        return [*cells, said]
    cells[at] = said
    return cells


def _said(error: asyncpg.Record) -> str:
    where = f"{error['header']}: " if error["header"] else ""
    right = f"，应为 {error['expected']}" if error["expected"] else ""
    example = f"，例如 {error['example']}" if error["example"] else ""
    return f"{'提示 ' if error['level'] == 'warning' else ''}{where}{error['reason']}{right}{example}"


def _kept(cell: str) -> str:
    return "'" + cell if _LONG_NUMBER.fullmatch(cell) else cell


async def _raw(original: Original) -> AsyncIterator[bytes]:
    keys, feed_id = original.runtime.keys, original.feed_id
    key = keys.open_file_key(original.feed["sealed_key"], *key_place(feed_id))
    for seq in range(original.feed["chunks"]):
        # The role that serves requests reads no raw file; whose this one is was looked at in the caller's scope.
        async with transaction(original.runtime.worker_pool) as connection:
            sealed = await load_chunk(connection, feed_id, seq)
        yield key.open(sealed, chunk_place(feed_id, seq))


async def _nothing_to_hold() -> None:
    """A download holds no lease."""
