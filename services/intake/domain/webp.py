"""A WebP photo: chunks that fill its RIFF container exactly, the first of which says what picture follows."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from services.intake.domain.broken_file import FileBroken

_METADATA = frozenset({b"EXIF", b"XMP "})
_SAYS_METADATA = 0x0C  # The bits of the extended header that announce Exif and XMP.
_FRAME_HEADER = 16


class Chunk(NamedTuple):
    """A part of the container: what it is, what it holds, and its bytes with length and padding."""

    kind: bytes
    data: bytes
    whole: bytes


def is_webp(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def without_metadata(content: bytes) -> bytes:
    """The photo without its Exif and XMP chunks, its header saying so, and without what follows it."""
    (size,) = struct.unpack("<I", content[4:8])
    chunks = list(_chunks(content, 12, 8 + size))
    _check_picture(chunks)
    body = b"WEBP" + b"".join(_plain(chunk) for chunk in chunks if chunk.kind not in _METADATA)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunks(content: bytes, at: int, end: int) -> Iterator[Chunk]:
    """The chunks between two places; each must end where the next begins, and the last at the end."""
    if end > len(content):
        raise FileBroken
    while at < end:
        kind, length = struct.unpack("<4sI", content[at : at + 8])
        after = at + 8 + length + length % 2
        if after > end:
            raise FileBroken
        yield Chunk(kind, content[at + 8 : at + 8 + length], content[at:after])
        at = after


def _check_picture(chunks: list[Chunk]) -> None:
    """The first chunk is the picture, or the extended header of one that follows."""
    extended = bool(chunks) and chunks[0].kind == b"VP8X" and len(chunks[0].data) == 10
    if not any(map(_is_picture, chunks if extended else chunks[:1])):
        raise FileBroken


def _is_picture(chunk: Chunk) -> bool:
    """Whether it is one, or a frame that holds one; a frame holds no frames."""
    if chunk.kind == b"ANMF":
        return any(map(_is_still, _chunks(chunk.data, _FRAME_HEADER, len(chunk.data))))
    return _is_still(chunk)


def _is_still(chunk: Chunk) -> bool:
    return {b"VP8 ": _is_lossy, b"VP8L": _is_lossless}.get(chunk.kind, _is_nothing)(chunk.data)


def _is_lossy(data: bytes) -> bool:
    """A key frame with its start code, a width and a height, and a first partition that lies within it."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return False
    width, height = struct.unpack("<HH", data[6:10])
    partition = int.from_bytes(data[:3], "little") >> 5
    return bool(width & 0x3FFF and height & 0x3FFF) and 0 < partition <= len(data) - 10


def _is_lossless(data: bytes) -> bool:
    """The signature, the only version there is, and something behind."""
    return len(data) > 5 and data[0] == 0x2F and data[4] >> 5 == 0


def _is_nothing(_: bytes) -> bool:
    return False


def _plain(chunk: Chunk) -> bytes:
    if chunk.kind != b"VP8X":
        return chunk.whole
    return chunk.whole[:8] + bytes([chunk.data[0] & ~_SAYS_METADATA & 0xFF]) + chunk.whole[9:]
