"""Look up divisions as they were on a day."""

from collections.abc import Iterable
from datetime import date

import asyncpg

from shared.regions.region import Region

_COLUMNS = "code, name, valid_from, valid_to, successor, source"
_IN_FORCE = "valid_from <= {on} and (valid_to is null or {on} < valid_to)"
# The name in force; of a division that is not, the last it had before, or else the first it got.
_NAME_ORDER = "code, valid_from <= {on} desc, abs(valid_from - {on})"


async def region_on(connection: asyncpg.Connection, code: str, on: date) -> Region | None:
    """The division as it stood on that day, or None if no source vouches for it on that day."""
    row = await connection.fetchrow(
        f"select {_COLUMNS} from directory.region where code = $1 and {_IN_FORCE.format(on='$2::date')}",
        code,
        on,
    )
    return _region(row) if row is not None else None


async def is_valid_on(connection: asyncpg.Connection, code: str, on: date) -> bool:
    """Whether the division was in force on that day."""
    return await region_on(connection, code, on) is not None


async def codes_within(connection: asyncpg.Connection, lo: str, hi: str, on: date) -> list[str]:
    """The codes in force on that day in the half-open range [lo, hi), in order."""
    rows = await connection.fetch(
        f"select code from directory.region where code >= $1 and code < $2 and {_IN_FORCE.format(on='$3::date')}"
        " order by code",
        lo,
        hi,
        on,
    )
    return [row["code"] for row in rows]


async def names_of(connection: asyncpg.Connection, codes: Iterable[str], on: date) -> dict[str, str]:
    """The names of these divisions; a code no list has ever held is missing.

    For display: a division not in force on that day keeps the name nearest to it.
    """
    rows = await connection.fetch(
        "select distinct on (code) code, name from directory.region where code = any($1::text[])"
        f" order by {_NAME_ORDER.format(on='$2::date')}",
        list(codes),
        on,
    )
    return {row["code"]: row["name"] for row in rows}


def _region(row: asyncpg.Record) -> Region:
    return Region(**dict(row))
