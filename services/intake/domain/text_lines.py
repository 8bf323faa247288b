"""Physical lines out of a stream of bytes, in bounded memory; line ends of Windows, Unix and old Macs."""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

LONGEST_LINE = 1024 * 1024  # Bytes; a longer line is one error, and reading goes on behind it.


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line without its end; `content` null: it was longer than LONGEST_LINE. 1 is the first `number`."""

    number: int
    content: bytes | None


@dataclass(slots=True)
class LineSplitter:
    """Cuts what is fed to it into lines; works on bytes, since no trail byte of UTF-8 or GB18030 is a line end."""

    number: int = 1
    _rest: bytes = b""
    _skipping: bool = field(default=False)
    _begun: bool = False

    def feed(self, piece: bytes) -> Iterator[Line]:
        """The lines that are complete after `piece`."""
        number, contents = self.cut(piece)
        return map(Line, count(number), contents)

    def finish(self) -> Iterator[Line]:
        """The last line, if the stream did not end with a line end."""
        number, contents = self.cut_rest()
        return map(Line, count(number), contents)

    def cut(self, piece: bytes) -> tuple[int, Sequence[bytes | None]]:
        """The number of the first of these lines, and their contents: many lines without an object for each."""
        data = self._rest + (piece if self._begun else piece.removeprefix(codecs.BOM_UTF8))
        self._begun = self._begun or bool(piece)
        held = data[-1:] if data.endswith(b"\r") else b""  # Its \n may come with the next piece.
        body = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, last = body.split(b"\n")
        numbered = self._numbered(lines)
        self._rest = last + held
        if len(self._rest) > LONGEST_LINE:
            self._skipping, self._rest = True, held
        return numbered

    def cut_rest(self) -> tuple[int, Sequence[bytes | None]]:
        """As `cut`, what is left at the end of the stream."""
        rest, self._rest = self._rest, b""
        return self._numbered([rest.removesuffix(b"\r")] if rest or self._skipping else [])

    def _numbered(self, lines: list[bytes]) -> tuple[int, Sequence[bytes | None]]:
        number, self.number = self.number, self.number + len(lines)
        if not lines:
            return number, lines
        contents: list[bytes | None] = list(lines)
        if self._skipping or max(map(len, lines)) > LONGEST_LINE:
            contents = [None if len(each) > LONGEST_LINE else each for each in lines]
            contents[0] = None if self._skipping else contents[0]
        self._skipping = False
        return number, contents
