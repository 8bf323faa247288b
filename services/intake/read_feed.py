"""Read a feed's raw pieces into staged rows and row errors, a checkpoint after every few of them.

Parts follow each other like work on a line: while one is stored, the next is checked, one is cut and one fetched.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.intake import repository_crosswalk as crosswalk
from services.intake import repository_held as held
from services.intake import repository_ingest as repository
from services.intake.catalogue import layout_named
from services.intake.choose_reader import reader_for
from services.intake.coded_row import seal_row
from services.intake.domain.check_columns import ColumnChecker, ToldBlock, told_in_columns
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import BadRow, FeedRow, RawRow, RowChecker, RowContext
from services.intake.domain.file_options import FileOptions, Unknown
from services.intake.domain.header_map import unnamed_column
from services.intake.domain.normalise import NOTES
from services.intake.domain.row_error import RowError, echo
from services.intake.file_limits import FileLimits
from services.intake.pack_rows import lay_on_shelves, pack_columns, pack_row, pack_texts, shelves_for
from services.intake.publish_observations import is_shelved, number_place, rows_a_text
from services.intake.read_blocks import Block, BlockReader, block_of, rows_of
from services.intake.read_csv import CsvReader
from services.intake.read_rows import FileRefused, Read, RowReader
from services.intake.read_workbook import WorkbookReader
from services.intake.receive_feed import chunk_place, key_place
from services.intake.repository_crosswalk import CodedRow, SaidCode
from services.intake.repository_held import HeldRow, content_place
from services.intake.repository_ingest import FEEDS
from services.intake.spool import PIECE_BYTES
from services.intake.stream_pieces import PieceStream, Streamed
from services.intake.turn import Turn
from services.intake.work_ahead import ahead
from shared.db.scope import transaction
from shared.queue.claim import extend
from shared.runtime import Runtime
from shared.security.keys import SealingKey


@dataclass(slots=True)
class Part:
    """What a part of the file gave: good rows packed for COPY, bad rows, warnings, and what was normalised.

    `coded` rows carry only their department's own code, and are not read before the file's end; `said` is what others
    say of such codes.
    """

    done: int = 0
    last: bool = False
    read: int = 0
    staged: int = 0
    held: list[HeldRow] = field(default_factory=list)
    coded: list[CodedRow] = field(default_factory=list)
    said: list[SaidCode] = field(default_factory=list)
    packed: list[bytes] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    errors: list[tuple[RowError, str | None]] = field(default_factory=list)
    newest: date | None = None
    notes: Counter[tuple[str, str]] = field(default_factory=Counter)
    report: dict[str, Any] = field(default_factory=dict)

    def newer(self, day: date | None) -> None:
        if day is not None and (self.newest is None or day > self.newest):
            self.newest = day


@dataclass(frozen=True, slots=True)
class _Cut:
    """A part read but not yet checked: rows as columns, rows one by one, and what is known of the file so far.

    `done` is how many bytes of the stream lie before its end, `share` which part of the file that is.
    """

    done: int
    share: float
    last: bool
    block: ToldBlock | None
    reads: list[Read]
    skipped: dict[str, int]
    stated: dict[str, Any]
    unnamed: list[int]


@dataclass(slots=True)
class FeedReading:
    """One turn of reading one feed: goes on where the last checkpoint stands."""

    runtime: Runtime
    feed: asyncpg.Record
    context: RowContext
    lease: timedelta
    row_limit: int
    part_bytes: int
    limits: FileLimits = field(default_factory=FileLimits)
    version_before: int | None = None
    reader: RowReader = field(init=False)
    stream: PieceStream = field(init=False)
    key: SealingKey = field(init=False)
    notes: Counter[tuple[str, str]] = field(init=False)
    read: int = 0
    _blocks: BlockReader | None = None
    _checker: RowChecker | None = None
    _columns: ColumnChecker | None = None

    def __post_init__(self) -> None:
        media_type, layout = self.feed["media_type"], layout_named(self.feed["layout"], self.feed["layout_version"])
        options = FileOptions(Unknown(self.feed["unknown"]), self.feed["sheet"], self.version_before)
        self.reader = reader_for(media_type, layout, options)
        every = self.lease.total_seconds() / 3
        self.stream = PieceStream(media_type, layout, options, self.limits, self.hold, every)
        self.key = self.runtime.keys.open_file_key(self.feed["sealed_key"], *key_place(self.feed_id))
        self.notes = Counter({(n["column"], n["code"]): n["count"] for n in self.feed["report"].get("notes", ())})
        self.read = self.feed["read"]
        if isinstance(self.reader, CsvReader) and told_in_columns(self.reader.layout):
            self._blocks = BlockReader(self.reader)

    @property
    def checker(self) -> RowChecker:
        """Checks the rows as the file's header means them; there is one as soon as there is a row."""
        if self._checker is None:
            self._checker = RowChecker(self.reader.layout, self.context)
        return self._checker

    @property
    def columns(self) -> ColumnChecker | None:
        """Checks rows as columns, if the layout can be told so."""
        if self._columns is None and told_in_columns(self.reader.layout):
            self._columns = ColumnChecker(self._without_absent_codes(), self.context)
        return self._columns

    def _without_absent_codes(self) -> FeedLayout:
        """The layout without columns that the file does not have and that would only say who somebody is."""
        layout, header = self.reader.layout, self.reader.header
        ruled = {name for rule in layout.rules for name in (*rule.columns, rule.target)}
        there = {cell.column for cell in header.cells} if header else set()
        absent = layout.unsaid - ruled - there if isinstance(self.reader, CsvReader | WorkbookReader) else ()
        if not absent:
            return layout
        own = {owner: name for owner, name in layout.own_codes.items() if name not in absent}
        columns = tuple(c for c in layout.columns if c.name not in absent)
        return replace(layout, columns=columns, own_codes=own)

    @property
    def feed_id(self) -> UUID:
        id_: UUID = self.feed["feed_id"]
        return id_

    async def hold(self) -> None:
        """Keep the feed for another lease."""
        async with transaction(self.runtime.worker_pool) as connection:
            await extend(connection, FEEDS, (self.feed_id,), self.feed["lease_token"], self.lease)

    def rows(self, content: bytes, last: bool) -> tuple[Block | None, list[Read]]:
        """The rows complete after `content`: as columns, and one by one."""
        if self._blocks is not None:
            return self._blocks.read(content, last)
        reads = list(self.reader.feed(content))
        return None, [*reads, *self.reader.finish()] if last else reads


async def read_pieces(reading: FeedReading, turn: Turn) -> bool:
    """Read to the end of the file and return True, or False when the turn is over; raises FileRefused."""
    checked = ahead(_checked(reading, ahead(_cut(reading, ahead(_parts(reading))))))
    async with aclosing(checked):
        async for part in checked:
            await _keep(reading, part)
            if not part.last and await turn.is_over():
                return False
    return True


async def _raw_pieces(reading: FeedReading) -> AsyncGenerator[bytes, None]:
    """The file as it came; some of its pieces are fetched together."""
    chunks, size = reading.feed["chunks"], max(reading.part_bytes // PIECE_BYTES, 1)
    for seqs in (range(at, min(at + size, chunks)) for at in range(0, chunks, size)):
        async with transaction(reading.runtime.worker_pool) as connection:
            sealed = [await repository.load_chunk(connection, reading.feed_id, seq) for seq in seqs]
        for piece in await asyncio.to_thread(_opened, reading, seqs, sealed):
            yield piece


async def _parts(reading: FeedReading) -> AsyncGenerator[Streamed, None]:
    """What the reader takes at a time: text in longer parts, since blocks are worth that; each frame by itself."""
    joined, size = list[bytes](), 0
    async with aclosing(reading.stream.pieces(_raw_pieces(reading), reading.feed["size_bytes"])) as pieces:
        async for piece in pieces:
            joined.append(piece.content)
            size += len(piece.content)
            if reading.stream.is_workbook or size >= reading.part_bytes or piece.last:
                yield Streamed(b"".join(joined), piece.share, piece.last)
                joined, size = [], 0


async def _cut(reading: FeedReading, parts: AsyncGenerator[Streamed, None]) -> AsyncGenerator[_Cut, None]:
    """The rows behind the checkpoint; what is before it is read, since what follows depends on it, and left."""
    done, kept = 0, reading.feed["bytes_done"]
    async with aclosing(parts):
        async for part in parts:
            content, last = part.content, part.last
            known = min(max(kept - done, 0), len(content))
            done += len(content)
            if known or not content:
                await asyncio.to_thread(reading.rows, content[:known], last and known == len(content))
            if known < len(content):
                rest = Streamed(content[known:], part.share, last)
                yield await asyncio.to_thread(_cut_rows, reading, rest, done)


async def _checked(reading: FeedReading, cuts: AsyncGenerator[_Cut, None]) -> AsyncGenerator[Part, None]:
    async with aclosing(cuts):
        async for cut in cuts:
            yield await asyncio.to_thread(_check, reading, cut)


def _opened(reading: FeedReading, seqs: Sequence[int], sealed: Sequence[bytes]) -> list[bytes]:
    places = (chunk_place(reading.feed_id, seq) for seq in seqs)
    return [reading.key.open(piece, place) for piece, place in zip(sealed, places, strict=True)]


def _cut_rows(reading: FeedReading, part: Streamed, done: int) -> _Cut:
    """Read the rows of one part and see which are sure; runs in a thread, touches no database."""
    cells, reads = reading.rows(part.content, part.last)
    if cells is None and reading.columns is not None:
        rows = [row for row in reads if isinstance(row, RawRow)]
        cells, others = block_of(reading.reader.layout, rows)
        reads = [*(row for row in reads if isinstance(row, BadRow)), *others]
    block = reading.columns.tell(cells) if cells is not None and reading.columns is not None else None
    skipped = {name: count for name, count in reading.reader.skipped.items() if count}
    return _Cut(done, part.share, part.last, block, reads, skipped, *_stated(reading))


def _check(reading: FeedReading, cut: _Cut) -> Part:
    """Check what was read, in a thread of its own: meanwhile the next part is being read."""
    part = Part(cut.done, cut.last, len(cut.reads) + (len(cut.block) if cut.block else 0))
    if reading.read + part.read > reading.row_limit:
        raise FileRefused("too_many_rows", f"超过 {reading.row_limit} 行", "分成几个文件报送")
    unsure = _say(reading, part, cut.block) if cut.block else ()
    for row in (*cut.reads, *unsure):
        _take(reading, part, row)
    reading.read += part.read
    part.read -= len(part.coded)
    reading.notes.update(part.notes)
    part.report = _report(reading, cut)
    return part


def _say(reading: FeedReading, part: Part, block: ToldBlock) -> Iterator[RawRow]:
    """Stage the sure rows of a block; the others."""
    assert reading.columns is not None
    checked = reading.columns.say(block)
    together = rows_a_text(reading.reader.layout)
    shelves = shelves_for(reading.feed["size_bytes"]) if is_shelved(reading.columns.layout) else 0
    laid = lay_on_shelves(checked.clean, shelves)
    part.packed.append(pack_columns(reading.feed_id, laid, with_content=not together))
    if together:
        part.texts.extend(pack_texts(reading.feed_id, laid, together))
    part.staged += checked.clean.height
    part.notes.update(checked.notes)
    part.newer(checked.newest)
    if checked.named is not None:
        part.said.extend(
            SaidCode(line, kind, code, owner, date.fromisoformat(on))
            for line, kind, code, owner, on in checked.named.iter_rows()
        )
    return rows_of(reading.reader.layout, block.cells, checked.unsure)


def check_found(reading: FeedReading, rows: Iterable[RawRow]) -> Part:
    """Check rows whose owners were looked up by their codes; in a thread."""
    part = Part()
    for row in rows:
        _take_checked(reading, part, reading.checker.check(row))
        part.read += 1
    reading.notes.update(part.notes)
    part.report = {"notes": list(_said(reading.notes.items()))}
    return part


def _take(reading: FeedReading, part: Part, row: Read) -> None:
    if isinstance(row, RawRow) and reading.checker.codes_alone(row):
        part.coded.append(seal_row(reading.runtime.keys, reading.feed_id, row))
    else:
        _take_checked(reading, part, row if isinstance(row, BadRow) else reading.checker.check(row))


def _take_checked(reading: FeedReading, part: Part, checked: FeedRow | BadRow) -> None:
    if isinstance(checked, BadRow):
        part.errors.extend((error, checked.record) for error in checked.errors)
    elif checked.review:
        _hold(reading, part, checked)
    else:
        _stage(reading, part, checked)


def _hold(reading: FeedReading, part: Part, row: FeedRow) -> None:
    """Keep aside what waits for a person, sealed: it may wait for months."""
    content = json.dumps(row.content, ensure_ascii=False, separators=(",", ":"))
    sealed = reading.runtime.keys.seal(content, *content_place(reading.feed_id, row.line))
    part.held.append(HeldRow(row.line, row.record, row.digest, sealed))
    part.errors.extend((error, row.record) for error in (*row.review, *row.warnings))
    part.notes.update(row.notes)


def _stage(reading: FeedReading, part: Part, row: FeedRow) -> None:
    sealed = None
    if row.number is not None:
        sealed = reading.runtime.keys.seal(row.number, *number_place(reading.feed_id, row.line))
    content = json.dumps(row.content, ensure_ascii=False, separators=(",", ":"))
    is_head = row.is_head if reading.reader.layout.household is not None else None
    part.packed.append(pack_row(reading.feed_id, row.record, row.line, row.digest, is_head, content, sealed))
    part.staged += 1
    part.errors.extend((warning, row.record) for warning in row.warnings)
    part.notes.update(row.notes)
    part.newer(row.newest)
    part.said.extend(SaidCode(row.line, n.code[0].value, n.code[1], n.owner, n.on) for n in row.named)


async def _keep(reading: FeedReading, part: Part) -> None:
    """Store what a part gave and the checkpoint behind it, in one transaction that still holds the lease."""
    async with transaction(reading.runtime.worker_pool) as connection:
        await extend(connection, FEEDS, (reading.feed_id,), reading.feed["lease_token"], reading.lease)
        await _store(connection, reading, part)
        await crosswalk.stage_codes(connection, reading.feed_id, part.said)
        await crosswalk.add_coded(connection, reading.feed_id, part.coded)
        await repository.note_progress(
            connection,
            reading.feed_id,
            bytes_done=part.done,
            read=part.read,
            staged=part.staged,
            held=len(part.held),
            report=part.report,
            newest_on=part.newest,
            now=reading.runtime.clock.now(),
        )


async def keep_found(connection: asyncpg.Connection, reading: FeedReading, part: Part) -> None:
    """Store what rows gave that had waited for the file's end; in the caller's transaction."""
    await _store(connection, reading, part)
    await repository.note_found(
        connection,
        reading.feed_id,
        read=part.read,
        staged=part.staged,
        held=len(part.held),
        report=part.report,
        newest_on=part.newest,
    )


async def _store(connection: asyncpg.Connection, reading: FeedReading, part: Part) -> None:
    await repository.stage(connection, part.packed)
    await repository.stage_texts(connection, part.texts)
    await repository.add_errors(connection, reading.feed_id, part.errors)
    await held.add(connection, reading.feed_id, part.held, reading.runtime.clock.now())


def _report(reading: FeedReading, cut: _Cut) -> dict[str, Any]:
    """What was mapped, ignored, skipped and normalised so far: nothing is changed in silence."""
    header = reading.reader.header
    mapped = [{"header": c.header, "column": c.column} for c in header.cells if c.column] if header else []
    unknown = [echo(name) for name in header.unknown] if header else []
    return {
        "encoding": cut.stated.get("encoding") or reading.reader.encoding or "utf-8",
        "file": {name: said for name, said in cut.stated.items() if name != "encoding"},
        "share": round(cut.share, 4),
        "mapped": mapped,
        "ignored": [*unknown, *map(unnamed_column, cut.unnamed)],
        "skipped": cut.skipped,
        "notes": list(_said(reading.notes.items())),
    }


def _stated(reading: FeedReading) -> tuple[dict[str, Any], list[int]]:
    """What is known of the file as such: packed, which sheet, where the header stands; the columns without one."""
    reader, stated = reading.reader, dict(reading.stream.stated)
    if isinstance(reader, CsvReader | WorkbookReader):
        return stated | reader.stated, sorted(reader.unnamed)
    return stated, []


def _said(notes: Iterable[tuple[tuple[str, str], int]]) -> Iterator[dict[str, Any]]:
    for (column, code), count in sorted(notes):
        yield {"column": column, "code": code, "count": count, "message": NOTES.get(code, code)}
