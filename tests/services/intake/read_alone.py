"""Read a file as intake does, without a database, and say what came of it and how much memory it took.

`python -m tests.services.intake.read_alone <media type> <path>`: a process of its own, so that the peak is its own.
"""

import asyncio
import json
import resource
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from services.intake.catalogue import layouts
from services.intake.choose_reader import reader_for
from services.intake.domain.file_options import PLAIN
from services.intake.file_limits import FileLimits
from services.intake.look_at_file import FileLook
from services.intake.read_blocks import BlockReader
from services.intake.read_csv import CsvReader
from services.intake.read_rows import FileRefused
from services.intake.spool import PIECE_BYTES
from services.intake.stream_pieces import PieceStream
from shared.errors import FangpinError

LAYOUT = layouts()["medical_settlement"]


async def pieces_of(path: Path) -> AsyncGenerator[bytes, None]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


async def looked_at(media_type: str, path: Path) -> str:
    """What the first look takes it for."""
    look = FileLook(media_type, FileLimits())
    async for piece in pieces_of(path):
        look.take(piece)
    with path.open("rb") as file:
        look.finish(file)
    return look.media_type


async def read(media_type: str, path: Path) -> int:
    """How many rows it has, good or bad."""
    stream = PieceStream(media_type, LAYOUT, PLAIN, FileLimits(), _nothing_to_hold, 60)
    reader, rows = reader_for(media_type, LAYOUT), 0
    blocks = BlockReader(reader) if isinstance(reader, CsvReader) else None
    async for piece in stream.pieces(pieces_of(path), path.stat().st_size):
        if blocks is not None:
            block, reads = blocks.read(piece.content, piece.last)
            rows += len(reads) + (block.height if block is not None else 0)
        else:
            rows += sum(1 for _ in reader.feed(piece.content))
    return rows


async def _nothing_to_hold() -> None:
    """No feed, no lease."""


def own_peak() -> int:
    """In MiB; what rusage says of a process begins with what its parent held."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) // 1024


async def main(media_type: str, path: Path) -> dict[str, object]:
    try:
        return {"rows": await read(await looked_at(media_type, path), path)}
    except FangpinError as refused:
        return {"refused": refused.errors[0].code}
    except FileRefused as refused:
        return {"refused": refused.code}


if __name__ == "__main__":
    found = asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
    print(json.dumps({**found, "mib": [own_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024]}))
