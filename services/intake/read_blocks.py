"""Separated text read many lines at once: what the line reader would read, as columns (按列读取).

A line that is one record by itself, with as many cells as most and quotes only around whole cells, is cut by polars.
Every other line, and those behind a quote that stays open, goes through the line reader, which alone says what is
wrong with it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, count

import polars as pl

from services.intake.domain.check_columns import LINE
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import RawRow
from services.intake.domain.text_lines import Line
from services.intake.read_csv import CsvReader
from services.intake.read_rows import Read

FEWEST_ROWS = 50  # Below, setting up the columns costs more than it saves.
LONGEST_QUOTED = 100_000  # Bytes; behind them the line reader's own limit on a quoted cell begins.


@dataclass(frozen=True, slots=True)
class Block:
    """Rows as columns: `line`, and the text of each column of the layout that the file has."""

    cells: pl.DataFrame

    def __len__(self) -> int:
        return self.cells.height

    def rows(self, layout: FeedLayout, positions: Sequence[int]) -> Iterator[RawRow]:
        """Some of the rows, as the line reader would have answered them."""
        there = [name if (name := c.name) in self.cells.columns else None for c in layout.columns]
        for row in self.cells[positions].iter_rows(named=True):
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
    return Block(pl.DataFrame({LINE: lines, **cells})), [r for r, ok in zip(rows, textual, strict=True) if not ok]


@dataclass(frozen=True, slots=True)
class BlockReader:
    """Reads a file through `reader`, to be given all its pieces in order."""

    reader: CsvReader

    def read(self, piece: bytes, last: bool) -> tuple[Block | None, list[Read]]:
        """What is complete after `piece`: rows as columns, and what was read line by line."""
        first, lines = self.reader.cut(piece, last)
        reads: list[Read] = []
        behind = self._until_settled(first, lines, reads)
        first, lines = first + behind, lines[behind:]
        block = None
        if len(lines) < FEWEST_ROWS:
            reads.extend(read for line in map(Line, count(first), lines) for read in self.reader.take(line))
        else:
            block = self._block(first, lines, reads)
        if last:
            reads.extend(self.reader.close())
        return block, reads

    def _until_settled(self, first: int, lines: Sequence[bytes | None], reads: list[Read]) -> int:
        """Read lines until the next is a record of its own; how many that took."""
        for at, content in enumerate(lines):
            if self.reader.settled:
                return at
            reads.extend(self.reader.take(Line(first + at, content)))
        return len(lines)

    def _block(self, first: int, lines: Sequence[bytes | None], reads: list[Read]) -> Block:
        delimiter, width, positions = self.reader.shape
        texts = pl.Series(_decoded(lines, self.reader.encoding_of(lines)), dtype=pl.String)
        plain, most = _plain(texts, delimiter, width)
        plain = self._read_others(first, lines, plain, reads)
        rows = texts.filter(plain).str.split_exact(delimiter, most - 1).struct.unnest()
        if texts.str.contains('"', literal=True).any():
            rows = rows.select(pl.all().str.strip_chars('"'))
        numbers = (plain.arg_true() + first).cast(pl.Int64)
        cells = {
            c.name: rows[f"field_{at}"]
            for c, at in zip(self.reader.layout.columns, positions, strict=True)
            if at is not None
        }
        return Block(pl.DataFrame({LINE: numbers, **cells}))

    def _read_others(
        self, first: int, lines: Sequence[bytes | None], plain: pl.Series, reads: list[Read]
    ) -> pl.Series:
        """Read the lines that are not plain, and those behind a quote they leave open; the plain lines still left."""
        swallowed: list[int] = []
        behind = 0
        for at in (~plain).arg_true().to_list():
            if at >= behind:
                reads.extend(self.reader.take(Line(first + at, lines[at])))
                behind = at + 1
                behind += self._until_settled(first + behind, lines[behind:], reads)
                swallowed.extend(range(at + 1, behind))
        return plain.scatter(swallowed, False) if swallowed else plain


def _decoded(lines: Sequence[bytes | None], encoding: str) -> list[str]:
    """The lines as text; one that cannot be read is empty here, and so is not plain."""
    try:
        return b"\n".join(line or b"" for line in lines).decode(encoding).split("\n")
    except UnicodeDecodeError:
        return [_readable(line or b"", encoding) for line in lines]


def _readable(line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _plain(texts: pl.Series, delimiter: str, width: int) -> tuple[pl.Series, int]:
    """Which lines are plainly one record each, and how many cells those have: blank ones behind the header's too."""
    d = re.escape(delimiter)
    plain = texts.str.contains(rf'[^\s\x1c-\x1f\x85"{d}]') & ~texts.str.contains("\x00", literal=True)
    quoted = texts.str.contains('"', literal=True)
    if quoted.any():
        cell = rf'(?:"[^"{d}]*"|[^"{d}]*)'
        whole = texts.str.contains(rf"^{cell}(?:{d}{cell})*$") & (texts.str.len_bytes() <= LONGEST_QUOTED)
        plain = plain & (~quoted | whole)
    cells = texts.str.count_matches(delimiter, literal=True) + 1
    most = int(max(cells.filter(plain & (cells >= width)).mode().to_list(), default=width))
    plain = plain & (cells == most)
    if most > width:
        plain = plain & texts.str.contains(rf"(?:{d}\s*){{{most - width}}}$")
    return plain, most
