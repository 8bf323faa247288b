"""A body on its way into the database: taken in piece by piece, sealed at once, never whole in memory."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, Self

PIECE_BYTES = 256 * 1024

Seal = Callable[[bytes, int], bytes]


@dataclass(slots=True)
class Spool:
    """An unlinked temporary file of sealed pieces; `look` sees each piece, in a thread, and may refuse it."""

    seal: Seal
    look: Callable[[bytes], None]
    size: int = 0
    pieces: int = 0
    _offsets: list[int] = field(default_factory=list)
    _file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    _digest: Any = field(default_factory=hashlib.sha256)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    async def take(self, body: AsyncIterator[bytes]) -> None:
        """Take the whole body in; sealing and writing happen off the event loop."""
        waiting = bytearray()
        async for part in body:
            waiting += part
            while len(waiting) >= PIECE_BYTES:
                await self._keep(bytes(waiting[:PIECE_BYTES]))
                del waiting[:PIECE_BYTES]
        if waiting or not self.pieces:
            await self._keep(bytes(waiting))

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bytes as received."""
        digest: bytes = self._digest.digest()
        return digest

    def sealed_pieces(self) -> Iterator[tuple[int, bytes]]:
        """(seq, sealed piece), in order, from 0."""
        self._file.seek(0)
        for seq in range(self.pieces):
            length = int.from_bytes(self._file.read(4), "big")
            yield seq, self._file.read(length)

    def sealed_piece(self, seq: int) -> bytes:
        """One sealed piece, when all are there."""
        self._file.seek(self._offsets[seq])
        length = int.from_bytes(self._file.read(4), "big")
        return self._file.read(length)

    async def _keep(self, piece: bytes) -> None:
        await asyncio.to_thread(self._write, piece)

    def _write(self, piece: bytes) -> None:
        self.look(piece)
        self._digest.update(piece)
        sealed = self.seal(piece, self.pieces)
        self._offsets.append(self._file.tell())
        self._file.write(len(sealed).to_bytes(4, "big") + sealed)
        self.size += len(piece)
        self.pieces += 1
