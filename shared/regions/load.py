"""Load regions into the directory; loading the same again changes nothing.

The names of one code never overlap in time: a later name ends the one before it, an earlier one ends where the
next begins. A list that repeats the name in force adds no row, so yearly lists are best loaded oldest first. A list
that says nothing about an end does not reopen what another list has ended.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg

from shared.regions.catalogue import list_dates, shipped_regions
from shared.regions.region import Region

BATCH = 20_000
STATEMENT_SECONDS = 600.0  # A whole country in one statement may outlast the pool's limit for requests.
COLUMNS = ("code", "name", "level", "parent", "valid_from", "valid_to", "successor", "source")

OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many of the given regions were new, changed what was stored (also: renamed a division), or did neither."""

    inserted: int
    changed: int
    unchanged: int


async def load_shipped_regions(connection: asyncpg.Connection, on_progress: OnProgress | None = None) -> Loaded:
    """Load the regions that come with the program; what a county imported itself is left as it is."""
    return await load_regions(connection, shipped_regions(), on_progress, correcting=tuple(list_dates()))


async def load_regions(
    connection: asyncpg.Connection,
    regions: Iterable[Region],
    on_progress: OnProgress | None = None,
    *,
    correcting: Collection[str] | None = None,
) -> Loaded:
    """Insert what is new and change what differs, in one transaction; a second load changes nothing.

    `regions` is consumed once, any number, any order, no (code, valid_from) twice. `on_progress` hears how many
    were read so far. `correcting` names the sources whose stored rows may be changed; None means all.
    """
    async with connection.transaction():
        # Readers go on; a second loader waits, since names may not overlap.
        await connection.execute("lock table directory.region in share row exclusive mode")
        await connection.execute(_CREATE_STAGING)
        given = await _stage(connection, regions, on_progress)
        loaded = await _merge(connection, given, list(correcting) if correcting is not None else None)
        await connection.execute("drop table pg_temp.region_staging")
    return loaded


async def _stage(connection: asyncpg.Connection, regions: Iterable[Region], on_progress: OnProgress | None) -> int:
    copied: str = await connection.copy_records_to_table(
        "region_staging",
        records=_records(regions, on_progress or (lambda _: None)),
        columns=COLUMNS,
        timeout=STATEMENT_SECONDS,
    )
    await connection.execute("analyze pg_temp.region_staging")
    return _count(copied)


def _records(regions: Iterable[Region], on_progress: OnProgress) -> Iterator[tuple[Any, ...]]:
    read = 0
    for region in regions:
        yield (
            region.code,
            region.name,
            region.level,
            region.parent,
            region.valid_from,
            region.valid_to,
            region.successor,
            region.source,
        )
        read += 1
        if read % BATCH == 0:
            on_progress(read)
    on_progress(read)


async def _merge(connection: asyncpg.Connection, given: int, correcting: list[str] | None) -> Loaded:
    """Bring the staged rows in; the order of the steps matters."""
    await _run(connection, _END_BEFORE_NEXT)
    corrected = await _run(connection, _CORRECT, correcting)
    ended = await _run(connection, _END_AS_TOLD, correcting)
    renamed = await _run(connection, _END_BEFORE_RENAMING, correcting)
    written = await _run(connection, _INSERT)
    changed = corrected + ended + renamed
    return Loaded(inserted=written - renamed, changed=changed, unchanged=given - written - corrected - ended)


async def _run(connection: asyncpg.Connection, sql: str, *values: object) -> int:
    return _count(await connection.execute(sql, *values, timeout=STATEMENT_SECONDS))


def _count(tag: str) -> int:
    return int(tag.rsplit(" ", 1)[1])


_CREATE_STAGING = """
create temp table region_staging (
    code text collate "C", name text, level smallint, parent text collate "C",
    valid_from date, valid_to date, successor text collate "C", source text
)
"""

# A name lasts at most until the next name of the same code, be that stored or staged with it.
_END_BEFORE_NEXT = """
update pg_temp.region_staging s set valid_to = next.valid_from
from (
    select earlier.code, earlier.valid_from as starts, min(later.valid_from) as valid_from
    from pg_temp.region_staging earlier
    join (
        select code, valid_from from directory.region
        union all
        select code, valid_from from pg_temp.region_staging
    ) later on later.code = earlier.code and later.valid_from > earlier.valid_from
    group by earlier.code, earlier.valid_from
) next
where next.code = s.code and next.starts = s.valid_from
  and (s.valid_to is null or s.valid_to > next.valid_from)
"""

# The same day of the same code: the newer word counts, silence about an end does not.
_CORRECT = """
update directory.region r
set name = s.name, level = s.level, parent = s.parent, source = s.source,
    valid_to = coalesce(s.valid_to, r.valid_to), successor = coalesce(s.successor, r.successor)
from pg_temp.region_staging s
where r.code = s.code and r.valid_from = s.valid_from
  and (r.name <> s.name or r.level <> s.level or r.parent is distinct from s.parent
       or r.valid_to is distinct from coalesce(s.valid_to, r.valid_to)
       or r.successor is distinct from coalesce(s.successor, r.successor))
  and ($1::text[] is null or r.source = any($1))
"""

_IN_FORCE_BEFORE = """
    r.code = s.code and r.valid_from < s.valid_from and (r.valid_to is null or r.valid_to > s.valid_from)
    and not exists (
        select from directory.region same where same.code = s.code and same.valid_from = s.valid_from
    )
"""

# What is said first about a stored name from within its time; later words then meet it already ended.
_FIRST_WORD = f"""
    select distinct on (r.code, r.valid_from) s.*, r.valid_from as stored_from
    from pg_temp.region_staging s join directory.region r on {_IN_FORCE_BEFORE}
    order by r.code, r.valid_from, s.valid_from
"""

# A later list with the same name says nothing new, unless it knows an end or a successor.
_END_AS_TOLD = f"""
update directory.region r
set valid_to = coalesce(s.valid_to, r.valid_to), successor = coalesce(s.successor, r.successor)
from ({_FIRST_WORD}) s
where r.code = s.code and r.valid_from = s.stored_from and r.name = s.name
  and (r.valid_to is distinct from coalesce(s.valid_to, r.valid_to)
       or r.successor is distinct from coalesce(s.successor, r.successor))
  and ($1::text[] is null or r.source = any($1))
"""

_END_BEFORE_RENAMING = f"""
update directory.region r set valid_to = s.valid_from
from ({_FIRST_WORD}) s
where r.code = s.code and r.valid_from = s.stored_from and r.name <> s.name
  and ($1::text[] is null or r.source = any($1))
"""

_INSERT = f"""
insert into directory.region (code, name, level, parent, valid_from, valid_to, successor, source)
select code, name, level, parent, valid_from, valid_to, successor, source
from pg_temp.region_staging s
where not exists (select from directory.region r where {_IN_FORCE_BEFORE})
  and not exists (select from directory.region r where r.code = s.code and r.valid_from = s.valid_from)
order by code, valid_from
"""
