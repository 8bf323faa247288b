"""Rows out of lines of JSON (NDJSON): one object a line."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.feed_row import BadRow, RawRow
from services.intake.domain.header_map import HeaderMap, map_header
from services.intake.domain.row_error import RowError, echo
from services.intake.domain.text_lines import Line, LineSplitter
from services.intake.read_rows import FileRefused, Read


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
