"""A raw file as its reader takes it: text unpacked and in UTF-8 or GB18030, a workbook as the frames of its sheet.

The same file always gives the same pieces, so that a checkpoint is a number of bytes of them.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from services.intake.domain.decode_bytes import BytesRefused, Decoder
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.file_options import FileOptions
from services.intake.file_limits import FileLimits
from services.intake.read_rows import FileRefused
from services.intake.read_workbook import choose_sheet
from shared.web.spreadsheet import XLSX
from shared.workbook.archive import WorkbookRefused
from shared.workbook.open_workbook import OpenWorkbook, open_workbook

Hold = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Streamed:
    """A piece for the reader, which part of the file is done with it, and whether it is the last."""

    content: bytes
    share: float
    last: bool


@dataclass(slots=True)
class PieceStream:
    """The pieces of one raw file. `stated` is known with the first piece; `hold` is called every now and then."""

    media_type: str
    layout: FeedLayout
    options: FileOptions
    limits: FileLimits
    hold: Hold
    hold_seconds: float
    stated: dict[str, Any] = field(default_factory=dict)

    @property
    def is_workbook(self) -> bool:
        """True if its pieces are frames: each is to be read whole and by itself."""
        return self.media_type == XLSX

    async def pieces(self, raw: AsyncIterator[bytes], size: int) -> AsyncGenerator[Streamed, None]:
        """All of them, in order; at least one. Raises FileRefused."""
        before: tuple[bytes, float] = (b"", 0.0)
        try:
            async with aclosing(self._frames(raw) if self.is_workbook else self._decoded(raw, size)) as found:
                async for content, share in found:
                    if before[0]:
                        yield Streamed(*before, last=False)
                    before = content, share
        except (BytesRefused, WorkbookRefused) as refused:
            raise FileRefused(refused.code, refused.reason, refused.expected) from refused
        yield Streamed(before[0], 1.0, last=True)

    async def _decoded(self, raw: AsyncIterator[bytes], size: int) -> AsyncGenerator[tuple[bytes, float], None]:
        decoder, taken = Decoder(self.limits.text_bytes), 0
        async for piece in raw:
            taken += len(piece)
            for content in decoder.feed(piece):
                yield content, taken / max(size, 1)
            self._say(decoder)
        for content in decoder.finish():
            yield content, 1.0
        self._say(decoder)

    def _say(self, decoder: Decoder) -> None:
        if decoder.compression is not None:
            self.stated["compression"] = decoder.compression
        if decoder.encoding is not None:
            self.stated["encoding"] = decoder.encoding

    async def _frames(self, raw: AsyncIterator[bytes]) -> AsyncGenerator[tuple[bytes, float], None]:
        # In memory, not on a disk: the file lies sealed in the database and nowhere else.
        file = os.memfd_create("workbook")
        try:
            async for piece in raw:
                await asyncio.to_thread(os.write, file, piece)
            async with open_workbook(file, self.limits.workbook) as book:
                async for frame in self._sheet(book):
                    yield frame
        finally:
            os.close(file)

    async def _sheet(self, book: OpenWorkbook) -> AsyncIterator[tuple[bytes, float]]:
        await self._holding(book.begin())
        chosen = await asyncio.to_thread(choose_sheet, self.layout, book.sheets, self.options.sheet)
        frames, rows, done = aiter(book.read(chosen["name"])), 0, 0.0
        while (frame := await self._holding(anext(frames, None))) is not None:
            if frame.startswith(b"{"):
                of = json.loads(frame)
                rows, frame = of["rows"], json.dumps(of | chosen).encode()
            elif rows:
                done = min(_first_row(frame) / rows, 1.0)
            yield frame, done

    async def _holding(self, awaited: Awaitable[Any]) -> Any:
        """What is awaited; the hold on the feed does not run out meanwhile."""
        task = asyncio.ensure_future(awaited)
        try:
            while not (await asyncio.wait({task}, timeout=self.hold_seconds))[0]:
                await self.hold()
            return task.result()
        finally:
            task.cancel()


def _first_row(frame: bytes) -> int:
    """The number of the first row in a frame of rows, `[[number,…`."""
    return int(frame[2 : frame.index(b",")])
