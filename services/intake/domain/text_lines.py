"""Physical lines out of a stream of bytes, in bounded memory; line ends of Windows, Unix and old Macs."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

LONGEST_LINE = 1024 * 1024  # Bytes; a longer line is one error, and reading goes on behind it.


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line without its end; `content` null: it was longer than LONGEST_LINE. 1 is the first `number`."""

    number: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that follow each other, not yet cut: the number of the first, and all of them with a \\n between two."""

    first: int
    body: bytes | None  # Null: no line at all.
    begins_too_long: bool = False

    def cut(self) -> list[bytes | None]:
        """The content of each, null where it is longer than LONGEST_LINE."""
        if self.body is None:
            return []
        lines = self.body.split(b"\n")
        contents: list[bytes | None] = list(lines)
        if len(self.body) > LONGEST_LINE:
            contents = [None if len(line) > LONGEST_LINE else line for line in lines]
        if self.begins_too_long:
            contents[0] = None
        return contents

    def __iter__(self) -> Iterator[Line]:
        return map(Line, count(self.first), self.cut())


@dataclass(slots=True)
class LineSplitter:
    """Cuts what is fed to it into lines; works on bytes, since no trail byte of UTF-8 or GB18030 is a line end."""

    number: int = 1
    _rest: bytes = b""
    _skipping: bool = field(default=False)
    _begun: bool = False

    def feed(self, piece: bytes) -> Iterator[Line]:
        """The lines that are complete after `piece`."""
        return iter(self.take(piece))

    def finish(self) -> Iterator[Line]:
        """The last line, if the stream did not end with a line end."""
        return iter(self.take_rest())

    def take(self, piece: bytes) -> Lines:
        """As `feed`, all together."""
        data = self._rest + (piece if self._begun else piece.removeprefix(codecs.BOM_UTF8))
        self._begun = self._begun or bool(piece)
        held = data[-1:] if data.endswith(b"\r") else b""  # Its \n may come with the next piece.
        body = data[: len(data) - len(held)]
        if b"\r" in body:
            body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = body.rfind(b"\n")
        lines = self._numbered(body[:end] if end >= 0 else None)
        self._rest = body[end + 1 :] + held
        if len(self._rest) > LONGEST_LINE:
            self._skipping, self._rest = True, held
        return lines

    def take_rest(self) -> Lines:
        """As `finish`, all together."""
        rest, self._rest = self._rest, b""
        return self._numbered(rest.removesuffix(b"\r") if rest or self._skipping else None)

    def _numbered(self, body: bytes | None) -> Lines:
        if body is None:
            return Lines(self.number, None)
        lines = Lines(self.number, body, self._skipping)
        self.number += body.count(b"\n") + 1
        self._skipping = False
        return lines
