"""The rows a transaction may see: a half-open range of division codes, set inside the transaction only.

Row-level security compares with `nullif(current_setting('app.lo', true), '')`: unset, or left empty by an earlier
transaction of the same connection, shows nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import asyncpg

from shared.vocabulary.division import code_range

# A caller learns in good time that all connections are taken (503), instead of waiting with everybody else.
ACQUIRE_SECONDS = 10

SET_SCOPE = """
SELECT set_config('app.lo', $1, true), set_config('app.hi', $2, true), set_config('app.officer', $3, true)
"""


@asynccontextmanager
async def scoped(
    pool: asyncpg.Pool, division: str, *, officer_no: str | None = None
) -> AsyncIterator[asyncpg.Connection]:
    """One transaction that sees the rows of `division`."""
    lo, hi = code_range(division)
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection, connection.transaction():
        await connection.execute(SET_SCOPE, lo, hi, officer_no or "")
        yield cast(asyncpg.Connection, connection)


@asynccontextmanager
async def transaction(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """One transaction of a worker, whose role has its own policy for all rows."""
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection, connection.transaction():
        yield cast(asyncpg.Connection, connection)
