"""Claim due rows under a lease; finish them only while the lease is held."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from shared.errors import Conflict
from shared.vocabulary.identifiers import new_id


class LeaseLost(Conflict):
    """Another worker holds the row now; what this one did must be rolled back."""

    code, title = "lease_lost", "任务已由其他进程接手"


@dataclass(frozen=True, slots=True)
class Queue:
    """A table whose rows are claimed: its name, its key columns, and what else must hold of a due row."""

    table: str
    key: tuple[str, ...]
    where: str = "true"

    def matches(self, first: int) -> str:
        """SQL that the key columns equal the binds $first, $first + 1, ..."""
        return " AND ".join(f"{name} = ${first + i}" for i, name in enumerate(self.key))


async def claim(
    connection: asyncpg.Connection,
    queue: Queue,
    *,
    now: datetime,
    limit: int,
    lease: timedelta,
    returning: str = "*",
    extra: str = "true",
    args: Sequence[Any] = (),
) -> list[asyncpg.Record]:
    """Take up to `limit` rows due at `now`, most urgent first; they share a fresh fencing token.

    Rows another worker is taking are skipped. A row whose lease ran out is due again. The lease runs on the
    database's clock, so machines that disagree about the time still agree about leases. `extra` may use $5 and on.
    """
    keys = ", ".join(queue.key)
    same = " AND ".join(f"q.{name} = c.{name}" for name in queue.key)
    return await connection.fetch(
        f"""
        WITH c AS MATERIALIZED (
            SELECT {keys} FROM {queue.table}
            WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until < clock_timestamp())
              AND {queue.where} AND {extra}
            ORDER BY priority, due_at LIMIT $2 FOR UPDATE SKIP LOCKED
        ), taken AS (
            UPDATE {queue.table} q
            SET lease_until = clock_timestamp() + $3, lease_token = $4, attempts = q.attempts + 1
            FROM c WHERE {same} RETURNING q.*
        )
        SELECT {returning} FROM taken ORDER BY priority, due_at
        """,
        now,
        limit,
        lease,
        new_id(),
        *args,
    )


async def finish(
    connection: asyncpg.Connection,
    queue: Queue,
    key: Sequence[Any],
    token: UUID,
    *,
    set_sql: str = "due_at = NULL, attempts = 0",
    args: Sequence[Any] = (),
) -> None:
    """End the work on a row and release it; `set_sql` may use $1.. for `args`. Raises LeaseLost."""
    first = len(args) + 1
    status = await connection.execute(
        f"UPDATE {queue.table} SET {set_sql}, lease_until = NULL, lease_token = NULL "
        f"WHERE {queue.matches(first)} AND lease_token = ${first + len(queue.key)}",
        *args,
        *key,
        token,
    )
    if status == "UPDATE 0":
        raise LeaseLost


async def postpone(
    connection: asyncpg.Connection, queue: Queue, key: Sequence[Any], token: UUID, until: datetime
) -> None:
    """Give a row back, due again at `until`. Raises LeaseLost."""
    await finish(connection, queue, key, token, set_sql="due_at = $1", args=(until,))


async def extend(
    connection: asyncpg.Connection, queue: Queue, key: Sequence[Any], token: UUID, lease: timedelta
) -> None:
    """Hold a row for another `lease`. Raises LeaseLost."""
    status = await connection.execute(
        f"UPDATE {queue.table} SET lease_until = clock_timestamp() + $1 "
        f"WHERE {queue.matches(2)} AND lease_token = ${2 + len(queue.key)}",
        lease,
        *key,
        token,
    )
    if status == "UPDATE 0":
        raise LeaseLost
