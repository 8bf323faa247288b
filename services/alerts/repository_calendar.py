"""The SQL of the work calendar and of the deadlines that hang on it."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.repository import CALENDAR_LOCK, LOCK_ORDER, Connection, Row, insert_rows


async def hold_calendar(connection: Connection) -> None:
    """Keep the calendar as it is until the commit: whoever writes deadlines calls this before he reads it.

    So every deadline that was computed from the old calendar is there to be found when a new one is committed.
    """
    await connection.execute(f"SELECT pg_advisory_xact_lock_shared({CALENDAR_LOCK})")


async def change_calendar(connection: Connection) -> None:
    """Wait for those who hold the calendar, and let nobody hold it until the commit."""
    await connection.execute(f"SELECT pg_advisory_xact_lock({CALENDAR_LOCK})")


async def calendar_days(connection: Connection, regions: Iterable[str], first: date) -> list[asyncpg.Record]:
    """The days written for any of the regions from `first` on; the widest region first."""
    return await connection.fetch(
        "SELECT region, date, source, kind, name FROM work_calendar_day WHERE region = ANY ($1) AND date >= $2 "
        "ORDER BY region, date",
        list(regions),
        first,
    )


# Names what `calendar_days` would read: the same name, the same days.
DAYS_DIGEST = """
SELECT md5(string_agg(concat_ws('|', region, date, source, kind), ',' ORDER BY region, date, source)) AS digest
FROM work_calendar_day WHERE region = ANY ($1) AND date >= $2
"""


async def years_of(connection: Connection, region: str, source: str) -> set[int]:
    """The years a source has days of in a region."""
    rows = await connection.fetch(
        "SELECT DISTINCT extract(year FROM date)::int AS year FROM work_calendar_day "
        "WHERE region = $1 AND source = $2",
        region,
        source,
    )
    return {row["year"] for row in rows}


async def replace_days(connection: Connection, *, region: str, source: str, year: int, rows: Sequence[Row]) -> None:
    """Make `rows` all the days a source has of a region's year."""
    await connection.execute(
        "DELETE FROM work_calendar_day WHERE region = $1 AND source = $2 AND date >= $3 AND date < $4",
        region,
        source,
        date(year, 1, 1),
        date(year + 1, 1, 1),
    )
    await insert_rows(connection, "work_calendar_day", rows)


async def lock_change(connection: Connection) -> asyncpg.Record | None:
    """The oldest change whose deadlines are not yet computed again; None if another worker has it."""
    return await connection.fetchrow(
        "SELECT * FROM work_calendar_change WHERE done_at IS NULL ORDER BY change_id LIMIT 1 FOR UPDATE SKIP LOCKED"
    )


async def update_change(
    connection: Connection, change_id: int, *, after_alert: UUID | None, done_at: datetime | None
) -> None:
    """How far a change got."""
    await connection.execute(
        "UPDATE work_calendar_change SET after_alert = $2, done_at = $3 WHERE change_id = $1",
        change_id,
        after_alert,
        done_at,
    )


async def lock_alerts_over(connection: Connection, change: Row, limit: int) -> list[asyncpg.Record]:
    """Open alerts of a region, in the order of their ids, with a deadline in or after the changed year."""
    return await connection.fetch(
        f"""
        SELECT a.* FROM alert a
        WHERE a.status <> 'closed' AND a.living_division >= $1 AND a.living_division < $2
          AND ($3::uuid IS NULL OR a.alert_id > $3)
          AND greatest(a.ack_due_at, a.verify_due_at) >= $4
        ORDER BY {LOCK_ORDER} LIMIT $5 FOR NO KEY UPDATE
        """,
        change["region"],
        change["region_hi"],
        change["after_alert"],
        datetime.fromisoformat(f"{change['year']}-01-01T00:00:00+08:00"),
        limit,
    )


async def move_deadlines(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write deadlines; rows of alert_id, ack_due_at, verify_due_at."""
    await connection.execute(
        "UPDATE alert a SET ack_due_at = n.ack_due_at, verify_due_at = n.verify_due_at "
        "FROM json_populate_recordset(NULL::alert, $1::json) n WHERE a.alert_id = n.alert_id",
        list(rows),
    )


async def counties_with_admins(connection: Connection, today: date) -> list[str]:
    """The divisions that have a county administrator on duty."""
    rows = await connection.fetch(
        "SELECT DISTINCT d.division FROM duty d JOIN officer o USING (officer_no) WHERE d.role = 'county_admin' "
        "AND o.active AND d.valid_from <= $1 AND (d.valid_to IS NULL OR d.valid_to > $1) ORDER BY 1",
        today,
    )
    return [row["division"] for row in rows]
