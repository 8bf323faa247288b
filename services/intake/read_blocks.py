"""Separated text read many lines at once: what the line reader would read, as columns (按列读取).

A line that is one record by itself, with as many cells as most and quotes only around whole cells, is cut by polars.
Every other line, and those behind a quote that stays open, goes through the line reader, which alone says what is
wrong with it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

import polars as pl

from services.intake.domain.check_columns import LINE
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import RawRow
from services.intake.domain.text_lines import Line, Lines
from services.intake.read_csv import CsvReader
from services.intake.read_rows import Read

FEWEST_ROWS = 150  # Below, setting up the columns costs more than it saves.
LONGEST_PLAIN = 100_000  # Bytes; behind them the line reader's own limits begin.


Block = pl.DataFrame
"""Rows as columns: the physical `line` of each, and the text of each column of the layout that the file has."""


def rows_of(layout: FeedLayout, cells: Block, positions: Sequence[int]) -> Iterator[RawRow]:
    """Some rows of a block, as the line reader would have answered them."""
    there = [name if (name := c.name) in cells.columns else None for c in layout.columns]
    for row in cells[positions].iter_rows(named=True):
        yield RawRow(row[LINE], tuple(None if name is None else row[name] for name in there))


def block_of(layout: FeedLayout, rows: Sequence[RawRow]) -> tuple[Block | None, list[RawRow]]:
    """Rows that came one by one as a block, and those that are not all text."""
    textual = [all(cell is None or cell.__class__ is str for cell in row.cells) for row in rows]
    if sum(textual) < FEWEST_ROWS:
        return None, list(rows)
    chosen = list(compress(rows, textual))
    by_column = zip(*(row.cells for row in chosen), strict=True)
    cells = {
        c.name: pl.Series(texts, dtype=pl.String).fill_null("")
        for c, texts in zip(layout.columns, by_column, strict=True)
    }
    lines = pl.Series([row.line for row in chosen], dtype=pl.Int64)
    return pl.DataFrame({LINE: lines, **cells}), [row for row, ok in zip(rows, textual, strict=True) if not ok]


@dataclass(frozen=True, slots=True)
class BlockReader:
    """Reads a file through `reader`, to be given all its pieces in order."""

    reader: CsvReader

    def read(self, piece: bytes, last: bool) -> tuple[Block | None, list[Read]]:
        """What is complete after `piece`: rows as columns, and what was read line by line."""
        reads: list[Read] = []
        lines = self._settled(self.reader.lines_of(piece, last), reads)
        block = None
        if lines.body is not None and lines.body.count(b"\n") >= FEWEST_ROWS:
            block = self._block(lines, lines.body, reads)
        else:
            reads.extend(read for line in lines for read in self.reader.take(line))
        if last:
            reads.extend(self.reader.close())
        return block, reads

    def _settled(self, lines: Lines, reads: list[Read]) -> Lines:
        """Read lines until the next is a record of its own; the lines from there on."""
        if self.reader.settled and not lines.begins_too_long:
            return lines
        contents = lines.cut()
        behind = self._until_settled(lines.first, contents, reads)
        if lines.body is None or behind == len(contents):
            return Lines(lines.first + behind, None)
        return Lines(lines.first + behind, lines.body.split(b"\n", behind)[behind])

    def _until_settled(self, first: int, contents: Sequence[bytes | None], reads: list[Read]) -> int:
        """Read at least one line, and on until the next is a record of its own; how many that took."""
        for at, content in enumerate(contents):
            reads.extend(self.reader.take(Line(first + at, content)))
            if self.reader.settled:
                return at + 1
        return len(contents)

    def _block(self, lines: Lines, body: bytes, reads: list[Read]) -> Block:
        delimiter, width, positions = self.reader.shape
        encoding = self.reader.encoding_for(body)
        texts = _texts(body, encoding)
        plain, most = _plain(texts, delimiter, width)
        plain = plain & ~_may_say_nothing(texts, delimiter, self.reader.headers)
        if encoding == "gb18030":
            plain = plain & ~_may_be_utf8(body)
        if not plain.all():
            plain = self._read_others(lines, plain, reads)
        rows = texts.filter(plain).str.split_exact(delimiter, most - 1).struct.unnest()
        if b'"' in body:
            rows = rows.select(pl.all().str.strip_chars('"'))
        self._note_unnamed(rows)
        numbers = (plain.arg_true() + lines.first).cast(pl.Int64)
        cells = {
            c.name: rows[f"field_{at}"]
            for c, at in zip(self.reader.layout.columns, positions, strict=True)
            if at is not None
        }
        return pl.DataFrame({LINE: numbers, **cells})

    def _note_unnamed(self, rows: pl.DataFrame) -> None:
        for at in self.reader.blank_headers:
            if rows[f"field_{at}"].str.contains(r"[^\s\x1c-\x1f\x85]").any():
                self.reader.unnamed.add(at)

    def _read_others(self, lines: Lines, plain: pl.Series, reads: list[Read]) -> pl.Series:
        """Read the lines that are not plain, and those behind a quote they leave open; the plain lines still left."""
        contents, swallowed, behind = lines.cut(), list[int](), 0
        for at in (~plain).arg_true().to_list():
            if at >= behind:
                behind = at + self._until_settled(lines.first + at, contents[at:], reads)
                swallowed.extend(range(at + 1, behind))
        return plain.scatter(swallowed, False) if swallowed else plain


def _texts(body: bytes, encoding: str) -> pl.Series:
    """The lines as text; one that cannot be read is empty here, and so is not plain."""
    try:
        return pl.Series([body.decode(encoding)], dtype=pl.String).str.split("\n").explode()
    except UnicodeDecodeError:
        return pl.Series([_readable(line, encoding) for line in body.split(b"\n")], dtype=pl.String)


def _readable(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _plain(texts: pl.Series, delimiter: str, width: int) -> tuple[pl.Series, int]:
    """Which lines are plainly one record each, and how many cells those have: blank ones behind the header's too."""
    d = re.escape(delimiter)
    plain = texts.str.contains(rf'[^\s\x1c-\x1f\x85"{d}]') & ~texts.str.contains("\x00", literal=True)
    plain = plain & (texts.str.len_bytes() <= LONGEST_PLAIN)
    quoted = texts.str.contains('"', literal=True)
    if quoted.any():
        cell = rf'(?:"[^"{d}]*"|[^"{d}]*)'
        whole = texts.str.contains(rf"^{cell}(?:{d}{cell})*$")
        plain = plain & (~quoted | whole)
    cells = texts.str.count_matches(delimiter, literal=True) + 1
    most = int(max(cells.filter(plain & (cells >= width)).mode().to_list(), default=width))
    plain = plain & (cells == most)
    if most > width:
        plain = plain & texts.str.contains(rf"(?:{d}\s*){{{most - width}}}$")
    return plain, most


def _may_say_nothing(texts: pl.Series, delimiter: str, headers: Sequence[str]) -> pl.Series:
    """Lines that may be a total (合计) or the header once more: the longest of its texts is in them."""
    nothing = texts.str.contains(max(headers, key=len), literal=True)
    counted = texts.str.contains("计", literal=True)
    if counted.any():
        d, blank = re.escape(delimiter), r"\s\x1c-\x1f\x85"
        # The word ends in 计, maybe with blanks inside, in the first cell that says anything.
        nothing |= counted & texts.str.contains(rf'^[{blank}"{d}]*[^{d}]*[合总小共累][{blank}]*计')
    return nothing


def _may_be_utf8(body: bytes) -> pl.Series:
    """Lines of a GB18030 file that can be read as UTF-8, and are not ASCII."""
    texts = pl.Series([body.decode("utf-8", "replace")], dtype=pl.String).str.split("\n").explode()
    return (texts.str.len_bytes() != texts.str.len_chars()) & ~texts.str.contains("\ufffd", literal=True)
