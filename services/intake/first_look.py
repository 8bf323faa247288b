"""A first look at a body of JSON while it streams in: what is no such body is refused at once, and stores nothing."""

import re
from typing import Protocol

from services.intake.domain.json_elements import ArrayBroken, ArrayCutter, Element
from services.intake.read_json import EXPECTED, parsed, said
from services.intake.read_ndjson import other_json
from shared.errors import FieldError, TooLarge
from shared.web.strict_json import JSONRefused

MOST_ELEMENTS = 1_000_000
READ_AT_ONCE = 1000  # Rows whose values are looked at while the client still waits; the others' when they are read.
LONGEST_WITHOUT_LINE_END = 100 * 1024 * 1024

_LINE = re.compile(rb"[^\r\n]*")


class ArrayTooLong(TooLarge):
    code, title = "too_many_rows", "行数超过上限"


class LineEndless(TooLarge):
    code, title = "line_endless", "没有换行"


class FirstLook(Protocol):
    """Sees each piece of a body once; `rows` are those seen so far. Raises what the client is told."""

    rows: int

    def take(self, piece: bytes) -> None: ...
    def finish(self) -> None: ...


class ArrayLook:
    """A JSON array must be one, closed, in UTF-8 and not too long; its first rows must mean one thing each."""

    def __init__(self) -> None:
        self.rows = 0
        self._cutter = ArrayCutter()

    def take(self, piece: bytes) -> None:
        try:
            for element in self._cutter.feed(piece):
                self._count(element)
        except ArrayBroken as broken:
            raise _refused(broken) from None

    def finish(self) -> None:
        try:
            for element in self._cutter.finish():
                self._count(element)
        except ArrayBroken as broken:
            raise _refused(broken) from None

    def _count(self, element: Element) -> None:
        self.rows = element.number
        if self.rows > MOST_ELEMENTS:
            raise ArrayTooLong(f"JSON 数组超过 {MOST_ELEMENTS} 个元素；请分批提交，或用 NDJSON、CSV 报送")
        if self.rows <= READ_AT_ONCE and element.content is not None:
            parsed(element)


class LinesLook:
    """NDJSON must not be other JSON, nor one endless line; what its lines say is each line's own matter."""

    def __init__(self) -> None:
        self.rows = 0
        self._begun = False
        self._since_line_end = 0

    def take(self, piece: bytes) -> None:
        if not self._begun:
            self._begun = bool(piece.strip())
            self._first(piece.removeprefix(b"\xef\xbb\xbf").lstrip())
        self.rows += piece.count(b"\n")
        at = piece.rfind(b"\n")
        self._since_line_end = self._since_line_end + len(piece) if at < 0 else len(piece) - at - 1
        if self._since_line_end > LONGEST_WITHOUT_LINE_END:
            raise LineEndless("100 MiB 之内没有换行；应为每行一个 JSON 对象 (NDJSON)")

    def finish(self) -> None:
        self.rows += self._since_line_end > 0

    def _first(self, start: bytes) -> None:
        line = _LINE.match(start)
        hint = other_json(line[0]) if line else None
        if hint is not None:
            raise JSONRefused(hint[1], errors=[FieldError("body", hint[0], hint[1], hint[2])])


class NoLook:
    """Text tables are read when their turn comes; how many rows there are is not known before."""

    rows = READ_AT_ONCE + 1

    def take(self, piece: bytes) -> None: ...
    def finish(self) -> None: ...


def look_of(media_type: str) -> FirstLook:
    """The first look at bodies of this media type."""
    if media_type == "application/json":
        return ArrayLook()
    return LinesLook() if media_type == "application/x-ndjson" else NoLook()


def _refused(broken: ArrayBroken) -> JSONRefused:
    return JSONRefused(said(broken), errors=[FieldError("body", broken.code, broken.reason, EXPECTED)])
