"""Orders to check an area: cut into ranges, and how far each got."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.queue.claim import Queue

RANGES = Queue("quality_run_range", ("run_id", "county", "first_household"))
COLUMNS = "run_id, county, first_household, last_household, households, lease_token"
HOUSEHOLDS_A_RANGE = 10_000


async def add(
    connection: asyncpg.Connection,
    run_id: UUID,
    division: str,
    area: tuple[str, str],
    *,
    reason: str,
    by: str,
    now: datetime,
    priority: int,
) -> int:
    """Order a run over the households living in the area, due now; how many there are."""
    households: int = await connection.fetchval(
        "SELECT count(*) FROM household WHERE living_division >= $1 AND living_division < $2 AND ended_on IS NULL",
        *area,
    )
    await connection.execute(
        """
        INSERT INTO quality_run (run_id, division, households, reason, requested_by, requested_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        run_id,
        division,
        households,
        reason,
        by,
        now,
    )
    await connection.execute(
        """
        INSERT INTO quality_run_range (run_id, county, first_household, last_household, households, due_at, priority)
        SELECT $1, county, min(household_id), max(household_id), count(*), $4::timestamptz, $5
        FROM (
            SELECT county, household_id,
                   (row_number() OVER (PARTITION BY county ORDER BY household_id) - 1) / $6::bigint AS part
            FROM household WHERE living_division >= $2 AND living_division < $3
        ) n GROUP BY county, part
        """,
        run_id,
        *area,
        now,
        priority,
        HOUSEHOLDS_A_RANGE,
    )
    return households


async def find(connection: asyncpg.Connection, run_id: UUID) -> Mapping[str, Any] | None:
    """An order in the caller's range with what came of it so far."""
    row = await connection.fetchrow(
        """
        SELECT r.run_id, r.division, r.reason, r.requested_at, r.households,
               coalesce(sum(p.households) FILTER (WHERE p.finished_at IS NULL), 0)::integer AS remaining,
               coalesce(sum(p.opened), 0)::integer AS opened, coalesce(sum(p.mended), 0)::integer AS mended
        FROM quality_run r LEFT JOIN quality_run_range p USING (run_id) WHERE r.run_id = $1 GROUP BY r.run_id
        """,
        run_id,
    )
    return dict(row) if row is not None else None


async def ordered_since(connection: asyncpg.Connection, by: str, since: datetime) -> set[str]:
    """The divisions for which somebody ordered a run since that moment."""
    rows = await connection.fetch(
        "SELECT DISTINCT division FROM quality_run WHERE requested_by = $1 AND requested_at >= $2", by, since
    )
    return {row["division"] for row in rows}
