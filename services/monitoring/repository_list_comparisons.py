"""SQL of the monthly comparisons: what is due, what was found, what is read of it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg

from shared.queue.claim import Queue, claim

COMPARISONS = Queue("list_comparison", ("comparison_id",))
VIEW = "comparison_id, county, month, requested_by, requested_at, compared_at, compared_on"


async def order_months(connection: asyncpg.Connection, month: date, now: datetime) -> None:
    """One comparison of the month for each county that has households; due now."""
    await connection.execute(
        """
        INSERT INTO list_comparison (comparison_id, county, month, requested_by, requested_at, due_at)
        SELECT gen_random_uuid(), c.county, $1, 'calendar', $2, $2
        FROM (SELECT DISTINCT county FROM household WHERE ended_on IS NULL) c
        WHERE NOT EXISTS (SELECT FROM list_comparison l WHERE l.county = c.county AND l.month = $1)
        ON CONFLICT DO NOTHING
        """,
        month,
        now,
    )


async def order(
    connection: asyncpg.Connection, comparison_id: UUID, county: str, month: date, by: str, now: datetime
) -> asyncpg.Record:
    """A comparison of the county that waits: a new one, or the one that waits already."""
    row = await connection.fetchrow(
        f"""
        INSERT INTO list_comparison AS l (comparison_id, county, month, requested_by, requested_at, due_at)
        VALUES ($1, $2, $3, $4, $5, $5)
        ON CONFLICT (county) WHERE due_at IS NOT NULL DO UPDATE SET due_at = l.due_at RETURNING {VIEW}
        """,
        comparison_id,
        county,
        month,
        by,
        now,
    )
    assert row is not None
    return row


async def claim_comparison(connection: asyncpg.Connection, now: datetime, lease: timedelta) -> asyncpg.Record | None:
    claimed = await claim(connection, COMPARISONS, now=now, limit=1, lease=lease)
    return claimed[0] if claimed else None


async def find(
    connection: asyncpg.Connection, comparison_id: UUID, code: str, sql: str, county: str, on: date
) -> None:
    """Write whom a check's text finds that day; not every text reads the day, whose type must be known."""
    await connection.execute(
        f"""
        INSERT INTO list_finding (comparison_id, check_code, household_id, resident_id, division)
        SELECT $3, $4, found.household_id, found.resident_id, h.living_division
        FROM ({sql}) found JOIN household h USING (household_id)
        WHERE h.ended_on IS NULL AND h.county = $1::text AND $2::date IS NOT NULL
        """,
        county,
        on,
        comparison_id,
        code,
    )


async def findings_of(connection: asyncpg.Connection, comparison_id: UUID) -> list[asyncpg.Record]:
    return await connection.fetch(
        "SELECT check_code, household_id, resident_id, division FROM list_finding WHERE comparison_id = $1"
        " ORDER BY household_id, check_code, resident_id",
        comparison_id,
    )


async def standing_mismatches(connection: asyncpg.Connection, county: str, data_set: str) -> list[asyncpg.Record]:
    """What earlier comparisons found and no later one has ended."""
    return await connection.fetch(
        """
        SELECT f.record_key, f.household_id, f.resident_id, f.occurred_on, f.value, h.living_division AS division
        FROM fact f JOIN household h USING (household_id)
        WHERE f.county = $1 AND f.data_set = $2 AND f.superseded_at IS NULL AND f.ended_on IS NULL
        """,
        county,
        data_set,
    )


async def newest(connection: asyncpg.Connection, lo: str, hi: str, month: date | None) -> list[asyncpg.Record]:
    """For each county that meets [lo, hi): its newest comparison (of the month, or at all)."""
    return await connection.fetch(
        f"""
        SELECT DISTINCT ON (county) {VIEW} FROM list_comparison
        WHERE compared_at IS NOT NULL AND county >= left($1, 6) AND county || '000000' < $2
          AND ($3::date IS NULL OR month = $3)
        ORDER BY county, compared_at DESC
        """,
        lo,
        hi,
        month,
    )


async def counts(
    connection: asyncpg.Connection, ids: Sequence[UUID], lo: str, hi: str, digits: int
) -> list[asyncpg.Record]:
    """Findings and their households by check and division right below."""
    return await connection.fetch(
        """
        SELECT check_code, left(division, $4) AS child, count(*) AS findings,
               count(DISTINCT household_id) AS households
        FROM list_finding WHERE comparison_id = ANY ($1) AND division >= $2 AND division < $3
        GROUP BY check_code, child ORDER BY check_code, child
        """,
        list(ids),
        lo,
        hi,
        digits,
    )


async def list_findings(
    connection: asyncpg.Connection,
    ids: Sequence[UUID],
    lo: str,
    hi: str,
    *,
    check: str | None,
    owner_checks: Sequence[str],
    after: int,
    limit: int,
) -> list[asyncpg.Record]:
    """Findings in range by number, from behind `after`."""
    return await connection.fetch(
        """
        SELECT l.finding_id, l.check_code, l.division, h.household_no, h.head_name, h.listed_as, h.recommendation,
               r.name AS member_name
        FROM list_finding l JOIN household h USING (household_id) LEFT JOIN resident r USING (resident_id)
        WHERE l.comparison_id = ANY ($1) AND l.division >= $2 AND l.division < $3
          AND ($4::text IS NULL OR l.check_code = $4) AND l.check_code = ANY ($5::text[]) AND l.finding_id > $6
        ORDER BY l.finding_id LIMIT $7
        """,
        list(ids),
        lo,
        hi,
        check,
        list(owner_checks),
        after,
        limit,
    )
