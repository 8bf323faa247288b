"""Rows out of separated text (CSV, TSV): the delimiter and the meaning of the columns are settled by the header."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.intake.domain.csv_records import Record, RecordReader, encoding_of
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import BadRow, RawRow, in_units
from services.intake.domain.header_map import HeaderMap, map_header
from services.intake.domain.row_error import RowError, echo
from services.intake.domain.text_lines import Line, Lines, LineSplitter
from services.intake.read_rows import FileRefused, Read

DELIMITERS = (",", "\t", ";", "|", "，")
MOST_COLUMNS = 500


@dataclass(slots=True)
class CsvReader:
    """Comma separated text (or tab, semicolon, bar: settled by the header, the first row that says anything)."""

    layout: FeedLayout
    header: HeaderMap | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    _lines: LineSplitter = field(default_factory=LineSplitter)
    _records: RecordReader = field(default_factory=RecordReader)
    _positions: Sequence[int | None] = ()
    _width: int = 0

    @property
    def encoding(self) -> str | None:
        return self._records.encoding

    def feed(self, piece: bytes) -> Iterator[Read]:
        for line in self._lines.feed(piece):
            yield from self._line(line)

    def finish(self) -> Iterator[Read]:
        for line in self._lines.finish():
            yield from self._line(line)
        yield from self.close()

    @property
    def settled(self) -> bool:
        """True when the next line is a record of its own: the header is known, and no quote is open."""
        return self.header is not None and not self._records.pending

    @property
    def shape(self) -> tuple[str, int, Sequence[int | None]]:
        """Delimiter, cells of a row, and at which of them each column of the layout stands."""
        return self._records.delimiter, self._width, self._positions

    def lines_of(self, piece: bytes, last: bool) -> Lines:
        """The lines complete after `piece`, for who reads many at once.

        Each line that is not read so must come back through `take`, in order until `settled`; at last comes `close`.
        """
        lines = self._lines.take(piece)
        if not last:
            return lines
        rest = self._lines.take_rest()
        if lines.body is None or rest.body is None:
            return rest if lines.body is None else lines
        return Lines(lines.first, lines.body + b"\n" + rest.body, lines.begins_too_long)

    def encoding_for(self, body: bytes) -> str:
        """How to decode these lines: as the file so far, or as the first of them that is not ASCII says."""
        if self._records.encoding is not None or body.isascii():
            return self._records.encoding or "ascii"
        for content in body.split(b"\n"):
            if self._records.encoding is not None:
                return self._records.encoding
            if not content.isascii():
                self._records.encoding = encoding_of(content)
        return self._records.encoding or "ascii"

    def take(self, line: Line) -> Iterator[Read]:
        """What is complete after this line."""
        return self._line(line)

    def close(self) -> Iterator[Read]:
        """What is left behind the last line."""
        yield from self._rows(self._records.finish())
        if self.header is None:
            raise FileRefused("header_missing", "文件中没有表头", "第一行是列名")

    def _line(self, line: Line) -> Iterator[Read]:
        if line.content is not None and not line.content.strip() and not self._records.pending:
            self.skipped["blank_rows"] += 1
        elif self.header is None:
            self._read_header(line)
        else:
            yield from self._rows(self._records.take(line))

    def _rows(self, records: Iterator[Record | RowError]) -> Iterator[Read]:
        for record in records:
            if isinstance(record, RowError):
                yield BadRow(record.line, None, (record,))
            elif any(map(str.strip, record.fields)):
                yield self._row(record)
            else:
                self.skipped["blank_rows"] += 1

    def _row(self, record: Record) -> Read:
        fields, width = record.fields, self._width
        if len(fields) != width:
            if len(fields) < width or any(text.strip() for text in fields[width:]):
                return self._ragged(record)
            fields = fields[:width]
        return RawRow(record.line, tuple(None if at is None else fields[at] for at in self._positions))

    def _ragged(self, record: Record) -> BadRow:
        reason = f"这一行有 {len(record.fields)} 列，表头有 {self._width} 列"
        error = RowError(record.line, None, "ragged_row", reason, "每行列数与表头相同；含逗号的内容放在双引号内")
        return BadRow(record.line, None, (error,))

    def _read_header(self, line: Line) -> None:
        headers = self._best_header(line)
        if len(headers) > MOST_COLUMNS:
            raise FileRefused("too_many_columns", f"表头超过 {MOST_COLUMNS} 列")
        while headers and not headers[-1].strip():
            headers.pop()
        self.header = _usable(map_header(self.layout, headers))
        at = {c.column: c.position for c in self.header.cells if c.column}
        self._positions = [at.get(c.name) for c in self.layout.columns]
        self._width = len(headers)
        self.layout = in_units(self.layout, {c.column: c.unit for c in self.header.cells if c.column and c.unit})

    def _best_header(self, line: Line) -> list[str]:
        """The header split by the delimiter that makes most of its cells known; the first of equals."""
        best: tuple[int, list[str]] = (-1, [])
        for delimiter in DELIMITERS:
            reader = RecordReader(delimiter, self._records.encoding)
            record = next(iter([*reader.take(line), *reader.finish()]), None)
            if not isinstance(record, Record):
                reason = record.reason if record else "表头无法读取"
                raise FileRefused("header_unreadable", reason, "UTF-8 或 GB18030")
            known = sum(c.column is not None for c in map_header(self.layout, record.fields).cells)
            if known > best[0]:
                best, self._records = (known, record.fields), RecordReader(delimiter, reader.encoding)
        return best[1]


def _usable(header: HeaderMap) -> HeaderMap:
    if header.repeated:
        raise FileRefused("header_repeated", f"表头重复: {'、'.join(header.repeated)}", "每个列名只出现一次")
    if header.missing:
        unknown = f"；不认识的列: {'、'.join(echo(h) for h in header.unknown[:10])}" if header.unknown else ""
        raise FileRefused("header_incomplete", f"缺少必需的列: {'、'.join(header.missing)}{unknown}", "表头在第一行")
    return header
