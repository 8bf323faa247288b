"""Rows out of separated text (CSV, TSV): the delimiter and the meaning of the columns are settled by the header."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.csv_records import Record, RecordReader, encoding_of
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import BadRow, RawRow, in_units
from services.intake.domain.file_options import PLAIN, FileOptions
from services.intake.domain.header_map import HeaderMap
from services.intake.domain.header_search import MOST_ROWS_ABOVE, FoundHeader, closest_header, header_at_end, is_total
from services.intake.domain.row_error import RowError
from services.intake.domain.text_lines import LONGEST_LINE, Line, Lines, LineSplitter
from services.intake.judge_header import check_columns, check_header, check_version, refuse_without_header
from services.intake.read_rows import FileRefused, Read

DELIMITERS = (",", "\t", ";", "|", "，")
NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", "，": "fullwidth_comma"}
MOST_LINES_ABOVE = 60  # Physical lines among which the header is looked for.


@dataclass(slots=True)
class CsvReader:
    """Comma separated text (or tab, semicolon, bar: settled by the header, which may stand below a title).

    `on_record` is told of every record, the header and what stands above it included; `unnamed` are the columns
    without a header in which something stands.
    """

    layout: FeedLayout
    options: FileOptions = PLAIN
    header: HeaderMap | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    stated: dict[str, Any] = field(default_factory=dict)
    unnamed: set[int] = field(default_factory=set)
    on_record: Callable[[Record], None] | None = None
    _lines: LineSplitter = field(default_factory=LineSplitter)
    _records: RecordReader = field(default_factory=RecordReader)
    _above: list[Line] = field(default_factory=list)
    _above_bytes: int = 0
    _positions: Sequence[int | None] = ()
    _width: int = 0
    _headers: Sequence[str] = ()
    _blank_headers: Sequence[int] = ()

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

    @property
    def headers(self) -> Sequence[str]:
        """The texts of the header."""
        return self._headers

    @property
    def blank_headers(self) -> Sequence[int]:
        """Columns among others that have no header."""
        return self._blank_headers

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
            self._refuse()

    def _line(self, line: Line) -> Iterator[Read]:
        if line.content is not None and not line.content.strip() and not self._records.pending:
            self.skipped["blank_rows"] += 1
        elif self.header is None:
            self._look_for_header(line)
        else:
            yield from self._rows(self._records.take(line))

    def _rows(self, records: Iterator[Record | RowError]) -> Iterator[Read]:
        for record in records:
            if isinstance(record, RowError):
                self._tell(Record(record.line, []))
                yield BadRow(record.line, None, (record,))
            elif any(map(str.strip, record.fields)):
                self._tell(record)
                if not self._skips(record):
                    yield self._row(record)
            else:
                self.skipped["blank_rows"] += 1

    def _tell(self, record: Record) -> None:
        if self.on_record is not None:
            self.on_record(record)

    def _skips(self, record: Record) -> bool:
        """True for rows that say nothing of their own: a total, or the header once more."""
        first = record.fields[0]
        if (not first.strip() or "计" in first) and is_total(record.fields):
            self.skipped["total_rows"] += 1
        elif first == self._headers[0] and tuple(record.fields[: self._width]) == self._headers:
            self.skipped["repeated_headers"] += 1
        else:
            return False
        return True

    def _row(self, record: Record) -> Read:
        fields, width = record.fields, self._width
        if len(fields) != width:
            if len(fields) < width or any(text.strip() for text in fields[width:]):
                return self._ragged(record)
            fields = fields[:width]
        if self._blank_headers:
            self.unnamed.update(at for at in self._blank_headers if fields[at].strip())
        return RawRow(record.line, tuple(None if at is None else fields[at] for at in self._positions))

    def _ragged(self, record: Record) -> BadRow:
        reason = f"这一行有 {len(record.fields)} 列，表头有 {self._width} 列"
        error = RowError(record.line, None, "ragged_row", reason, "每行列数与表头相同；含逗号的内容放在双引号内")
        return BadRow(record.line, None, (error,))

    def _look_for_header(self, line: Line) -> None:
        """Settle the header if this line completes it, by the delimiter that makes most of its cells known."""
        self._above.append(line)
        self._above_bytes += len(line.content or b"")
        best: tuple[int, FoundHeader, RecordReader, list[Record]] | None = None
        for delimiter in DELIMITERS:
            reader, records = self._tried(delimiter)
            found = (
                header_at_end(self.layout, [r.fields for r in records]) if records and not reader.pending else None
            )
            if found is not None and (best is None or found.known > best[0]):
                best = found.known, found, RecordReader(delimiter, reader.encoding), records
        if best is not None:
            self._settle(*best[1:])
        elif self._looked_enough():
            self._refuse()

    def _tried(self, delimiter: str) -> tuple[RecordReader, list[Record]]:
        """The lines so far as records that say something, were this the delimiter."""
        reader = RecordReader(delimiter)
        read = [record for line in self._above for record in reader.take(line)]
        records = [r for r in read if isinstance(r, Record) and any(map(str.strip, r.fields))]
        return reader, records

    def _looked_enough(self) -> bool:
        if self._above[-1].content is None or len(self._above) >= MOST_LINES_ABOVE:
            return True
        return self._above_bytes > LONGEST_LINE or all(
            len(self._tried(delimiter)[1]) >= MOST_ROWS_ABOVE for delimiter in DELIMITERS
        )

    def _settle(self, found: FoundHeader, reader: RecordReader, records: list[Record]) -> None:
        check_columns(found.texts)
        above = records[: -found.rows]
        template = check_version(self.layout, [record.fields for record in above], self.options)
        check_header(found.mapped, self.options)
        for record in records:
            self._tell(record)
        self.header, self._records, self._above = found.mapped, reader, []
        at = {c.column: c.position for c in self.header.cells if c.column}
        self._positions = [at.get(c.name) for c in self.layout.columns]
        self._width, self._headers = len(found.texts), found.texts
        self._blank_headers = [at for at, text in enumerate(found.texts) if not text.strip()]
        self.layout = in_units(self.layout, {c.column: c.unit for c in self.header.cells if c.column and c.unit})
        self.stated = {"delimiter": NAMES[reader.delimiter], "header_line": records[-found.rows].line, **template}
        if found.rows > 1:
            self.stated["header_rows"] = found.rows
        if above:
            self.skipped["title_rows"] = len(above)

    def _refuse(self) -> None:
        """No header among the first rows: say what comes closest to one, and what may be wrong with the file."""
        tried = [[r.fields for r in self._tried(delimiter)[1]] for delimiter in DELIMITERS]
        closest = [found for rows in tried if (found := closest_header(self.layout, rows)) is not None]
        errors = (e for line in self._above for e in self._read_again(line) if isinstance(e, RowError))
        if not closest and (error := next(errors, None)) is not None:
            raise FileRefused("header_unreadable", error.reason, "UTF-8 或 GB18030")
        best = max(closest, key=lambda found: found.known, default=None)
        refuse_without_header(self.layout, best, tried[0], b"\n".join(line.content or b"" for line in self._above))

    def _read_again(self, line: Line) -> Iterator[Record | RowError]:
        reader = RecordReader()
        yield from reader.take(line)
        yield from reader.finish()
