"""Rows out of a file as it streams by: CSV or NDJSON, in bounded memory, each with its physical line number.

A reader is fed bytes and answers rows and row errors in order. What concerns the whole file is a FileRefused.
Reading is deterministic: fed the same bytes in other pieces, it answers the same.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.intake.domain.csv_records import Record, RecordReader
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import BadRow, RawRow, in_units
from services.intake.domain.header_map import HeaderMap, map_header
from services.intake.domain.row_error import RowError, echo
from services.intake.domain.text_lines import Line, LineSplitter

DELIMITERS = (",", "\t", ";", "|", "，")
MOST_COLUMNS = 500

Read = RawRow | BadRow


class FileRefused(Exception):
    """The file as a whole cannot be read: a stable code, the reason, what is right."""

    def __init__(self, code: str, reason: str, expected: str | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason, self.expected = code, reason, expected


class RowReader(Protocol):
    """What turns the bytes of one format into rows."""

    layout: FeedLayout
    header: HeaderMap | None
    skipped: Counter[str]

    @property
    def encoding(self) -> str | None: ...
    def feed(self, piece: bytes) -> Iterator[Read]: ...
    def finish(self) -> Iterator[Read]: ...


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


@dataclass(slots=True)
class NdjsonReader:
    """One JSON object a line; its keys are headers, synonyms or standard names; unknown keys are refused."""

    layout: FeedLayout
    header: HeaderMap | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    encoding: str | None = "utf-8"
    _lines: LineSplitter = field(default_factory=LineSplitter)
    _known: dict[tuple[str, ...], HeaderMap] = field(default_factory=dict)
    _begun: bool = False

    def feed(self, piece: bytes) -> Iterator[Read]:
        for line in self._lines.feed(piece):
            yield from self._line(line)

    def finish(self) -> Iterator[Read]:
        for line in self._lines.finish():
            yield from self._line(line)

    def _line(self, line: Line) -> Iterator[Read]:
        if line.content is not None and not line.content.strip():
            self.skipped["blank_rows"] += 1
            return
        if not self._begun:
            self._begun = True
            _refuse_other_json(line)
        yield self._row(line)

    def _row(self, line: Line) -> Read:
        value = _parse(line)
        if isinstance(value, RowError):
            return BadRow(line.number, None, (value,))
        mapped = self._mapped(tuple(value))
        errors = _key_errors(line.number, mapped)
        if errors:
            return BadRow(line.number, None, errors)
        by_column = {c.column: value[key] for c, key in zip(mapped.cells, value, strict=True)}
        return RawRow(line.number, tuple(by_column.get(c.name) for c in self.layout.columns))

    def _mapped(self, keys: tuple[str, ...]) -> HeaderMap:
        if keys not in self._known:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[keys] = map_header(self.layout, keys)
        if self.header is None:
            self.header = self._known[keys]
        return self._known[keys]


def reader_for(media_type: str, layout: FeedLayout) -> RowReader:
    """The reader of a media type that `receive_feed` let in."""
    return CsvReader(layout) if media_type == "text/csv" else NdjsonReader(layout)


def _usable(header: HeaderMap) -> HeaderMap:
    if header.repeated:
        raise FileRefused("header_repeated", f"表头重复: {'、'.join(header.repeated)}", "每个列名只出现一次")
    if header.missing:
        unknown = f"；不认识的列: {'、'.join(echo(h) for h in header.unknown[:10])}" if header.unknown else ""
        raise FileRefused("header_incomplete", f"缺少必需的列: {'、'.join(header.missing)}{unknown}", "表头在第一行")
    return header


def _refuse_other_json(line: Line) -> None:
    start = (line.content or b"").strip()
    if start[:1] == b"[":
        raise FileRefused("json_array", "是 JSON 数组，不是逐行 JSON", "每行一个 JSON 对象 (NDJSON)")
    if start == b"{":
        raise FileRefused("json_pretty_printed", "一个 JSON 对象分成了多行", "每行一个完整的 JSON 对象 (NDJSON)")


class _Repeated(ValueError):
    """A key comes twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


def _no_constant(_: str) -> Any:
    raise ValueError


def _parse(line: Line) -> dict[str, Any] | RowError:
    if line.content is None:
        return RowError(line.number, None, "line_too_long", "这一行超过 1 MiB", "每行不超过 1 MiB")
    try:
        value = json.loads(line.content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        return RowError(line.number, None, "wrong_encoding", "这一行不是 UTF-8 编码", "UTF-8")
    except _Repeated:
        return RowError(line.number, None, "key_repeated", "同一个键出现了两次", "每个键一次")
    except (ValueError, RecursionError):
        return RowError(line.number, None, "invalid_json", "这一行不是有效的 JSON 对象", "每行一个完整的 JSON 对象")
    if not isinstance(value, dict):
        return RowError(line.number, None, "not_an_object", "这一行不是 JSON 对象", '{"列名": "值"}')
    return value


def _key_errors(line: int, mapped: HeaderMap) -> tuple[RowError, ...]:
    known = "版式中的列名"
    unknown = [RowError(line, echo(key), "unknown_field", "不认识的键", known) for key in mapped.unknown[:20]]
    repeated = [RowError(line, name, "key_repeated", "两个键是同一列", "每列一个键") for name in mapped.repeated]
    if any(not c.header for c in mapped.cells):
        unknown.append(RowError(line, None, "unknown_field", "键为空", known))
    return (*unknown, *repeated)
