"""SQL of ingestion, under the worker's role: sets of rows, never one statement a row."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.intake.domain.feed_layout import FeedLayout, Kind
from services.intake.domain.row_error import RowError
from shared.queue.claim import Queue, claim

# Files of one data set are taken in the order of their arrival, whichever worker is free.
FEEDS = Queue(
    "feed",
    ("feed_id",),
    where="NOT EXISTS (SELECT FROM feed o WHERE (o.layout, o.division, o.department) = (feed.layout, feed.division,"
    " feed.department) AND o.feed_id < feed.feed_id AND o.status IN ('received', 'reading', 'recording'))",
)

# A record's digest is that of its distinct rows, whatever their order.
_DIGEST = "substring(sha256(string_agg(DISTINCT digest, ''::bytea ORDER BY digest)) FOR 16)"
_SAME_SET = "(r.layout, r.division, r.department) = (f.layout, f.division, f.department)"


async def claim_feed(connection: asyncpg.Connection, now: datetime, lease: timedelta) -> asyncpg.Record | None:
    """Take the most urgent feed that is due and whose elders are done."""
    claimed = await claim(connection, FEEDS, now=now, limit=1, lease=lease)
    return claimed[0] if claimed else None


async def load_feed(connection: asyncpg.Connection, feed_id: UUID) -> asyncpg.Record:
    """The feed as it is now."""
    row = await connection.fetchrow("SELECT * FROM feed WHERE feed_id = $1", feed_id)
    assert row is not None
    return row


async def set_recording(connection: asyncpg.Connection, feed_id: UUID) -> None:
    await connection.execute("UPDATE feed SET status = 'recording' WHERE feed_id = $1", feed_id)


async def load_chunk(connection: asyncpg.Connection, feed_id: UUID, seq: int) -> bytes:
    """A sealed piece of the raw file."""
    sealed: bytes = await connection.fetchval(
        "SELECT sealed FROM feed_chunk WHERE feed_id = $1 AND seq = $2", feed_id, seq
    )
    return sealed


async def staged_rows(connection: asyncpg.Connection, feed_id: UUID) -> int:
    """How many rows of the feed are staged; fewer than the feed remembers after the server itself crashed."""
    return int(await connection.fetchval("SELECT count(*) FROM feed_row_staged WHERE feed_id = $1", feed_id))


async def begin_again(connection: asyncpg.Connection, feed_id: UUID) -> None:
    """Forget all that was read of a feed."""
    await drop_staged(connection, feed_id)
    await connection.execute("DELETE FROM feed_row_error WHERE feed_id = $1", feed_id)
    await connection.execute(
        """
        UPDATE feed SET status = 'received', bytes_done = 0, read = 0, staged = 0, accepted = 0, rejected = 0,
            duplicates = 0, records = 0, report = '{}', newest_on = NULL
        WHERE feed_id = $1
        """,
        feed_id,
    )


async def expect_many(connection: asyncpg.Connection) -> None:
    """Until the end of the transaction, plan for many staged rows.

    They come and go, so what the planner knows of the table is of another file or of none: it would compare each row
    with each, and sort for every batch all that are left.
    """
    await connection.execute("SET LOCAL enable_nestloop = off; SET LOCAL enable_bitmapscan = off")


async def stage(connection: asyncpg.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """COPY good rows: (feed_id, record, line, digest, is_head, content, sealed_number)."""
    columns = ["feed_id", "record", "line", "digest", "is_head", "content", "sealed_number"]
    await connection.copy_records_to_table("feed_row_staged", records=rows, columns=columns)


async def add_errors(
    connection: asyncpg.Connection, feed_id: UUID, errors: Iterable[tuple[RowError, str | None]]
) -> None:
    """Store row errors, each with the natural key of its row if that was readable."""
    rows = [(e.line, e.column, e.code, e.level, e.reason, e.expected, e.example, e.echo, key) for e, key in errors]
    if rows:
        await connection.execute(
            """
            INSERT INTO feed_row_error (feed_id, line, header, code, level, reason, expected, example, echo, record)
            SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::text[], $9::text[], $10::text[])
            """,
            feed_id,
            *map(list, zip(*rows, strict=True)),
        )


async def note_progress(
    connection: asyncpg.Connection,
    feed_id: UUID,
    *,
    bytes_done: int,
    read: int,
    staged: int,
    report: dict[str, Any],
    newest_on: date | None,
    now: datetime,
) -> None:
    """Remember how far the reading got; the checkpoint from which it goes on."""
    await connection.execute(
        """
        UPDATE feed SET status = 'reading', bytes_done = $2, read = read + $3, staged = staged + $4,
            accepted = accepted + $4, rejected = rejected + $3 - $4, report = $5,
            newest_on = greatest(newest_on, $6), started_at = coalesce(started_at, $7)
        WHERE feed_id = $1
        """,
        feed_id,
        bytes_done,
        read,
        staged,
        report,
        newest_on,
        now,
    )


def _rejecting(bad: str, and_same: str = "") -> str:
    """Moves the staged rows of the records that `bad` (record, lines, ...) finds to the row errors."""
    return f"""
    WITH bad AS MATERIALIZED ({bad}), gone AS (
        DELETE FROM feed_row_staged s USING bad WHERE s.feed_id = $1 AND s.record = bad.record {and_same}
        RETURNING s.line, s.record, bad.lines
    )
    INSERT INTO feed_row_error (feed_id, line, header, code, level, reason, expected, record)
    SELECT $1, line, $2, $3, 'error', replace($4, '%', lines), $5, record FROM gone
    """


_LINES = "string_agg(line::text, '、' ORDER BY line)"
_PERSON = "content::json->'member'->>'index'"

CONFLICTING_ROWS = _rejecting(f"""
    SELECT record, {_LINES} AS lines FROM feed_row_staged
    WHERE feed_id = $1 GROUP BY record HAVING count(DISTINCT digest) > 1
""")
CONFLICTING_MEMBERS = _rejecting(
    f"""
    SELECT record, {_PERSON} AS person, {_LINES} AS lines FROM feed_row_staged
    WHERE feed_id = $1 GROUP BY record, person HAVING count(DISTINCT digest) > 1
    """,
    f"AND s.{_PERSON} = bad.person",
)
TWO_HEADS = _rejecting(f"""
    SELECT record, {_LINES} FILTER (WHERE is_head) AS lines FROM feed_row_staged
    WHERE feed_id = $1 GROUP BY record HAVING count(DISTINCT digest) FILTER (WHERE is_head) > 1
""")
NO_HEAD = _rejecting("""
    SELECT s.record, coalesce((
        SELECT string_agg(DISTINCT e.line::text, '、') FROM feed_row_error e
        WHERE e.feed_id = $1 AND e.record = s.record AND e.level = 'error'
    ), '无') AS lines
    FROM feed_row_staged s WHERE s.feed_id = $1 GROUP BY s.record HAVING NOT bool_or(s.is_head)
""")


async def reject_rows(
    connection: asyncpg.Connection, feed_id: UUID, sql: str, *, header: str, code: str, reason: str, expected: str
) -> None:
    """Turn the staged rows that one of the checks above finds into row errors; % in `reason` becomes their lines."""
    await connection.execute(sql, feed_id, header, code, reason, expected)


async def count_staged(connection: asyncpg.Connection, feed_id: UUID) -> asyncpg.Record:
    """Rows, rows that repeat another, and records that are staged."""
    row = await connection.fetchrow(
        """
        SELECT coalesce(sum(rows), 0)::bigint AS rows, coalesce(sum(rows - versions), 0)::bigint AS duplicates,
               count(*) AS records
        FROM (
            SELECT count(*) AS rows, count(DISTINCT digest) AS versions FROM feed_row_staged
            WHERE feed_id = $1 GROUP BY record
        ) per_record
        """,
        feed_id,
    )
    assert row is not None
    return row


async def set_counts(
    connection: asyncpg.Connection, feed_id: UUID, *, accepted: int, rejected: int, duplicates: int, records: int
) -> None:
    await connection.execute(
        "UPDATE feed SET accepted = $2, rejected = $3, duplicates = $4, records = $5, staged = $2 WHERE feed_id = $1",
        feed_id,
        accepted,
        rejected,
        duplicates,
        records,
    )


async def compare(connection: asyncpg.Connection, feed_id: UUID) -> asyncpg.Record:
    """What recording the staged rows would do: records added, changed, unchanged, unlisted of those live."""
    row = await connection.fetchrow(
        f"""
        WITH f AS (SELECT * FROM feed WHERE feed_id = $1),
        staged AS (SELECT record, {_DIGEST} AS digest FROM feed_row_staged WHERE feed_id = $1 GROUP BY record),
        known AS (SELECT r.record, r.digest, r.ended_on FROM feed_record r, f WHERE {_SAME_SET})
        SELECT count(*) FILTER (WHERE k.record IS NULL) AS added,
               count(*) FILTER (WHERE s.digest = k.digest AND k.ended_on IS NULL) AS unchanged,
               count(*) FILTER (WHERE s.digest <> k.digest OR k.ended_on IS NOT NULL AND s.digest = k.digest)
                   AS changed,
               count(*) FILTER (WHERE s.record IS NULL AND k.ended_on IS NULL) AS unlisted,
               count(*) FILTER (WHERE k.record IS NOT NULL AND k.ended_on IS NULL) AS live
        FROM staged s FULL JOIN known k USING (record)
        """,
        feed_id,
    )
    assert row is not None
    return row


async def set_comparison(
    connection: asyncpg.Connection, feed_id: UUID, *, added: int, changed: int, unchanged: int, ended: int
) -> None:
    """What a dry run found."""
    await connection.execute(
        "UPDATE feed SET added = $2, changed = $3, unchanged = $4, ended = $5 WHERE feed_id = $1",
        feed_id,
        added,
        changed,
        unchanged,
        ended,
    )


async def newer_snapshot_on(connection: asyncpg.Connection, feed_id: UUID) -> date | None:
    """The day of the newest snapshot recorded of the same data set, if that is later than this feed's."""
    day: date | None = await connection.fetchval(
        """
        SELECT max(n.snapshot_on) FROM feed f JOIN feed n USING (layout, division, department)
        WHERE f.feed_id = $1 AND n.status = 'recorded' AND n.snapshot_on > f.snapshot_on
        """,
        feed_id,
    )
    return day


async def merge_batch(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, after: str, limit: int, now: datetime
) -> list[asyncpg.Record]:
    """Compare the next `limit` records behind `after` with what is known, and remember them.

    Answers every record of the batch in order: its key and what it was (`added`, `changed`, or null: unchanged).
    """
    return await connection.fetch(
        f"""
        WITH batch AS MATERIALIZED (
            SELECT record, {_DIGEST} AS digest, min(content) AS content FROM feed_row_staged
            WHERE feed_id = $1 AND record > $2 GROUP BY record ORDER BY record LIMIT $3
        ), merged AS (
            INSERT INTO feed_record AS r (layout, division, department, record, digest, feed_id, ending, changed_at)
            SELECT $4, $5, $6, record, digest, $1, {_ENDING}, $7 FROM batch ORDER BY record
            ON CONFLICT (layout, division, department, record) DO UPDATE
            SET digest = excluded.digest, feed_id = excluded.feed_id, ending = excluded.ending, ended_on = NULL,
                changed_at = excluded.changed_at
            WHERE r.digest <> excluded.digest OR r.ended_on IS NOT NULL
            RETURNING record, CASE WHEN xmax = 0 THEN 'added' ELSE 'changed' END AS was
        )
        SELECT batch.record, merged.was FROM batch LEFT JOIN merged USING (record) ORDER BY batch.record
        """,
        feed["feed_id"],
        after,
        limit,
        feed["layout"],
        feed["division"],
        feed["department"],
        now,
        _ending_kinds(layout),
    )


_ENDING = """
CASE WHEN cardinality($8::text[]) = 0 THEN NULL ELSE (
    SELECT jsonb_agg(o - 'person_name') FROM jsonb_array_elements(content::jsonb->'observations') o
    WHERE o->>'kind' = ANY ($8)
) END"""


def _ending_kinds(layout: FeedLayout) -> list[str]:
    return [fact.kind for fact in layout.facts if fact.ends] if layout.kind is Kind.SNAPSHOT else []


async def contents(connection: asyncpg.Connection, feed_id: UUID, records: Sequence[str]) -> list[asyncpg.Record]:
    """The distinct rows of these records, by record and line."""
    return await connection.fetch(
        """
        SELECT record, line, content, sealed_number FROM (
            SELECT DISTINCT ON (record, digest) record, digest, line, content, sealed_number FROM feed_row_staged
            WHERE feed_id = $1 AND record = ANY ($2) ORDER BY record, digest, line
        ) rows ORDER BY record, line
        """,
        feed_id,
        list(records),
    )


async def note_merge(
    connection: asyncpg.Connection, feed_id: UUID, *, last: str, added: int, changed: int, unchanged: int
) -> None:
    """Remember how far the recording got."""
    await connection.execute(
        """
        UPDATE feed SET merged_after = $2, added = added + $3, changed = changed + $4, unchanged = unchanged + $5,
            records_done = records_done + $3 + $4 + $5
        WHERE feed_id = $1
        """,
        feed_id,
        last,
        added,
        changed,
        unchanged,
    )


async def end_unlisted(
    connection: asyncpg.Connection, feed: asyncpg.Record, limit: int, now: datetime
) -> list[asyncpg.Record]:
    """End up to `limit` live records of the same data set that the snapshot does not list; what they held."""
    return await connection.fetch(
        """
        WITH gone AS (
            SELECT r.record FROM feed_record r
            WHERE r.layout = $2 AND r.division = $3 AND r.department = $4 AND r.ended_on IS NULL
              AND NOT EXISTS (SELECT FROM feed_row_staged s WHERE s.feed_id = $1 AND s.record = r.record)
            ORDER BY r.record LIMIT $6
        ), ended AS (
            UPDATE feed_record r SET ended_on = $5, feed_id = $1, changed_at = $7 FROM gone
            WHERE r.layout = $2 AND r.division = $3 AND r.department = $4 AND r.record = gone.record
            RETURNING r.record, r.ending
        ), counted AS (
            UPDATE feed SET ended = ended + (SELECT count(*) FROM ended) WHERE feed_id = $1
        )
        SELECT record, ending FROM ended ORDER BY record
        """,
        feed["feed_id"],
        feed["layout"],
        feed["division"],
        feed["department"],
        feed["snapshot_on"],
        limit,
        now,
    )


async def drop_staged(connection: asyncpg.Connection, feed_id: UUID) -> None:
    await connection.execute("DELETE FROM feed_row_staged WHERE feed_id = $1", feed_id)


async def destroy_raw(connection: asyncpg.Connection, feed_ids: Sequence[UUID], now: datetime) -> None:
    """Destroy the raw files and their keys; what backups still hold of the files is unreadable without the keys."""
    await connection.execute("DELETE FROM feed_chunk WHERE feed_id = ANY ($1)", feed_ids)
    await connection.execute(
        "UPDATE feed SET sealed_key = NULL, raw_destroyed_at = $2 WHERE feed_id = ANY ($1)", feed_ids, now
    )


async def add_report(connection: asyncpg.Connection, feed_id: UUID, part: dict[str, Any]) -> None:
    """Add to the feed's report."""
    await connection.execute("UPDATE feed SET report = report || $2 WHERE feed_id = $1", feed_id, part)


async def add_monitoring_counts(connection: asyncpg.Connection, feed_id: UUID, matched: int, unmatched: int) -> None:
    """What one message of a feed did in monitoring."""
    await connection.execute(
        "UPDATE feed SET matched = matched + $2, unmatched = unmatched + $3 WHERE feed_id = $1",
        feed_id,
        matched,
        unmatched,
    )
