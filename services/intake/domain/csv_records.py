"""Records out of physical lines: a quote never closed costs one record, not the file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.intake.domain.row_error import RowError
from services.intake.domain.text_lines import LONGEST_LINE, Line

MOST_LINES = 50  # Physical lines of one record.


@dataclass(frozen=True, slots=True)
class Record:
    """The fields of one record and the physical line where it starts."""

    line: int
    fields: list[str]


@dataclass(slots=True)
class RecordReader:
    """Reads records; `encoding` is settled by the first line that is not ASCII: UTF-8 if it is, else GB18030."""

    delimiter: str = ","
    encoding: str | None = None
    _open: list[tuple[int, str]] = field(default_factory=list)

    @property
    def pending(self) -> bool:
        """True inside a quoted field that goes on in the next line."""
        return bool(self._open)

    def take(self, line: Line) -> Iterator[Record | RowError]:
        """What is complete after this line."""
        text = self._decode(line)
        if isinstance(text, RowError):
            yield from self._give_up()
            yield text
        elif not self._open and '"' not in text:
            yield Record(line.number, text.split(self.delimiter))
        else:
            yield from self._quoted(line.number, text)

    def finish(self) -> Iterator[Record | RowError]:
        """What is left at the end of the file."""
        yield from self._give_up()

    def _decode(self, line: Line) -> str | RowError:
        content = line.content
        if content is None:
            return RowError(line.number, None, "line_too_long", "这一行超过 1 MiB", "每行不超过 1 MiB")
        if b"\x00" in content:
            return RowError(line.number, None, "nul_character", "含有空字符 (NUL)，文件可能已损坏，请重新导出")
        if content.isascii():
            return content.decode("ascii")
        self.encoding = self.encoding or encoding_of(content)
        try:
            if self.encoding == "gb18030" and _is_chinese_utf8(content):
                raise UnicodeDecodeError("gb18030", content, 0, len(content), "UTF-8")
            return content.decode(self.encoding or "utf-8")
        except UnicodeDecodeError:
            named = {"utf-8": "UTF-8", "gb18030": "GB18030"}.get(self.encoding or "", "UTF-8 或 GB18030")
            return RowError(line.number, None, "wrong_encoding", "这一行的编码与文件其他部分不同或已损坏", named)

    def _quoted(self, number: int, text: str) -> Iterator[Record | RowError]:
        self._open.append((number, text))
        whole = "\n".join(part for _, part in self._open)
        if not leaves_quote_open(whole, self.delimiter):
            start, self._open = self._open[0][0], []
            yield self._parse(start, whole)
        elif len(self._open) >= MOST_LINES or len(whole) > LONGEST_LINE:
            yield from self._give_up()

    def _give_up(self) -> Iterator[Record | RowError]:
        """Report the record whose quote never closed, and read the lines behind its first as records of their own."""
        while self._open:
            (start, _), *behind = self._open
            self._open = []
            yield RowError(
                start, None, "quote_not_closed", "从这一行开始的双引号没有结束", '字段内的双引号写成两个 ("")'
            )
            for number, text in behind:
                if not self._open and '"' not in text:
                    yield Record(number, text.split(self.delimiter))
                else:
                    yield from self._quoted(number, text)

    def _parse(self, start: int, text: str) -> Record | RowError:
        try:
            return Record(start, next(csv.reader([text], delimiter=self.delimiter, strict=True)))
        except (csv.Error, StopIteration):
            return RowError(
                start, None, "malformed_row", "双引号的位置不正确或字段过长", "含逗号、换行的字段整个放在双引号内"
            )


def encoding_of(content: bytes) -> str | None:
    """utf-8 if the bytes are valid UTF-8, else gb18030 if they are that, else None; never a guess by frequency."""
    for name in ("utf-8", "gb18030"):
        try:
            content.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return None


def _is_chinese_utf8(content: bytes) -> bool:
    """True if a line of a GB18030 file is Chinese in UTF-8: read as GB18030 it would be valid, and nonsense."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(c.isascii() or "\u3000" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef" for c in text)


def leaves_quote_open(text: str, delimiter: str) -> bool:
    """True if a field that begins with a quote is not closed at the end of `text`."""
    if text.count('"') % 2 == 0:
        return False
    inside = closed = False
    at_start = True
    for character in text:
        if inside:
            inside, closed = character != '"', character == '"'
        elif character == '"' and (at_start or closed):
            inside, closed = True, False
        else:
            closed = False
        at_start = not inside and character in (delimiter, "\n")
    return inside
