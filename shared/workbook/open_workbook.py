"""Let a child process read a workbook, and take its frames: bounded in memory and time, whatever is in the file."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from shared.workbook.archive import Limits, WorkbookRefused

LONGEST_FRAME = 64 * 2**20
_INHERITED = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")

_TOO_LARGE = ("workbook_too_large", "工作簿过大或过于复杂，无法读取", "拆成几个文件，或另存为 CSV")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet and its first rows that say anything, each with its number."""

    name: str
    visible: bool
    head: Sequence[tuple[int, Sequence[Any]]]


class OpenWorkbook:
    """A workbook in the hands of a child: after `begin` its sheets, then the frames of one of them."""

    def __init__(self, child: asyncio.subprocess.Process, limits: Limits) -> None:
        self._child, self._limits = child, limits
        self.sheets: Sequence[Sheet] = ()

    async def begin(self) -> None:
        """Wait until the file is checked and `sheets` are known."""
        said = json.loads(await self._frame())
        self.sheets = [Sheet(s["name"], s["visible"], s["head"]) for s in _unrefused(said)["sheets"]]

    async def read(self, sheet: str) -> AsyncIterator[bytes]:
        """The frames of a sheet, JSON: what is to be known of it, then lists of rows; the end is not among them."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(sheet).encode() + b"\n")
        await self._child.stdin.drain()
        while True:
            frame = await self._frame()
            if frame.startswith(b"{"):
                said = _unrefused(json.loads(frame))
                if "end" in said:
                    return
            yield frame

    async def _frame(self) -> bytes:
        assert self._child.stdout is not None
        try:
            async with asyncio.timeout(self._limits.answer_seconds):
                length = int.from_bytes(await self._child.stdout.readexactly(4), "big")
                if length > LONGEST_FRAME:
                    raise WorkbookRefused(*_TOO_LARGE)
                return await self._child.stdout.readexactly(length)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            # It ran out of memory or time, which a sound workbook of the permitted size does not.
            raise WorkbookRefused(*_TOO_LARGE) from error


def _unrefused(said: dict[str, Any]) -> dict[str, Any]:
    if "refused" in said:
        raise WorkbookRefused(*said["refused"])
    return said


@asynccontextmanager
async def open_workbook(file: int, limits: Limits) -> AsyncIterator[OpenWorkbook]:
    """Give the workbook in the file descriptor `file` to a child. Reading it raises WorkbookRefused."""
    os.lseek(file, 0, os.SEEK_SET)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "shared.workbook.child", str(file), json.dumps(asdict(limits))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=(file,),
        # Nothing of ours is in its surroundings: no key, no address of a database.
        env={name: os.environ[name] for name in _INHERITED if name in os.environ},
    )
    try:
        yield OpenWorkbook(child, limits)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
