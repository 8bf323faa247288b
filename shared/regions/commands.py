"""Import a list of divisions, as the command `regions import FILE` does, and say how it went."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import asyncpg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shared.regions.catalogue import STATISTICAL_LIST, list_dates
from shared.regions.load import Loaded, OnProgress, load_regions
from shared.regions.region import Region
from shared.regions.region_file import RegionFile, RegionRowError

ERRORS_SHOWN = 20
LINES_BETWEEN = 100_000

Echo = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of the rows of a file: read = inserted + changed + unchanged + rejected.

    `errors` are the first few of the rejected; `orphans` are the first few divisions taken over although no list
    has the division above them.
    """

    read: int
    inserted: int
    changed: int
    unchanged: int
    rejected: int
    errors: tuple[RegionRowError, ...]
    orphans: tuple[str, ...]


@dataclass(slots=True)
class _Rejected:
    count: int = 0
    first: list[RegionRowError] = field(default_factory=list)

    def accepted(self, rows: Iterable[Region | RegionRowError]) -> Iterator[Region]:
        """The regions among the rows; the others are counted on the way."""
        for row in rows:
            if isinstance(row, Region):
                yield row
                continue
            self.count += 1
            if len(self.first) < ERRORS_SHOWN:
                self.first.append(row)


async def import_regions(
    connection: asyncpg.Connection,
    path: Path,
    *,
    echo: Echo,
    valid_from: date | None = None,
    on_terminal: bool | None = None,
) -> ImportResult:
    """Load every right row of a file in one transaction; wrong rows are counted and the first ones shown.

    `valid_from` is the day of rows that name none: by default that of the shipped statistical list. Progress is
    a bar on a terminal (`on_terminal`, by default as standard error is) and plain lines elsewhere. A file that
    cannot be read at all raises RegionFileUnreadable.
    """
    file = RegionFile(path, valid_from or list_dates()[STATISTICAL_LIST], f"import:{path.name}")
    rejected = _Rejected()
    with _progress(file.lines, echo, sys.stderr.isatty() if on_terminal is None else on_terminal) as heard:
        loaded = await load_regions(connection, rejected.accepted(file.rows()), heard)
    result = _result(loaded, rejected, await _orphans(connection, file.source))
    _report(result, echo)
    return result


def _result(loaded: Loaded, rejected: _Rejected, orphans: tuple[str, ...]) -> ImportResult:
    taken = loaded.inserted + loaded.changed + loaded.unchanged
    return ImportResult(
        read=taken + rejected.count,
        inserted=loaded.inserted,
        changed=loaded.changed,
        unchanged=loaded.unchanged,
        rejected=rejected.count,
        errors=tuple(rejected.first),
        orphans=orphans,
    )


async def _orphans(connection: asyncpg.Connection, source: str) -> tuple[str, ...]:
    rows = await connection.fetch(
        "select code from directory.region r where source = $1 and parent is not null"
        " and not exists (select from directory.region above where above.code = r.parent)"
        f" order by code limit {ERRORS_SHOWN}",
        source,
    )
    return tuple(row["code"] for row in rows)


def _report(result: ImportResult, echo: Echo) -> None:
    echo(
        f"读取 {result.read} 行：新增 {result.inserted}，变更 {result.changed}，"
        f"未变 {result.unchanged}，拒收 {result.rejected}"
    )
    for error in result.errors:
        echo(f"  {error}")
    if result.rejected > len(result.errors):
        echo(f"  另有 {result.rejected - len(result.errors)} 行拒收，未列出")
    if result.orphans:
        echo(f"注意：以下区划的上级不在名录中，请先导入上级或核对代码：{'、'.join(result.orphans)}")


@contextmanager
def _progress(lines: int, echo: Echo, on_terminal: bool) -> Iterator[OnProgress]:
    """Something to tell the number of rows read so far."""
    if not on_terminal:
        yield lambda read: echo(f"已读取 {read} 行") if read and read % LINES_BETWEEN == 0 else None
        return
    columns = (TextColumn("导入区划"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("导入区划", total=max(lines - 1, 0))
        yield lambda read: bar.update(task, completed=read)
