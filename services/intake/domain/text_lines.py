"""Physical lines out of a stream of bytes, in bounded memory; line ends of Windows, Unix and old Macs."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field

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
        data = self._rest + (piece if self._begun else piece.removeprefix(codecs.BOM_UTF8))
        self._begun = self._begun or bool(piece)
        held = data[-1:] if data.endswith(b"\r") else b""  # Its \n may come with the next piece.
        body = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, last = body.split(b"\n")
        for content in lines:
            yield self._line(content)
        self._rest = last + held
        if len(self._rest) > LONGEST_LINE:
            self._skipping, self._rest = True, held

    def finish(self) -> Iterator[Line]:
        """The last line, if the stream did not end with a line end."""
        if self._rest.endswith(b"\r") or self._rest or self._skipping:
            yield self._line(self._rest.removesuffix(b"\r"))
        self._rest = b""

    def _line(self, content: bytes) -> Line:
        number, self.number = self.number, self.number + 1
        too_long = self._skipping or len(content) > LONGEST_LINE
        self._skipping = False
        return Line(number, None if too_long else content)
