"""A HEIC photo: boxes (ISO-BMFF) that fill the file exactly, among them the list of its pictures and their bytes."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from services.intake.domain.broken_file import FileBroken

_CODED_BY_HEVC = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"})
_ANY_CODING = frozenset({b"mif1", b"msf1"})
# What a list of pictures must hold: its handler, the pictures, and where each one lies.
_LIST_OF_PICTURES = frozenset({b"hdlr", b"iinf", b"iloc"})


class Box(NamedTuple):
    """A part of the file: what it is, and where what it holds begins and ends."""

    kind: bytes
    start: int
    end: int


def is_heic(content: bytes) -> bool:
    """Whether the file calls itself HEIC: by its brand, or as one of any coding (mif1) that is read as HEIC too.

    AVIF begins alike, and is none.
    """
    if content[4:8] != b"ftyp":
        return False
    brand, end = content[8:12], int.from_bytes(content[:4], "big")
    also = {content[at : at + 4] for at in range(16, min(end, 512), 4)}
    return brand in _CODED_BY_HEVC or (brand in _ANY_CODING and bool(also & _CODED_BY_HEVC))


def check_heic(content: bytes) -> None:
    """Refuse a file whose boxes do not fit it, or which holds no picture."""
    boxes = list(_boxes(content, 0, len(content)))
    first, kinds = boxes[0], {box.kind for box in boxes}
    if first.end - first.start < 8 or (first.end - first.start) % 4:
        raise FileBroken
    listed = [_parts_of_list(content, box) for box in boxes if box.kind == b"meta"]
    has_bytes = b"mdat" in kinds or any(b"idat" in parts for parts in listed)
    if not has_bytes or not (any(parts >= _LIST_OF_PICTURES for parts in listed) or b"moov" in kinds):
        raise FileBroken


def _parts_of_list(content: bytes, meta: Box) -> set[bytes]:
    """What the list of pictures holds; empty if it is the list of something else."""
    parts = list(_boxes(content, meta.start + 4, meta.end))
    handlers = {content[part.start + 8 : part.start + 12] for part in parts if part.kind == b"hdlr"}
    return {part.kind for part in parts} if b"pict" in handlers else set()


def _boxes(content: bytes, at: int, end: int) -> Iterator[Box]:
    """The boxes between two places; each must end where the next begins, and the last at the end."""
    while at < end:
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        start = at + 8
        if size == 1:  # The length did not fit and follows.
            (size,) = struct.unpack(">Q", content[start : start + 8])
            start += 8
        elif size == 0:  # Up to the end.
            size = end - at
        if not start <= at + size <= end:
            raise FileBroken
        yield Box(kind, start, at + size)
        at += size
