"""A spooled file to look into: sealed pieces as one file that can be read from anywhere, one piece open at a time."""

import io
from collections.abc import Callable

from services.intake.spool import PIECE_BYTES


class SealedFile(io.RawIOBase):
    """Reads `size` bytes that lie in pieces of PIECE_BYTES; `piece` gives one of them, opened."""

    def __init__(self, piece: Callable[[int], bytes], size: int) -> None:
        self._piece, self._size, self._at = piece, size, 0
        self._open: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max({io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset, 0)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        seq, start = divmod(self._at, PIECE_BYTES)
        if self._at >= self._size:
            return 0
        if self._open[0] != seq:
            self._open = seq, self._piece(seq)
        part = self._open[1][start : start + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
