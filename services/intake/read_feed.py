"""Read a feed's raw pieces into staged rows and row errors, a checkpoint after each piece."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.intake import repository_ingest as repository
from services.intake.catalogue import layout_named
from services.intake.choose_reader import reader_for
from services.intake.domain.feed_row import BadRow, FeedRow, RowChecker, RowContext
from services.intake.domain.file_options import FileOptions, Unknown
from services.intake.domain.normalise import NOTES
from services.intake.domain.row_error import RowError, echo
from services.intake.file_limits import FileLimits
from services.intake.publish_observations import number_place
from services.intake.read_csv import CsvReader
from services.intake.read_rows import FileRefused, Read, RowReader
from services.intake.read_workbook import WorkbookReader
from services.intake.receive_feed import chunk_place, key_place
from services.intake.repository_ingest import FEEDS
from services.intake.stream_pieces import PieceStream
from shared.db.scope import transaction
from shared.queue.claim import extend
from shared.runtime import Runtime
from shared.security.keys import SealingKey


@dataclass(slots=True)
class Piece:
    """What one raw piece gave: good rows ready to be staged, bad rows, warnings, and what was normalised."""

    read: int = 0
    staged: list[tuple[Any, ...]] = field(default_factory=list)
    errors: list[tuple[RowError, str | None]] = field(default_factory=list)
    newest: date | None = None
    notes: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class FeedReading:
    """One turn of reading one feed: goes on where the last checkpoint stands."""

    runtime: Runtime
    feed: asyncpg.Record
    context: RowContext
    lease: timedelta
    row_limit: int
    limits: FileLimits = field(default_factory=FileLimits)
    reader: RowReader = field(init=False)
    stream: PieceStream = field(init=False)
    key: SealingKey = field(init=False)
    notes: Counter[tuple[str, str]] = field(init=False)
    read: int = 0
    _checker: RowChecker | None = None

    def __post_init__(self) -> None:
        media_type, layout = self.feed["media_type"], layout_named(self.feed["layout"])
        options = FileOptions(Unknown(self.feed["unknown"]), self.feed["sheet"])
        self.reader = reader_for(media_type, layout, options)
        every = self.lease.total_seconds() / 3
        self.stream = PieceStream(media_type, layout, options, self.limits, self.hold, every)
        self.key = self.runtime.keys.open_file_key(self.feed["sealed_key"], *key_place(self.feed_id))
        self.notes = Counter({(n["column"], n["code"]): n["count"] for n in self.feed["report"].get("notes", ())})
        self.read = self.feed["read"]

    @property
    def checker(self) -> RowChecker:
        """Checks the rows as the file's header means them; there is one as soon as there is a row."""
        if self._checker is None:
            self._checker = RowChecker(self.reader.layout, self.context)
        return self._checker

    @property
    def feed_id(self) -> UUID:
        id_: UUID = self.feed["feed_id"]
        return id_

    async def hold(self) -> None:
        """Keep the feed for another lease."""
        async with transaction(self.runtime.worker_pool) as connection:
            await extend(connection, FEEDS, (self.feed_id,), self.feed["lease_token"], self.lease)


async def read_pieces(reading: FeedReading, out_of_time: Callable[[], bool]) -> bool:
    """Read to the end of the file and return True, or False when the turn is over; raises FileRefused."""
    done = 0
    async with aclosing(reading.stream.pieces(_raw_pieces(reading), reading.feed["size_bytes"])) as pieces:
        async for streamed in pieces:
            done += len(streamed.content)
            if done <= reading.feed["bytes_done"]:
                await asyncio.to_thread(_skip, reading.reader, streamed.content, streamed.last)
                continue
            piece = await asyncio.to_thread(_check, reading, streamed.content, streamed.last)
            await _keep(reading, piece, done, streamed.share)
            if not streamed.last and out_of_time():
                return False
    return True


async def _raw_pieces(reading: FeedReading) -> AsyncGenerator[bytes, None]:
    for seq in range(reading.feed["chunks"]):
        yield await _raw(reading, seq)


async def _raw(reading: FeedReading, seq: int) -> bytes:
    async with transaction(reading.runtime.worker_pool) as connection:
        sealed = await repository.load_chunk(connection, reading.feed_id, seq)
    return reading.key.open(sealed, chunk_place(reading.feed_id, seq))


def _rows(reader: RowReader, raw: bytes, last: bool) -> Iterator[Read]:
    yield from reader.feed(raw)
    if last:
        yield from reader.finish()


def _skip(reader: RowReader, raw: bytes, last: bool) -> None:
    """Bring the reader to where the checkpoint stands; its rows are staged already."""
    for _ in _rows(reader, raw, last):
        pass


def _check(reading: FeedReading, raw: bytes, last: bool) -> Piece:
    """Read and check the rows of one piece; runs in a thread, touches no database."""
    piece = Piece()
    for row in _rows(reading.reader, raw, last):
        piece.read += 1
        checked = row if isinstance(row, BadRow) else reading.checker.check(row)
        if isinstance(checked, BadRow):
            piece.errors.extend((error, checked.record) for error in checked.errors)
        else:
            _stage(reading, piece, checked)
    if reading.read + piece.read > reading.row_limit:
        raise FileRefused("too_many_rows", f"超过 {reading.row_limit} 行", "分成几个文件报送")
    return piece


def _stage(reading: FeedReading, piece: Piece, row: FeedRow) -> None:
    sealed = None
    if row.number is not None:
        sealed = reading.runtime.keys.seal(row.number, *number_place(reading.feed_id, row.line))
    content = json.dumps(row.content, ensure_ascii=False, separators=(",", ":"))
    piece.staged.append((reading.feed_id, row.record, row.line, row.digest, row.is_head, content, sealed))
    piece.errors.extend((warning, row.record) for warning in row.warnings)
    piece.notes.update(row.notes)
    if row.newest is not None and (piece.newest is None or row.newest > piece.newest):
        piece.newest = row.newest


async def _keep(reading: FeedReading, piece: Piece, done: int, share: float) -> None:
    """Store what a piece gave and the checkpoint behind it, in one transaction that still holds the lease."""
    reading.notes.update(piece.notes)
    reading.read += piece.read
    async with transaction(reading.runtime.worker_pool) as connection:
        await extend(connection, FEEDS, (reading.feed_id,), reading.feed["lease_token"], reading.lease)
        await repository.stage(connection, piece.staged)
        await repository.add_errors(connection, reading.feed_id, piece.errors)
        await repository.note_progress(
            connection,
            reading.feed_id,
            bytes_done=done,
            read=piece.read,
            staged=len(piece.staged),
            report=_report(reading) | {"share": round(share, 4)},
            newest_on=piece.newest,
            now=reading.runtime.clock.now(),
        )


def _report(reading: FeedReading) -> dict[str, Any]:
    """What was mapped, ignored, skipped and normalised so far: nothing is changed in silence."""
    header = reading.reader.header
    mapped = [{"header": c.header, "column": c.column} for c in header.cells if c.column] if header else []
    return {
        "encoding": reading.stream.stated.get("encoding") or reading.reader.encoding or "utf-8",
        "file": _stated(reading),
        "mapped": mapped,
        "ignored": [echo(name) for name in header.unknown] if header else [],
        "skipped": {name: count for name, count in reading.reader.skipped.items() if count},
        "notes": list(_said(reading.notes.items())),
    }


def _stated(reading: FeedReading) -> dict[str, Any]:
    """What is known of the file as such: packed, which sheet, where the header stands, what was hidden."""
    stated = {name: said for name, said in reading.stream.stated.items() if name != "encoding"}
    reader = reading.reader
    return stated | reader.stated if isinstance(reader, CsvReader | WorkbookReader) else stated


def _said(notes: Iterable[tuple[tuple[str, str], int]]) -> Iterator[dict[str, Any]]:
    for (column, code), count in sorted(notes):
        yield {"column": column, "code": code, "count": count, "message": NOTES.get(code, code)}
