"""Rescreens in the database: orders cut into ranges, their progress, what the calendar ran, and whom time touched."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from shared.queue.claim import Queue
from shared.vocabulary.identifiers import new_id

RANGES = Queue("rescreen_range", ("rescreen_id", "county", "first_household"))

# A range is a second or two of work: its progress is seen, and a kill costs no more than that.
HOUSEHOLDS_A_RANGE = 20_000


async def add(
    connection: asyncpg.Connection,
    rescreen_id: UUID,
    division: str,
    households: int,
    reason: str,
    by: str,
    now: datetime,
) -> None:
    await connection.execute(
        """
        INSERT INTO rescreen (rescreen_id, division, households, reason, requested_by, requested_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        rescreen_id,
        division,
        households,
        reason,
        by,
        now,
    )


async def count_area(connection: asyncpg.Connection, lo: str, hi: str) -> int:
    count: int = await connection.fetchval(
        "SELECT count(*) FROM household WHERE living_division >= $1 AND living_division < $2", lo, hi
    )
    return count


async def cut_into_ranges(
    connection: asyncpg.Connection,
    rescreen_id: UUID,
    lo: str,
    hi: str,
    *,
    now: datetime,
    priority: int,
    size: int = HOUSEHOLDS_A_RANGE,
) -> None:
    """Make ranges, due now, of the households living in [lo, hi): of one county each, in order."""
    await connection.execute(
        """
        INSERT INTO rescreen_range (rescreen_id, county, first_household, last_household, households, due_at,
            priority)
        SELECT $1, county, min(household_id), max(household_id), count(*), $4::timestamptz, $5
        FROM (
            SELECT county, household_id,
                   (row_number() OVER (PARTITION BY county ORDER BY household_id) - 1) / $6::bigint AS part
            FROM household WHERE living_division >= $2 AND living_division < $3
        ) n GROUP BY county, part
        """,
        rescreen_id,
        lo,
        hi,
        now,
        priority,
        size,
    )


async def find(connection: asyncpg.Connection, rescreen_id: UUID) -> Mapping[str, Any] | None:
    """An order in the caller's range with what remains of it and what came of it so far."""
    row = await connection.fetchrow(
        """
        SELECT r.rescreen_id, r.division, r.reason, r.requested_at, r.households, r.cancelled_at,
               coalesce(sum(p.households) FILTER (WHERE p.finished_at IS NULL), 0)::integer AS remaining,
               coalesce(sum(p.changed), 0)::integer AS changed, coalesce(sum(p.told), 0)::integer AS told
        FROM rescreen r LEFT JOIN rescreen_range p ON p.rescreen_id = r.rescreen_id
        WHERE r.rescreen_id = $1 GROUP BY r.rescreen_id
        """,
        rescreen_id,
    )
    return dict(row) if row is not None else None


async def cancel(connection: asyncpg.Connection, rescreen_id: UUID, by: str, now: datetime) -> None:
    """Let no further range begin; one that runs is finished."""
    await connection.execute(
        "UPDATE rescreen SET cancelled_at = $2, cancelled_by = $3 WHERE rescreen_id = $1 AND cancelled_at IS NULL",
        rescreen_id,
        now,
        by,
    )
    await connection.execute(
        "UPDATE rescreen_range SET due_at = NULL WHERE rescreen_id = $1 AND due_at IS NOT NULL", rescreen_id
    )


async def division_of(connection: asyncpg.Connection, rescreen_id: UUID) -> str:
    division: str = await connection.fetchval("SELECT division FROM rescreen WHERE rescreen_id = $1", rescreen_id)
    return division


async def households_between(
    connection: asyncpg.Connection, county: str, first: int, last: int, area: tuple[str, str]
) -> list[int]:
    """The households of a range that live in the area, in order."""
    rows = await connection.fetch(
        """
        SELECT household_id FROM household WHERE county = $1 AND household_id BETWEEN $2 AND $3
          AND living_division >= $4 AND living_division < $5 ORDER BY household_id
        """,
        county,
        first,
        last,
        *area,
    )
    return [row["household_id"] for row in rows]


async def mark_touched_by_time(
    connection: asyncpg.Connection, today: date, *, now: datetime, priority: int, limit: int
) -> int:
    """Make households due whose measures time alone changes today; those due already are left as they are."""
    count: int = await connection.fetchval(
        """
        WITH touched AS MATERIALIZED (
            SELECT h.household_id FROM household h WHERE h.due_at IS NULL AND h.household_id IN (
                SELECT household_id FROM measure WHERE changes_on <= $1
            ) ORDER BY h.household_id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED
        ), marked AS (
            UPDATE household h SET due_at = $2, priority = $3
            FROM touched WHERE h.household_id = touched.household_id RETURNING 1
        )
        SELECT count(*) FROM marked
        """,
        today,
        now,
        priority,
        limit,
    )
    return count


async def counties(connection: asyncpg.Connection) -> list[str]:
    """The counties in which households live, found by leaps through the index."""
    rows = await connection.fetch(
        """
        WITH RECURSIVE place AS (
            SELECT left(min(living_division), 6) AS county FROM household
            UNION ALL
            SELECT (SELECT left(min(living_division), 6) FROM household
                    WHERE living_division > place.county || '999999')
            FROM place WHERE place.county IS NOT NULL
        )
        SELECT county FROM place WHERE county IS NOT NULL
        """
    )
    return [row["county"] for row in rows]


async def measured_before(connection: asyncpg.Connection, county: str, day: date) -> bool:
    """Whether some household of a county was measured before a day and not since."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM measure WHERE county = $1 AND measured_on < $2)", county, day
    )
    return found


async def note_run(connection: asyncpg.Connection, kind: str, county: str, day: date, now: datetime) -> bool:
    """Note that a day of the calendar runs; False if it did before."""
    noted = await connection.fetchval(
        """
        INSERT INTO calendar_run (kind, county, day, ran_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        kind,
        county,
        day,
        now,
    )
    return bool(noted)


async def link_run(connection: asyncpg.Connection, kind: str, county: str, day: date, rescreen_id: UUID) -> None:
    """Remember which rescreen a day of the calendar ordered."""
    await connection.execute(
        "UPDATE calendar_run SET rescreen_id = $4 WHERE kind = $1 AND county = $2 AND day = $3",
        kind,
        county,
        day,
        rescreen_id,
    )


async def runs_since(connection: asyncpg.Connection, since: date) -> set[tuple[str, str, date]]:
    """What the calendar ran: kind, county, day."""
    rows: Sequence[asyncpg.Record] = await connection.fetch(
        "SELECT kind, county, day FROM calendar_run WHERE day >= $1", since
    )
    return {(row["kind"], row["county"], row["day"]) for row in rows}


async def activate(connection: asyncpg.Connection, version: str, now: datetime) -> bool:
    """Remember that a policy version assesses from now on; False if it is the one that did so far.

    A version activated within the hour is passed over: while two releases run, each would undo the other.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('monitoring.policy_activation', 0))")
    last = await connection.fetchval(
        "SELECT policy_version FROM policy_activation ORDER BY activated_at DESC, activation_id DESC LIMIT 1"
    )
    lately = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM policy_activation WHERE policy_version = $1 AND activated_at > $2)",
        version,
        now - timedelta(hours=1),
    )
    if last == version or lately:
        return False
    await connection.execute(
        """
        INSERT INTO policy_activation (activation_id, division, policy_version, activated_at, activated_by)
        VALUES ($1, '000000000000', $2, $3, 'release')
        """,
        new_id(now),
        version,
        now,
    )
    return True
