"""SQL of ingestion, under the worker's role: sets of rows, never one statement a row."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from services.intake.domain.feed_layout import FeedLayout, Kind
from services.intake.domain.row_error import RowError
from services.intake.pack_rows import BEGIN, END, STAGED, TEXTS
from shared.queue.claim import Queue, claim


class Place(NamedTuple):
    """Where a staged row that is a record stands; they are recorded in this order."""

    shelf: int
    line: int


# Files of one data set are taken in the order of their arrival, whichever worker is free.
FEEDS = Queue(
    "feed",
    ("feed_id",),
    where="NOT EXISTS (SELECT FROM feed o WHERE (o.layout, o.division, o.department) = (feed.layout, feed.division,"
    " feed.department) AND o.feed_id < feed.feed_id AND o.status IN ('received', 'reading', 'recording'))",
)

# A household's digest is that of its distinct rows, whatever their order.
_DIGEST = "substring(sha256(string_agg(DISTINCT digest, ''::bytea ORDER BY digest)) FOR 16)"


async def claim_feed(connection: asyncpg.Connection, now: datetime, lease: timedelta) -> asyncpg.Record | None:
    """Take the most urgent feed that is due and whose elders are done."""
    claimed = await claim(connection, FEEDS, now=now, limit=1, lease=lease)
    return claimed[0] if claimed else None


async def another_waits(connection: asyncpg.Connection, feed_id: UUID, now: datetime) -> bool:
    """Whether another feed is due."""
    waits: bool = await connection.fetchval(
        f"""
        SELECT EXISTS (
            SELECT FROM feed WHERE due_at <= $2 AND feed_id <> $1
              AND (lease_until IS NULL OR lease_until < clock_timestamp()) AND {FEEDS.where}
        )
        """,
        feed_id,
        now,
    )
    return waits


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
    await connection.execute("DELETE FROM feed_row_held WHERE feed_id = $1", feed_id)
    await connection.execute(
        """
        UPDATE feed SET status = 'received', bytes_done = 0, read = 0, staged = 0, accepted = 0, rejected = 0,
            held = 0, duplicates = 0, records = 0, unauthorised = 0, report = '{}', newest_on = NULL
        WHERE feed_id = $1
        """,
        feed_id,
    )


async def expect_many(connection: asyncpg.Connection) -> None:
    """Until the end of the transaction, plan for many staged rows.

    They come and go, so what the planner knows of the table is of another file or of none: it would compare each row
    with each, and sort for every batch all that are left.
    """
    await connection.execute(
        "SET LOCAL enable_nestloop = off; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on;"
        " SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = off; SET LOCAL work_mem = '64MB'"
    )


async def expect_lookups(connection: asyncpg.Connection) -> None:
    """Until the end of the transaction, look staged records up one by one among all that are known.

    What that costs grows with the file, not with what came before it.
    """
    await connection.execute(
        "SET LOCAL enable_nestloop = on; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
        " SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL work_mem = '64MB'"
    )


async def stage(connection: asyncpg.Connection, packed: Sequence[bytes]) -> None:
    """COPY good rows, packed by `pack_rows`."""
    await _copy(connection, "feed_row_staged", STAGED, packed)


async def stage_texts(connection: asyncpg.Connection, packed: Sequence[bytes]) -> None:
    """COPY what many rows say, packed by `pack_rows`."""
    await _copy(connection, "feed_text_staged", TEXTS, packed)


async def _copy(connection: asyncpg.Connection, table: str, columns: Sequence[str], packed: Sequence[bytes]) -> None:
    async def whole() -> AsyncIterator[bytes]:
        for piece in (BEGIN, *packed, END):
            yield piece

    if packed:
        await connection.copy_to_table(table, source=whole(), columns=columns, format="binary")


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
    held: int,
    report: dict[str, Any],
    newest_on: date | None,
    now: datetime,
) -> None:
    """Remember how far the reading got; the checkpoint from which it goes on."""
    await connection.execute(
        """
        UPDATE feed SET status = 'reading', bytes_done = $2, read = read + $3, staged = staged + $4,
            accepted = accepted + $4, rejected = rejected + $3 - $4 - $8, held = held + $8, report = $5,
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
        held,
    )


async def note_found(
    connection: asyncpg.Connection,
    feed_id: UUID,
    *,
    read: int,
    staged: int,
    held: int,
    report: dict[str, Any],
    newest_on: date | None,
) -> None:
    """Count rows that had waited for the end of the file."""
    await connection.execute(
        """
        UPDATE feed SET read = read + $2, staged = staged + $3, accepted = accepted + $3,
            rejected = rejected + $2 - $3 - $4, held = held + $4, report = report || $5,
            newest_on = greatest(newest_on, $6)
        WHERE feed_id = $1
        """,
        feed_id,
        read,
        staged,
        held,
        report,
        newest_on,
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
    WHERE feed_id = $1 GROUP BY record HAVING count(*) > 1 AND count(DISTINCT digest) > 1
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
) -> int:
    """Turn the staged rows that one of the checks above finds into row errors; % in `reason` becomes their lines.

    Answers how many rows that were.
    """
    return _count(await connection.execute(sql, feed_id, header, code, reason, expected))


def _count(status: str) -> int:
    """How many rows a statement touched, by what the server says of it."""
    return int(status.rsplit(" ", 1)[1])


# Short keys, so that a million rows are counted in memory; two records of one hash are told apart afterwards.
_REPEATED = """
SELECT hashtextextended(record, 0) AS hash FROM feed_row_staged WHERE feed_id = $1 GROUP BY 1 HAVING count(*) > 1
"""


async def any_repeated(connection: asyncpg.Connection, feed_id: UUID) -> bool:
    """Whether two staged rows may be of one record."""
    return bool(await connection.fetchval(f"SELECT EXISTS ({_REPEATED})", feed_id))


async def drop_repeated(connection: asyncpg.Connection, feed_id: UUID) -> int:
    """Leave one staged row of each record, the first; how many went."""
    status = await connection.execute(
        f"""
        WITH repeated AS MATERIALIZED ({_REPEATED})
        DELETE FROM feed_row_staged s USING (
            SELECT record, min(line) AS line FROM feed_row_staged
            WHERE feed_id = $1 AND hashtextextended(record, 0) IN (SELECT hash FROM repeated) GROUP BY record
        ) first
        WHERE s.feed_id = $1 AND s.record = first.record AND s.line > first.line
        """,
        feed_id,
    )
    return _count(status)


async def count_staged(connection: asyncpg.Connection, feed_id: UUID) -> asyncpg.Record:
    """Rows, rows that repeat another, and households that are staged."""
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
    connection: asyncpg.Connection,
    feed_id: UUID,
    *,
    accepted: int,
    rejected: int,
    duplicates: int,
    records: int,
    staged: int,
    unauthorised: int,
) -> None:
    """Rows taken in, refused and discarded, what they make, and how many of them are still staged."""
    await connection.execute(
        """
        UPDATE feed SET accepted = $2, rejected = $3, duplicates = $4, records = $5, staged = $6,
            unauthorised = $7 WHERE feed_id = $1
        """,
        feed_id,
        accepted,
        rejected,
        duplicates,
        records,
        staged,
        unauthorised,
    )


def _records(layout: FeedLayout, range_: str = "") -> str:
    """The staged records of $1: a row each, or each household's rows together."""
    staged = f"FROM feed_row_staged WHERE feed_id = $1 {range_}"
    if layout.household is None:
        return f"SELECT record, digest, content, line, sealed_number {staged}"
    grouped = "AND is_head IS NOT NULL GROUP BY record"
    return f"SELECT record, {_DIGEST} AS digest, min(content) AS content {staged} {grouped}"


_IN_SET = "(layout, division, department) = ($1, $2, $3)"
_OF_SET = "r.layout = $2 AND r.division = $3 AND r.department = $4"


_LOOKUP_COST = 4  # Times reading a record among many others; measured 3.9 and 1.1 us.


_NOTHING = "(SELECT NULL::text AS record, NULL::bytea AS digest, NULL::date AS ended_on WHERE false) r"


def _lookup(staged: str) -> str:
    """What is known as `r` of a staged record; OFFSET 0, lest the planner read the whole set for each batch."""
    known = f"SELECT * FROM feed_record r WHERE {_OF_SET} AND r.record = {staged}.record OFFSET 0"
    return f"LATERAL ({known}) r"


async def compare(
    connection: asyncpg.Connection, feed: asyncpg.Record, layout: FeedLayout, records: int
) -> dict[str, int]:
    """What recording the staged records would do: how many are added, changed, unchanged.

    Of a snapshot also how many records are live, and unlisted of those.
    """
    set_ = (feed["layout"], feed["division"], feed["department"])
    if not await connection.fetchval(f"SELECT EXISTS (SELECT FROM feed_record WHERE {_IN_SET})", *set_):
        return {"added": records, "changed": 0, "unchanged": 0, "unlisted": 0, "live": 0}
    known = await _known(connection, records)
    row = await connection.fetchrow(
        f"""
        WITH staged AS MATERIALIZED (SELECT record, digest FROM ({_records(layout)}) records)
        SELECT count(*) AS known, count(*) FILTER (WHERE r.ended_on IS NULL) AS live,
               count(*) FILTER (WHERE r.ended_on IS NULL AND s.digest = r.digest) AS unchanged
        FROM staged s JOIN {known} ON true
        """,
        feed["feed_id"],
        *set_,
    )
    assert row is not None
    await expect_many(connection)
    live = await _live(connection, set_) if layout.kind is Kind.SNAPSHOT else row["live"]
    return {
        "added": records - row["known"],
        "changed": row["known"] - row["unchanged"],
        "unchanged": row["unchanged"],
        "unlisted": live - row["live"],
        "live": live,
    }


async def _known(connection: asyncpg.Connection, records: int) -> str:
    """What is known as `r` of the staged records `s`: few are looked up one by one, many read together."""
    kept = await connection.fetchval("SELECT reltuples::bigint FROM pg_class WHERE oid = 'feed_record'::regclass")
    if records * _LOOKUP_COST < kept:
        await expect_lookups(connection)
        return _lookup("s")
    await connection.execute("SET LOCAL enable_mergejoin = off")  # It would fetch the rows in the order of an index.
    return f"LATERAL (SELECT * FROM feed_record r WHERE {_OF_SET} AND r.record = s.record) r"


async def _live(connection: asyncpg.Connection, set_: tuple[str, str, str]) -> int:
    sql = f"SELECT count(*) FROM feed_record WHERE {_IN_SET} AND ended_on IS NULL"
    return int(await connection.fetchval(sql, *set_))


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


async def note_known(connection: asyncpg.Connection, feed_id: UUID, records: int) -> None:
    """How many of the staged records are known; of none, nobody has to look for each again."""
    await connection.execute("UPDATE feed SET known = $2 WHERE feed_id = $1", feed_id, records)


async def skip_merging(connection: asyncpg.Connection, feed_id: UUID, records: int) -> None:
    """All staged records are known as they are: there is nothing to record."""
    await connection.execute(
        """
        UPDATE feed SET unchanged = $2, records_done = $2,
            merged_after = (SELECT max(record) FROM feed_row_staged WHERE feed_id = $1 AND is_head IS NOT NULL),
            (merged_shelf, merged_line) = (
                SELECT shelf, line FROM feed_row_staged WHERE feed_id = $1 ORDER BY shelf DESC, line DESC LIMIT 1
            )
        WHERE feed_id = $1
        """,
        feed_id,
        records,
    )


async def next_rows(
    connection: asyncpg.Connection, feed_id: UUID, after: Place, limit: int
) -> tuple[Place | None, int]:
    """The last of the next `limit` staged rows behind `after` that stand on one shelf, and how many they are."""
    row = await connection.fetchrow(
        """
        SELECT shelf, max(line) AS line, count(*) AS records FROM (
            SELECT shelf, line FROM feed_row_staged WHERE feed_id = $1 AND (shelf, line) > ($2, $3)
            ORDER BY shelf, line LIMIT $4
        ) next
        GROUP BY shelf ORDER BY shelf LIMIT 1
        """,
        feed_id,
        *after,
        limit,
    )
    return (Place(row["shelf"], row["line"]), row["records"]) if row is not None else (None, 0)


async def next_households(
    connection: asyncpg.Connection, feed_id: UUID, after: str, limit: int
) -> tuple[str | None, int]:
    """The key of the last of the next `limit` staged households behind `after`, and how many they are."""
    row = await connection.fetchrow(
        """
        SELECT max(record) AS last, count(*) AS records FROM (
            SELECT DISTINCT record FROM feed_row_staged
            WHERE feed_id = $1 AND record > $2 AND is_head IS NOT NULL ORDER BY record LIMIT $3
        ) next
        """,
        feed_id,
        after,
        limit,
    )
    assert row is not None
    return row["last"], row["records"]


async def merge_batch(
    connection: asyncpg.Connection,
    feed: asyncpg.Record,
    layout: FeedLayout,
    after: Place | str,
    last: Place | str,
    now: datetime,
) -> list[asyncpg.Record]:
    """Remember the staged records behind `after` up to `last` that differ from what is known, and answer those.

    Rows that are records stand on the shelf of `last`. In order: record and `known`, and where a row is a record also
    its line and content, if that stands with the row. What is unchanged is only read.
    """
    known = _NOTHING if feed["known"] == 0 else _lookup("b")
    by, own = ("record", "NULL AS line") if layout.household is not None else ("line", "n.line, n.content")
    shelf = "AND shelf = $9" if isinstance(last, Place) else ""
    return await connection.fetch(
        f"""
        WITH batch AS MATERIALIZED ({_records(layout, f"AND {by} > $5 AND {by} <= $6 {shelf}")}),
        new AS MATERIALIZED (
            SELECT b.*, r.record IS NOT NULL AS known
            FROM batch b LEFT JOIN {known} ON true
            WHERE r.record IS NULL OR r.digest <> b.digest OR r.ended_on IS NOT NULL
        ), merged AS (
            INSERT INTO feed_record AS r (layout, division, department, record, digest, feed_id, ending, changed_at)
            SELECT $2, $3, $4, record, digest, $1, {_ENDING}, $7 FROM new ORDER BY record
            ON CONFLICT (layout, division, department, record) DO UPDATE
            SET digest = excluded.digest, feed_id = excluded.feed_id, ending = excluded.ending, ended_on = NULL,
                changed_at = excluded.changed_at
        )
        SELECT n.record, n.known, {own} FROM new n ORDER BY n.{by}
        """,
        feed["feed_id"],
        feed["layout"],
        feed["division"],
        feed["department"],
        *(_range(after, last) if isinstance(after, Place) and isinstance(last, Place) else (after, last)),
        now,
        _ending_kinds(layout),
        *((last.shelf,) if isinstance(last, Place) else ()),
    )


def _range(after: Place, last: Place) -> tuple[int, int]:
    """The lines of the rows behind `after` up to `last`, on the shelf of `last`."""
    return after.line if after.shelf == last.shelf else -1, last.line


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
            WHERE feed_id = $1 AND record = ANY ($2) AND is_head IS NOT NULL ORDER BY record, digest, line
        ) rows ORDER BY record, line
        """,
        feed_id,
        list(records),
    )


async def texts_between(
    connection: asyncpg.Connection, feed_id: UUID, after: Place, last: Place
) -> list[asyncpg.Record]:
    """The texts in which rows behind `after` up to `last` stand, with others maybe: shelf, lines and contents."""
    return await connection.fetch(
        """
        SELECT shelf, lines, contents FROM feed_text_staged
        WHERE feed_id = $1 AND shelf = $4 AND last_line > $2 AND first_line <= $3 ORDER BY last_line
        """,
        feed_id,
        *_range(after, last),
        last.shelf,
    )


async def note_merge(
    connection: asyncpg.Connection, feed_id: UUID, *, last: Place | str, added: int, changed: int, unchanged: int
) -> None:
    """Remember how far the recording got: up to which row, or which household."""
    place = "merged_after = $2" if isinstance(last, str) else "merged_shelf = $2, merged_line = $6"
    await connection.execute(
        f"""
        UPDATE feed SET {place}, added = added + $3, changed = changed + $4, unchanged = unchanged + $5,
            records_done = records_done + $3 + $4 + $5
        WHERE feed_id = $1
        """,
        feed_id,
        last if isinstance(last, str) else last.shelf,
        added,
        changed,
        unchanged,
        *(() if isinstance(last, str) else (last.line,)),
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
    for table in ("feed_row_staged", "feed_text_staged", "feed_code_staged", "feed_row_coded"):
        await connection.execute(f"DELETE FROM {table} WHERE feed_id = $1", feed_id)


async def destroy_raw(connection: asyncpg.Connection, feed_ids: Sequence[UUID], now: datetime) -> None:
    """Destroy the raw files and their keys; what backups still hold of the files is unreadable without the keys."""
    await connection.execute("DELETE FROM feed_chunk WHERE feed_id = ANY ($1)", feed_ids)
    await connection.execute("UPDATE feed_row_held SET sealed_content = NULL WHERE feed_id = ANY ($1)", feed_ids)
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
