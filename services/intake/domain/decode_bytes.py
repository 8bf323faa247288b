"""What stands between the bytes of a file and its reader: gzip is unpacked, UTF-16 becomes UTF-8, in bounded memory.

The bytes decide, not what was said of them. Decoding is deterministic: fed the same bytes in other pieces, it gives
the same bytes.
"""

import codecs
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

GZIP = b"\x1f\x8b"
OUT_BYTES = 256 * 1024  # Of one piece given out.
SAMPLE_BYTES = 4096  # UTF-16 without a mark is told by so many bytes.


class BytesRefused(Exception):
    """The bytes are not what they begin as: a stable code, the reason, what is right."""

    def __init__(self, code: str, reason: str, expected: str | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason, self.expected = code, reason, expected


@dataclass(slots=True)
class Gunzip:
    """Unpacks gzip, members one after the other; stops at `most` bytes, refuses what follows or is missing."""

    most: int
    size: int = 0
    _machine: Any = field(default_factory=lambda: zlib.decompressobj(wbits=31))
    _fed: bool = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        self._fed = self._fed or bool(piece)
        while piece:
            if self._machine.eof:
                self._begin_again(piece)
            try:
                out = self._machine.decompress(piece, OUT_BYTES)
            except zlib.error:
                raise BytesRefused("gzip_broken", "gzip 压缩文件已损坏", "重新压缩后上传") from None
            piece = self._machine.unused_data if self._machine.eof else self._machine.unconsumed_tail
            self.size += len(out)
            if self.size > self.most:
                limit = f"{self.most // 2**20} MiB"
                raise BytesRefused("inflated_too_large", f"解压后超过 {limit}", "分成几个文件报送")
            if out:
                yield out

    def finish(self) -> Iterator[bytes]:
        if not self._machine.eof:
            raise BytesRefused("gzip_truncated", "gzip 压缩文件不完整", "重新压缩后上传")
        yield from ()

    def _begin_again(self, piece: bytes) -> None:
        """A further member may follow; anything else behind the last is no gzip."""
        if not piece.startswith(GZIP[: len(piece)]):
            raise BytesRefused("gzip_trailing_garbage", "gzip 压缩数据之后还有其他内容", "重新压缩后上传")
        self._machine = zlib.decompressobj(wbits=31)


@dataclass(slots=True)
class Utf16ToUtf8:
    """Turns UTF-16 text into UTF-8; `name` says which byte order."""

    name: str
    _decoder: codecs.IncrementalDecoder = field(init=False)

    def __post_init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self.name)("strict")

    def feed(self, piece: bytes, *, last: bool = False) -> Iterator[bytes]:
        try:
            text = self._decoder.decode(piece, last)
        except UnicodeDecodeError:
            raise BytesRefused("wrong_encoding", "UTF-16 文本已损坏或不完整", "另存为 UTF-8 编码") from None
        if text:
            yield text.encode()

    def finish(self) -> Iterator[bytes]:
        yield from self.feed(b"", last=True)


def utf16_of(start: bytes) -> str | None:
    """Which UTF-16 a text in it begins as: by its mark, or by where the zero bytes of ASCII stand; None: another."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if start.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    sample = start[:SAMPLE_BYTES]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    # Even Chinese text has delimiters, digits and line ends; in no other encoding do zero bytes keep to one side.
    if len(sample) < 8 or max(even, odd) * 16 < len(sample):
        return None
    if even and odd:
        return None
    return "utf-16-be" if even else "utf-16-le"


@dataclass(slots=True)
class Decoder:
    """The whole way: unpacks if it is gzip, then recodes if it is UTF-16; anything else passes as it is."""

    most: int
    compression: str | None = None
    encoding: str | None = None
    _unpack: Gunzip | None = None
    _recode: Utf16ToUtf8 | None = None
    _held: bytes = b""
    _begun: bool = False
    _sampled: bool = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        for plain in self._unpacked(piece):
            yield from self._recoded(plain)

    def finish(self) -> Iterator[bytes]:
        if not self._begun and self._held:
            yield from self._through(self._held)
        if self._unpack is not None:
            yield from self._unpack.finish()
        if not self._sampled:
            yield from self._settled()
        if self._recode is not None:
            yield from self._recode.finish()

    def _through(self, piece: bytes) -> Iterator[bytes]:
        self._begun = True
        yield from self._recoded(piece)

    def _unpacked(self, piece: bytes) -> Iterator[bytes]:
        if not self._begun:
            piece, self._held = self._held + piece, b""
            if len(piece) < len(GZIP):
                self._held = piece
                return
            self._begun = True
            if piece.startswith(GZIP):
                self.compression, self._unpack = "gzip", Gunzip(self.most)
        if self._unpack is None:
            yield piece
        else:
            yield from self._unpack.feed(piece)

    def _recoded(self, plain: bytes) -> Iterator[bytes]:
        if not self._sampled:
            self._held += plain
            if len(self._held) >= SAMPLE_BYTES:
                yield from self._settled()
        elif self._recode is None:
            yield plain
        else:
            yield from self._recode.feed(plain)

    def _settled(self) -> Iterator[bytes]:
        """Say which encoding it is, by what has come so far, and let that pass."""
        held, self._held, self._sampled = self._held, b"", True
        self.encoding = utf16_of(held)
        if self.encoding is not None:
            self._recode = Utf16ToUtf8(self.encoding)
            yield from self._recode.feed(held)
        elif held:
            yield held
