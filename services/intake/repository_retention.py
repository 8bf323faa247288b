"""SQL of retention, under the worker's role: each layout's own time, in one statement for all layouts."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.intake.domain.feed_layout import FeedLayout, Kind

_LAYOUTS = "unnest($1::text[], $2::int[], $3::bool[]) AS l (name, kept, snapshot)"


async def raw_over(
    connection: asyncpg.Connection, layouts: Iterable[FeedLayout], now: datetime, limit: int
) -> list[asyncpg.Record]:
    """Feeds at an end, or waiting, whose raw file was received longer ago than its layout keeps it."""
    return await connection.fetch(
        f"""
        SELECT f.feed_id, f.status = 'waiting_confirmation' AS waits FROM feed f JOIN {_LAYOUTS} ON l.name = f.layout
        WHERE f.sealed_key IS NOT NULL AND f.status NOT IN ('received', 'reading', 'recording')
          AND f.received_at < $4::timestamptz - make_interval(days => l.kept)
        ORDER BY f.feed_id LIMIT $5 FOR UPDATE OF f SKIP LOCKED
        """,
        *_columns((layout, layout.raw_retention_days) for layout in layouts),
        now,
        limit,
    )


async def refuse_unconfirmed(connection: asyncpg.Connection, feed_id: UUID, now: datetime) -> None:
    """End a feed that nobody confirmed while its raw file was kept."""
    problem = {"code": "confirmation_expired", "detail": "等待确认超过原始文件保存期限，已作废；请重新报送"}
    await connection.execute(
        "UPDATE feed SET status = 'rejected', problem = $2, finished_at = $3, due_at = NULL WHERE feed_id = $1",
        feed_id,
        problem,
        now,
    )


async def drop_row_errors(
    connection: asyncpg.Connection, layouts: Iterable[FeedLayout], now: datetime, limit: int
) -> int:
    """Remove row errors of feeds older than their layout keeps rows; how many."""
    return await _removed(
        connection,
        f"""
        DELETE FROM feed_row_error WHERE error_id IN (
            SELECT e.error_id FROM feed f JOIN {_LAYOUTS} ON l.name = f.layout JOIN feed_row_error e USING (feed_id)
            WHERE f.received_at < $4::timestamptz - make_interval(months => l.kept) LIMIT $5)
        """,
        layouts,
        now,
        limit,
    )


async def drop_held(connection: asyncpg.Connection, layouts: Iterable[FeedLayout], now: datetime, limit: int) -> int:
    """Remove held rows, decided or not, of feeds older than their layout keeps rows; how many."""
    return await _removed(
        connection,
        f"""
        DELETE FROM feed_row_held h USING (
            SELECT o.feed_id, o.line
            FROM feed f JOIN {_LAYOUTS} ON l.name = f.layout JOIN feed_row_held o USING (feed_id)
            WHERE f.received_at < $4::timestamptz - make_interval(months => l.kept) LIMIT $5
        ) over WHERE (h.feed_id, h.line) = (over.feed_id, over.line)
        """,
        layouts,
        now,
        limit,
    )


async def drop_records(
    connection: asyncpg.Connection, layouts: Iterable[FeedLayout], now: datetime, limit: int
) -> int:
    """Forget records unchanged for longer than their layout keeps rows; of a snapshot only what has ended."""
    return await _removed(
        connection,
        f"""
        DELETE FROM feed_record r USING (
            SELECT o.layout, o.division, o.department, o.record
            FROM feed_record o JOIN {_LAYOUTS} ON l.name = o.layout
            WHERE o.changed_at < $4::timestamptz - make_interval(months => l.kept)
              AND (NOT l.snapshot OR o.ended_on IS NOT NULL) LIMIT $5
        ) over
        WHERE (r.layout, r.division, r.department, r.record)
            = (over.layout, over.division, over.department, over.record)
        """,
        layouts,
        now,
        limit,
    )


async def _removed(
    connection: asyncpg.Connection, sql: str, layouts: Iterable[FeedLayout], now: datetime, limit: int
) -> int:
    columns = _columns((layout, layout.retention_months) for layout in layouts)
    return int((await connection.execute(sql, *columns, now, limit)).split()[-1])


def _columns(kept: Iterable[tuple[FeedLayout, int]]) -> list[list[Any]]:
    rows = [(layout.name, time, layout.kind is Kind.SNAPSHOT) for layout, time in kept]
    return [list(column) for column in zip(*rows, strict=True)]
