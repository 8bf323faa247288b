"""Take in files that departments without an interface laid into a folder (文件夹投递).

`<drop_folder>/<division>/<layout>[@period]/<file>`; who may write there is for the operator's file permissions to
say. A file is taken when it no longer grows. It is moved to `done/` after its feed is stored, so a kill between the
two takes it again, as the same feed; what cannot be taken is moved to `refused/` with the reason beside it.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from services.intake.catalogue import layout_for, refresh_catalogue
from services.intake.domain.feed import FeedMode
from services.intake.file_limits import settings_of
from services.intake.receive_feed import FeedOrder, media_type_of, receive_feed
from services.intake.spool import PIECE_BYTES
from shared.errors import FangpinError
from shared.logs import log
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionCodeError, parse_division
from shared.web.spreadsheet import XLSX

SAID_BY = {
    ".xlsx": XLSX,
    ".tsv": "text/tab-separated-values",
    ".gz": "application/gzip",
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/jsonl",
    ".json": "application/json",
}
_PLACE = re.compile(r"(?P<layout>[a-z][a-z0-9_]{0,60})(?:@(?P<period>[0-9-]{4,10}))?", re.ASCII)
_EXPECTED = "文件夹应为 <区划代码>/<数据集>[@期次]，例如 130624000000/medical_settlement@2026-01"
DONE, REFUSED = "done", "refused"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file in the folder, and what its place says of it."""

    path: Path
    division: str
    layout: str
    period: str


class NotTaken(Exception):
    """A file that cannot be taken in, and why."""


async def take_dropped(runtime: Runtime) -> int:
    """Take in every file that is whole; how many."""
    settings = settings_of(runtime)
    if settings.drop_folder is None:
        return 0
    await refresh_catalogue(runtime.worker_pool)
    found = await asyncio.to_thread(_whole_files, settings.drop_folder, settings.drop_settled_seconds, runtime)
    for path in found:
        await _take(runtime, path)
    return 0  # The next look is a second away: a folder that fills up must not hold the task.


def _whole_files(folder: Path, settled_seconds: float, runtime: Runtime) -> list[Path]:
    """Files two levels down that have been left alone, oldest first; hidden and unfinished ones aside."""
    now = runtime.clock.now().timestamp()
    files = [
        (stat.st_mtime, path)
        for path in folder.glob("*/*/*")
        if not path.name.startswith(".") and path.suffix not in {".part", ".tmp"}
        for stat in [path.lstat()]
        if path.is_file() and not path.is_symlink() and now - stat.st_mtime >= settled_seconds
    ]
    return [path for _, path in sorted(files)]


async def _take(runtime: Runtime, path: Path) -> None:
    try:
        await _send(runtime, _place_of(path))
    except NotTaken as reason:
        await asyncio.to_thread(_lay_aside, path, REFUSED, str(reason))
    except FangpinError as refused:
        said = "；".join([refused.detail, *(error.message for error in refused.errors)])
        await asyncio.to_thread(_lay_aside, path, REFUSED, f"{said} ({refused.code})")
    else:
        await asyncio.to_thread(_lay_aside, path, DONE, None)


def _place_of(path: Path) -> Dropped:
    place = _PLACE.fullmatch(path.parent.name)
    try:
        division = parse_division(path.parent.parent.name)
    except DivisionCodeError as wrong:
        raise NotTaken(f"{_EXPECTED}；{wrong.message}") from None
    if place is None:
        raise NotTaken(_EXPECTED)
    if path.suffix.lower() not in SAID_BY:
        raise NotTaken(f"文件扩展名应为 {'、'.join(SAID_BY)}")
    return Dropped(path, division, place["layout"], place["period"] or "")


async def _send(runtime: Runtime, dropped: Dropped) -> None:
    layout = layout_for(dropped.division, dropped.layout)
    media_type = media_type_of(SAID_BY[dropped.path.suffix.lower()])
    order = FeedOrder(layout, dropped.division, dropped.period, FeedMode.PARTIAL, media_type)
    caller = Principal("drop-folder", "system", dropped.division, department=layout.department)
    received = await receive_feed(runtime, caller, order, _pieces(dropped.path), traceparent=None)
    log.info("drop.taken", feed_id=str(received.feed_id), fresh=received.fresh)


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece


def _lay_aside(path: Path, name: str, reason: str | None) -> None:
    """Move the file beside its peers; a name that is taken gets a number."""
    folder = path.parent / name
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 1
    while target.exists():
        number += 1
        target = folder / f"{path.stem}.{number}{path.suffix}"
    if reason is not None:
        target.with_suffix(f"{target.suffix}.错误.txt").write_text(reason + "\n", encoding="utf-8")
    path.rename(target)
