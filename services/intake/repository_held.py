"""SQL of rows held for review: the worker keeps and records them, a person decides about them inside his scope."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

VIEW = "feed_id, line, held_at, decision, reason, decided_by, decided_at, recorded_at, overtaken_by"
RELEASED_BEFORE = "rule:released_before"


class HeldRow(NamedTuple):
    """A row that waits: its natural key, its digest, and what it says, sealed."""

    line: int
    record: str
    digest: bytes
    sealed: bytes


def content_place(feed_id: UUID, line: int) -> tuple[str, str, str]:
    """Table, column and row that the content of a held row is sealed for."""
    return "feed_row_held", "sealed_content", f"{feed_id}/{line}"


async def add(connection: asyncpg.Connection, feed_id: UUID, rows: Sequence[HeldRow], now: datetime) -> None:
    if rows:
        await connection.execute(
            """
            INSERT INTO feed_row_held (feed_id, line, record, digest, sealed_content, held_at)
            SELECT $1, line, record, digest, sealed, $2
            FROM unnest($3::bigint[], $4::text[], $5::bytea[], $6::bytea[]) AS h (line, record, digest, sealed)
            """,
            feed_id,
            now,
            *map(list, zip(*rows, strict=True)),
        )


async def drop(connection: asyncpg.Connection, feed_id: UUID) -> None:
    """Forget the held rows of a feed that came to nothing."""
    await connection.execute("DELETE FROM feed_row_held WHERE feed_id = $1", feed_id)


async def settle_known(connection: asyncpg.Connection, feed: asyncpg.Record) -> int:
    """Settle the held rows that say what is recorded already, since a person released it before; how many."""
    status = await connection.execute(
        """
        UPDATE feed_row_held h SET decision = 'release', decided_by = $5, decided_at = h.held_at,
            recorded_at = h.held_at, sealed_content = NULL
        FROM feed_record r WHERE h.feed_id = $1 AND (r.layout, r.division, r.department) = ($2, $3, $4)
          AND r.record = h.record AND r.digest = h.digest AND r.ended_on IS NULL
        """,
        feed["feed_id"],
        feed["layout"],
        feed["division"],
        feed["department"],
        RELEASED_BEFORE,
    )
    return int(status.rsplit(" ", 1)[1])


async def overtake(connection: asyncpg.Connection, feed: asyncpg.Record) -> None:
    """What a feed says of a record is newer than what is held of it: of earlier files, or beside it in its own."""
    await connection.execute(
        """
        UPDATE feed_row_held h SET overtaken_by = $1, sealed_content = NULL
        FROM feed f WHERE f.feed_id = h.feed_id AND f.feed_id <= $1
          AND (f.layout, f.division, f.department) = ($2, $3, $4)
          AND h.recorded_at IS NULL AND h.overtaken_by IS NULL AND h.decision IS DISTINCT FROM 'refuse'
          AND (EXISTS (SELECT FROM feed_row_staged s WHERE s.feed_id = $1 AND s.record = h.record)
            OR f.feed_id < $1
              AND EXISTS (SELECT FROM feed_row_held n WHERE n.feed_id = $1 AND n.record = h.record))
        """,
        feed["feed_id"],
        feed["layout"],
        feed["division"],
        feed["department"],
    )


_RELEASED = """
FROM feed_row_held h JOIN feed f USING (feed_id)
WHERE h.decision = 'release' AND h.recorded_at IS NULL AND h.overtaken_by IS NULL
  AND h.sealed_content IS NOT NULL AND f.status = 'recorded'
"""


async def any_released(connection: asyncpg.Connection) -> bool:
    """Whether a released row is not recorded yet."""
    return bool(await connection.fetchval(f"SELECT EXISTS (SELECT {_RELEASED})"))


async def next_released(connection: asyncpg.Connection, limit: int) -> list[asyncpg.Record]:
    """Released rows that are not recorded yet, kept from other workers until the transaction ends."""
    return await connection.fetch(
        f"""
        SELECT h.feed_id, h.line, h.record, h.digest, h.sealed_content {_RELEASED}
        ORDER BY h.decided_at, h.feed_id, h.line LIMIT $1 FOR UPDATE OF h SKIP LOCKED
        """,
        limit,
    )


async def put_record(
    connection: asyncpg.Connection, feed: asyncpg.Record, row: asyncpg.Record, now: datetime
) -> str | None:
    """Remember the record as the row has it: whether it was added or changed, or None if it stands so already."""
    was: str | None = await connection.fetchval(
        """
        WITH before AS (
            SELECT digest, ended_on FROM feed_record
            WHERE (layout, division, department, record) = ($1, $2, $3, $4) FOR UPDATE
        ), put AS (
            INSERT INTO feed_record AS r (layout, division, department, record, digest, feed_id, changed_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (layout, division, department, record) DO UPDATE
            SET digest = excluded.digest, feed_id = excluded.feed_id, ended_on = NULL,
                changed_at = excluded.changed_at
            WHERE r.digest <> excluded.digest OR r.ended_on IS NOT NULL
            RETURNING 1
        )
        SELECT CASE WHEN EXISTS (SELECT FROM before) THEN 'changed' ELSE 'added' END FROM put
        """,
        feed["layout"],
        feed["division"],
        feed["department"],
        row["record"],
        row["digest"],
        feed["feed_id"],
        now,
    )
    return was


async def note_recorded(
    connection: asyncpg.Connection, feed_id: UUID, line: int, now: datetime, *, added: int, changed: int
) -> None:
    """The row is recorded; its feed has one record more. What it says is said, and no longer kept."""
    await connection.execute(
        "UPDATE feed_row_held SET recorded_at = $3, sealed_content = NULL WHERE (feed_id, line) = ($1, $2)",
        feed_id,
        line,
        now,
    )
    await connection.execute(
        "UPDATE feed SET records = records + $2 + $3, records_done = records_done + $2 + $3, added = added + $2,"
        " changed = changed + $3 WHERE feed_id = $1",
        feed_id,
        added,
        changed,
    )


async def rows_of(connection: asyncpg.Connection, feed_id: UUID, *, after: int, limit: int) -> list[asyncpg.Record]:
    """Held rows of a feed by line, from behind `after`."""
    return await connection.fetch(
        f"SELECT {VIEW} FROM feed_row_held WHERE feed_id = $1 AND line > $2 ORDER BY line LIMIT $3",
        feed_id,
        after,
        limit,
    )


async def row_at(connection: asyncpg.Connection, feed_id: UUID, line: int) -> asyncpg.Record | None:
    return await connection.fetchrow(
        f"SELECT {VIEW} FROM feed_row_held WHERE (feed_id, line) = ($1, $2)", feed_id, line
    )


async def decide(
    connection: asyncpg.Connection, feed_id: UUID, line: int, decision: str, reason: str, by: str, now: datetime
) -> bool:
    """Write the decision down; False if there is one already, or a newer file says something of the record."""
    status = await connection.execute(
        """
        UPDATE feed_row_held SET decision = $3, reason = $4, decided_by = $5, decided_at = $6
        WHERE (feed_id, line) = ($1, $2) AND decision IS NULL AND overtaken_by IS NULL
        """,
        feed_id,
        line,
        decision,
        reason,
        by,
        now,
    )
    return bool(status == "UPDATE 1")
