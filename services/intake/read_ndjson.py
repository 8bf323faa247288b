"""Rows out of lines of JSON (NDJSON): one object a line, each judged by itself."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import BadRow
from services.intake.domain.header_map import HeaderMap
from services.intake.domain.json_row import JSONFault, ObjectRows, parse_value
from services.intake.domain.row_error import RowError, echo
from services.intake.domain.text_lines import Line, LineSplitter
from services.intake.read_rows import FileRefused, Read

TYPE, VERSION = "type", "schema_version"


@dataclass(slots=True)
class NdjsonReader:
    """One JSON object a line; its keys are headers, synonyms or standard names; unknown keys are refused.

    A line may say of what data set and version it is (`type`, `schema_version`); any but the layout's is refused.
    """

    layout: FeedLayout
    skipped: Counter[str] = field(default_factory=Counter)
    encoding: str | None = "utf-8"
    _lines: LineSplitter = field(default_factory=LineSplitter)
    _rows: ObjectRows = field(init=False)
    _labelled: tuple[str, ...] = ()
    _begun: bool = False

    def __post_init__(self) -> None:
        self._rows = ObjectRows(self.layout)
        own = {text for column in self.layout.columns for text in (column.name, column.header, *column.synonyms)}
        self._labelled = tuple(name for name in (TYPE, VERSION) if name not in own)

    @property
    def header(self) -> HeaderMap | None:
        return self._rows.header

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
            if (hint := other_json(line.content or b"")) is not None:
                raise FileRefused(*hint)
        yield self._row(line)

    def _row(self, line: Line) -> Read:
        if line.content is None:
            return _bad(line.number, None, "line_too_long", "这一行超过 1 MiB", "每行不超过 1 MiB")
        try:
            value = parse_value(line.content)
        except JSONFault as fault:
            return _bad(line.number, None, fault.code, f"这一行{fault.reason}", fault.expected)
        if isinstance(value, dict):
            for name in self._labelled:
                if name in value and (wrong := self._wrong_label(line.number, name, value.pop(name))) is not None:
                    return wrong
        return self._rows.row(line.number, value)

    def _wrong_label(self, line: int, name: str, said: Any) -> BadRow | None:
        if name == TYPE:
            right = self.layout.name
            code, reason = "unknown_type", "不是本数据集的记录"
        else:
            right = str(self.layout.version)
            code, reason = "unknown_version", "不是本版式的版本"
        if not isinstance(said, bool) and str(said) == right:
            return None
        return _bad(line, name, code, reason, right, echo(str(said)))


def _bad(line: int, column: str | None, code: str, reason: str, expected: str, shown: str | None = None) -> BadRow:
    return BadRow(line, None, (RowError(line, column, code, reason, expected, None, shown),))


def other_json(first: bytes) -> tuple[str, str, str] | None:
    """Code, reason and what is right, if a file with this first line is JSON, but not one object a line."""
    start, expected = first.strip(), "每行一个完整的 JSON 对象 (NDJSON)"
    if start[:1] == b"[":
        return "json_array", "是 JSON 数组，不是逐行 JSON；数组请以 application/json 发送", expected
    if start == b"{" or (start[:1] == b"{" and start.endswith(b",") and not start.endswith(b"},")):
        return "json_pretty_printed", "一个 JSON 对象分成了多行", expected
    return None
