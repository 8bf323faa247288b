"""Elements out of a JSON array that streams by: cut by its structure alone, in bounded memory, however deep or long.

Works on bytes, since every structural character of JSON is one ASCII byte of UTF-8. What an element says is not
looked at here; that the whole is one array, closed, in UTF-8, is.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.intake.domain.text_lines import LONGEST_LINE

LONGEST_ELEMENT = LONGEST_LINE  # Bytes; a longer one is one error, and reading goes on behind it.
DEEPEST = 32

_BLANKS = b" \t\r\n"
# An object without another inside, whole: what nearly every element is.
_FLAT = re.compile(rb'\{(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
_OUTSIDE = re.compile(rb'["\[\]{},]')
_INSIDE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


class ArrayBroken(ValueError):
    """The bytes are no JSON array: a stable code, the reason, and the byte (1 is the first) where it shows."""

    def __init__(self, code: str, reason: str, at: int) -> None:
        super().__init__(f"{code} at {at}: {reason}")
        self.code, self.reason, self.at = code, reason, at


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the array: its place (1 is the first), the byte where it begins, its bytes.

    `content` null: it was longer than LONGEST_ELEMENT.
    """

    number: int
    at: int
    content: bytes | None


@dataclass(slots=True)
class ArrayCutter:
    """Cuts what is fed to it into elements; one object alone counts as an array of it."""

    number: int = 0
    _start: bytes = b""
    _begun: bool = False
    _ended: bool = False
    _alone: bool = False
    _depth: int = 0
    _quoted: bool = False
    _escaped: bool = False
    _held: bytearray = field(default_factory=bytearray)
    _too_long: bool = False
    _at: int = 0  # Where the held element begins.
    _base: int = 0  # Bytes before the piece in hand.
    _partial: bytes = b""  # The beginning of a character that the next piece completes.

    def feed(self, piece: bytes) -> Iterator[Element]:
        """The elements that are complete after `piece`; ArrayBroken as soon as it cannot be an array any more."""
        data, broken = self._whole_characters(piece if self._begun else self._opened(piece))
        yield from self._cut(data)
        self._base += len(data)
        if broken is not None:
            raise broken

    def finish(self) -> Iterator[Element]:
        """Nothing more comes: the array must be closed."""
        if not self._begun and self._start:
            data, _ = self._whole_characters(self._first(self._start, last=True))
            yield from self._cut(data)
            self._base += len(data)
        if not self._begun:
            raise ArrayBroken("json_empty", "请求体为空", 1)
        if not self._ended:
            at = self._base + len(self._partial) + 1
            raise ArrayBroken("json_truncated", "内容不完整：数组没有结束，可能在传输中被截断", at)
        if self._partial:
            raise ArrayBroken("invalid_json", "数组结束之后还有内容", self._base + 1)

    def _whole_characters(self, piece: bytes) -> tuple[bytes, ArrayBroken | None]:
        """The characters that are whole now, and what is wrong with the byte behind them, if anything is."""
        data, self._partial = self._partial + piece, b""
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            whole, rest = data[: error.start], data[error.start :]
            if error.reason == "unexpected end of data":
                self._partial = rest
                return whole, None
            hint = "，像是 GBK/GB18030 编码" if _is_gb18030(rest) else ""
            at = self._base + error.start + 1
            return whole, ArrayBroken("wrong_encoding", f"不是 UTF-8{hint}；JSON 应为 UTF-8", at)
        return data, None

    def _opened(self, piece: bytes) -> bytes:
        """The bytes from the array's first on, once there are any; until then they wait."""
        start, self._start = self._start + piece, b""
        if len(start) < len(codecs.BOM_UTF8) or not start.removeprefix(codecs.BOM_UTF8).strip(_BLANKS):
            if len(start) > LONGEST_ELEMENT:
                raise ArrayBroken("not_an_array", "开头不是 JSON 数组", 1)
            self._start = start
            return b""
        return self._first(start, last=False)

    def _first(self, start: bytes, *, last: bool) -> bytes:
        # A JSON text begins with ASCII, so a zero byte there means two bytes a character.
        if start[:2] in _UTF_16 or 0 in start[:2]:
            raise ArrayBroken("utf_16", "是 UTF-16 编码；JSON 应为 UTF-8", 1)
        bare = start.removeprefix(codecs.BOM_UTF8).lstrip(_BLANKS)
        self._base += len(start) - len(bare)
        if not bare and last:
            return b""
        self._begun, self._alone = True, bare[:1] == b"{"
        if bare[:1] not in (b"[", b"{"):
            raise ArrayBroken("not_an_array", "不是 JSON 数组；应为 [{…}, {…}]", self._base + 1)
        if self._alone:
            return bare
        self._base += 1
        return bare[1:]

    def _cut(self, data: bytes) -> Iterator[Element]:
        at = since = 0  # What stands from `since` on belongs to the element in hand.
        while at < len(data):
            if self._ended:
                self._only_blanks(data, at)
                return
            if self._quoted:
                at = self._string(data, at)
                continue
            if not self._depth and (flat := _FLAT.match(data, at)):
                at = flat.end()
                if self._alone:
                    self._keep(data[since:at], since)
                    yield self._element(at)
                    self._ended, since = True, at
                continue
            found = _OUTSIDE.search(data, at)
            if found is None:
                break
            at = found.end()
            match found[0]:
                case b'"':
                    self._quoted = True
                case b"{" | b"[":
                    self._deeper(at)
                case b"}" | b"]" if self._depth:
                    self._depth -= 1
                    if self._alone and not self._depth:
                        self._keep(data[since:at], since)
                        yield self._element(at)
                        self._ended, since = True, at
                case b"," if self._depth:
                    pass
                case mark:
                    self._keep(data[since : at - 1], since)
                    if mark == b"," or self._says_something or self.number:
                        yield self._element(at)
                    since, self._ended = at, mark != b","
                    if mark == b"}":
                        raise ArrayBroken("invalid_json", "括号不配对", self._base + at)
        if not self._ended:
            self._keep(data[since:], since)

    def _string(self, data: bytes, at: int) -> int:
        """Where reading goes on inside a string, or behind it."""
        if self._escaped:
            self._escaped = False
            return at + 1
        found = _INSIDE.match(data, at)
        end = found.end() if found else at
        if end < len(data):
            self._quoted, self._escaped = data[end] != ord('"'), data[end] == ord("\\")
        return end + 1

    def _deeper(self, at: int) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ArrayBroken("json_too_deep", f"嵌套过深：最多 {DEEPEST} 层", self._base + at)

    @property
    def _says_something(self) -> bool:
        return self._too_long or bool(self._held)

    def _keep(self, part: bytes, since: int) -> None:
        """Add to the element in hand, as long as it is not too long."""
        if not self._says_something:
            bare = part.lstrip(_BLANKS)
            self._at = self._base + since + len(part) - len(bare) + 1
            part = bare
        if self._too_long or len(self._held) + len(part) > LONGEST_ELEMENT:
            self._too_long = True
            self._held.clear()
        else:
            self._held += part

    def _element(self, at: int) -> Element:
        content = bytes(self._held).rstrip(_BLANKS)
        if not content and not self._too_long:
            raise ArrayBroken("invalid_json", "逗号之间或末尾缺少内容", self._base + at)
        self.number += 1
        element = Element(self.number, self._at, None if self._too_long else content)
        self._held.clear()
        self._too_long = False
        return element

    def _only_blanks(self, data: bytes, at: int) -> None:
        rest = data[at:].lstrip(_BLANKS)
        if rest:
            raise ArrayBroken("invalid_json", "数组结束之后还有内容", self._base + len(data) - len(rest) + 1)


_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _is_gb18030(piece: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("gb18030")().decode(piece)
    except UnicodeDecodeError:
        return False
    return True
