"""SQL of feeds as callers see them: under row-level security, inside the caller's scope."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from services.intake.domain.feed import Period
from services.intake.domain.feed_layout import FeedLayout
from services.intake.domain.file_options import FileOptions
from services.intake.tables_feeds import SAME_FILE_COUNTS
from shared.vocabulary.division import code_range

VIEW = """
feed_id, client, layout, layout_version, department, division, period, mode, media_type, digest, size_bytes,
unknown, sheet, received_at, status, problem, report, bytes_done, read, accepted, rejected, held, duplicates, records,
records_done, added, changed, unchanged, ended, matched, unmatched, newest_on, started_at, finished_at, confirmed_at,
raw_destroyed_at, unauthorised
"""


# Which file came last before it: the same one after another says how things stand now. What was only checked, or
# refused as a whole, came to nothing.
_FOLLOWS = """
SELECT feed_id FROM feed WHERE (layout, division, department) = ($1, $2, $3) AND (digest, period) <> ($4, $5)
    AND mode <> 'dry_run' AND status NOT IN ('rejected', 'failed') ORDER BY feed_id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A file as received, before anything is read of it; `period_text` as given."""

    feed_id: UUID
    client: str
    department: str
    division: str
    period_text: str
    period: Period
    mode: str
    media_type: str
    options: FileOptions
    digest: bytes
    size_bytes: int
    chunks: int
    received_at: datetime
    sealed_key: bytes
    traceparent: str | None


async def file_before(connection: asyncpg.Connection, new: NewFeed, layout: FeedLayout) -> UUID | None:
    """The newest other file of the same data set: another content, or the same of another period."""
    found: UUID | None = await connection.fetchval(
        _FOLLOWS, layout.name, new.division, new.department, new.digest, new.period_text
    )
    return found


async def add_feed(connection: asyncpg.Connection, new: NewFeed, layout: FeedLayout, follows: UUID | None) -> bool:
    """Store the feed, due at once; False if this very file was the last one received."""
    added = await connection.fetchval(
        f"""
        INSERT INTO feed (feed_id, client, layout, layout_version, department, division, period, snapshot_on,
            valid_from, mode, media_type, digest, size_bytes, chunks, received_at, sealed_key, traceparent,
            unknown, sheet, due_at, follows)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $15, $20)
        ON CONFLICT (client, layout, layout_version, division, period, mode, digest, unknown, sheet, follows)
            WHERE {SAME_FILE_COUNTS}
        DO NOTHING RETURNING true
        """,
        new.feed_id,
        new.client,
        layout.name,
        layout.version,
        new.department,
        new.division,
        new.period_text,
        new.period.last,
        new.period.first,
        new.mode,
        new.media_type,
        new.digest,
        new.size_bytes,
        new.chunks,
        new.received_at,
        new.sealed_key,
        new.traceparent,
        new.options.unknown,
        new.options.sheet,
        follows,
    )
    return bool(added)


async def add_chunks(connection: asyncpg.Connection, feed_id: UUID, pieces: Iterable[tuple[int, bytes]]) -> None:
    """Store the sealed pieces of a raw file."""
    insert = "INSERT INTO feed_chunk (feed_id, seq, sealed) VALUES ($1, $2, $3)"
    for seq, sealed in pieces:
        await connection.execute(insert, feed_id, seq, sealed)


async def same_feed(
    connection: asyncpg.Connection, new: NewFeed, layout: FeedLayout, follows: UUID | None
) -> asyncpg.Record | None:
    """The feed this very file made when it was received first after that other file."""
    return await connection.fetchrow(
        "SELECT feed_id FROM feed"
        " WHERE (client, layout, division, period, mode, digest) = ($1, $2, $3, $4, $5, $6)"
        " AND (layout_version, unknown, sheet) = ($7, $8, $9) AND follows IS NOT DISTINCT FROM $10"
        f" AND {SAME_FILE_COUNTS}",
        new.client,
        layout.name,
        new.division,
        new.period_text,
        new.mode,
        new.digest,
        layout.version,
        new.options.unknown,
        new.options.sheet,
        follows,
    )


async def try_again(connection: asyncpg.Connection, feed_id: UUID, now: datetime) -> None:
    """Make a feed due again that was given up, or refused for its old template before a replay could read that."""
    await connection.execute(
        "UPDATE feed SET status = 'received', problem = NULL, due_at = $2, attempts = 0, finished_at = NULL"
        " WHERE feed_id = $1 AND (status = 'failed'"
        " OR (problem->>'code' = 'template_outdated' AND raw_destroyed_at IS NULL))",
        feed_id,
        now,
    )


async def feed_by_id(connection: asyncpg.Connection, feed_id: UUID, department: str | None) -> asyncpg.Record | None:
    """The feed, if it is in range and of that department (null: any)."""
    return await connection.fetchrow(
        f"SELECT {VIEW} FROM feed WHERE feed_id = $1 AND ($2::text IS NULL OR department = $2)", feed_id, department
    )


async def list_feeds(
    connection: asyncpg.Connection,
    *,
    department: str | None,
    layout: str | None,
    status: str | None,
    before: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Feeds in range, newest first, from `before` on."""
    return await connection.fetch(
        f"""
        SELECT {VIEW} FROM feed
        WHERE ($1::text IS NULL OR department = $1) AND ($2::text IS NULL OR layout = $2)
          AND ($3::text IS NULL OR status = $3) AND ($4::uuid IS NULL OR feed_id < $4)
        ORDER BY feed_id DESC LIMIT $5
        """,
        department,
        layout,
        status,
        before,
        limit,
    )


async def row_errors(
    connection: asyncpg.Connection, feed_id: UUID, *, after: tuple[int, int], limit: int
) -> list[asyncpg.Record]:
    """Row errors of a feed by line, from behind (line, error_id) `after`."""
    return await connection.fetch(
        """
        SELECT error_id, line, header, code, level, reason, expected, example, echo FROM feed_row_error
        WHERE feed_id = $1 AND (line, error_id) > ($2, $3) ORDER BY line, error_id LIMIT $4
        """,
        feed_id,
        *after,
        limit,
    )


async def count_errors(connection: asyncpg.Connection, feed_id: UUID) -> int:
    """How many errors and warnings the rows of a feed have."""
    return int(await connection.fetchval("SELECT count(*) FROM feed_row_error WHERE feed_id = $1", feed_id))


async def newer_recorded(connection: asyncpg.Connection, feed_id: UUID) -> bool:
    """True if a later file of the same data set has been recorded since."""
    return bool(
        await connection.fetchval(
            """
            SELECT EXISTS (
                SELECT FROM feed f JOIN feed n USING (layout, division, department)
                WHERE f.feed_id = $1 AND n.feed_id > f.feed_id AND n.status IN ('recorded', 'recording')
            )
            """,
            feed_id,
        )
    )


async def confirm(connection: asyncpg.Connection, feed_id: UUID, by: str, now: datetime) -> bool:
    """Let a waiting feed go on; False if it does not wait."""
    status = await connection.execute(
        "UPDATE feed SET status = 'recording', confirmed_at = $2, confirmed_by = $3, due_at = $2"
        " WHERE feed_id = $1 AND status = 'waiting_confirmation'",
        feed_id,
        now,
        by,
    )
    return bool(status == "UPDATE 1")


async def newest_recorded(connection: asyncpg.Connection, department: str | None) -> Sequence[asyncpg.Record]:
    """For each data set and division in range: the day its data reaches to, and when it came."""
    return await connection.fetch(
        """
        SELECT layout, division, department, max(newest_on) AS newest_on, max(snapshot_on) AS snapshot_on,
               max(received_at) AS received_at
        FROM feed WHERE status = 'recorded' AND ($1::text IS NULL OR department = $1)
        GROUP BY layout, division, department ORDER BY layout, division, department
        """,
        department,
    )


async def villages_in_force(connection: asyncpg.Connection, county: str, on: date) -> frozenset[str]:
    """The codes of a county's villages on that day, from the directory all services read."""
    rows = await connection.fetch(
        """
        SELECT code FROM directory.region
        WHERE level = 5 AND code >= $1 AND code < $2 AND valid_from <= $3 AND (valid_to IS NULL OR $3 < valid_to)
        """,
        *code_range(county),
        on,
    )
    return frozenset(row["code"] for row in rows)


async def villages_retired(connection: asyncpg.Connection, county: str, on: date) -> dict[str, str]:
    """The villages of a county that are no more on that day, each with the division that took it over."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (code) code, successor FROM directory.region
        WHERE level = 5 AND code >= $1 AND code < $2 AND valid_to <= $3 AND successor IS NOT NULL
        ORDER BY code, valid_to DESC
        """,
        *code_range(county),
        on,
    )
    return {row["code"]: row["successor"] for row in rows}
