"""The SQL of what people read: lists, one alert's parts, counts, the inbox. Row-level security stands behind it."""

from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.repository import Connection

NONE = "none"  # As a filter: what has no severity.


async def list_alerts(
    connection: Connection,
    *,
    lo: str,
    hi: str,
    household_no: str | None,
    status: str | None,
    severity: str | None,
    officer_no: str | None,
    overdue_at: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Alerts living or registered in [lo, hi), newest first, before an id; `officer_no`: those he answers for."""
    return await connection.fetch(
        """
        SELECT a.* FROM alert a
        WHERE ((a.living_division >= $1 AND a.living_division < $2)
               OR (a.registered_division >= $1 AND a.registered_division < $2))
          AND ($3::text IS NULL OR a.status = $3)
          AND ($4::text IS NULL OR coalesce(a.severity, 'none') = $4)
          AND ($5::text IS NULL OR EXISTS (SELECT 1 FROM assignment s WHERE s.alert_id = a.alert_id
                                           AND s.officer_no = $5 AND s.until IS NULL))
          AND ($6::timestamptz IS NULL OR (a.status <> 'closed' AND a.verify_due_at <= $6)
               OR (a.status = 'open' AND a.ack_due_at <= $6))
          AND ($7::uuid IS NULL OR a.alert_id < $7)
          AND ($8::text IS NULL OR a.household_no = $8)
        ORDER BY a.alert_id DESC LIMIT $9
        """,
        lo,
        hi,
        status,
        severity,
        officer_no,
        overdue_at,
        before,
        household_no,
        limit,
    )


async def alert_by_id(connection: Connection, alert_id: UUID) -> asyncpg.Record | None:
    """One alert; None if there is none in the scope."""
    return await connection.fetchrow("SELECT * FROM alert WHERE alert_id = $1", alert_id)


async def evidence_of_alert(connection: Connection, alert_id: UUID) -> list[asyncpg.Record]:
    """The evidence of an alert, in the order it came."""
    return await connection.fetch(
        "SELECT kind, item, recorded_at, policy_version FROM alert_evidence WHERE alert_id = $1 ORDER BY evidence_id",
        alert_id,
    )


async def timeline_of(connection: Connection, alert_id: UUID) -> list[asyncpg.Record]:
    """What was done to an alert, in order."""
    return await connection.fetch("SELECT * FROM alert_log WHERE alert_id = $1 ORDER BY log_id", alert_id)


async def verification_of_alert(connection: Connection, alert_id: UUID) -> asyncpg.Record | None:
    """The answer that closed an alert, or waits for a second officer."""
    return await connection.fetchrow(
        "SELECT * FROM verification WHERE alert_id = $1 AND state <> 'refused'", alert_id
    )


async def count_alerts(connection: Connection, lo: str, hi: str, now: datetime) -> list[asyncpg.Record]:
    """How many alerts in [lo, hi) by status and severity, and how many of them are overdue."""
    return await connection.fetch(
        """
        SELECT status, severity, count(*) AS alerts,
               count(*) FILTER (WHERE status <> 'closed' AND verify_due_at <= $3
                                OR status = 'open' AND ack_due_at <= $3) AS overdue
        FROM alert
        WHERE (living_division >= $1 AND living_division < $2)
           OR (registered_division >= $1 AND registered_division < $2)
        GROUP BY status, severity ORDER BY status, severity
        """,
        lo,
        hi,
        now,
    )


async def count_messages(connection: Connection, lo: str, hi: str) -> asyncpg.Record:
    """How many messages about alerts (or places) in [lo, hi) went to inboxes, were withheld, and went outside."""
    row = await connection.fetchrow(
        """
        WITH here AS (
            SELECT alert_id FROM alert
            WHERE (living_division >= $1 AND living_division < $2)
               OR (registered_division >= $1 AND registered_division < $2)
        ), told AS (
            SELECT n.decision, n.recipient FROM notification n
            WHERE n.alert_id IN (SELECT alert_id FROM here)
               OR (n.alert_id IS NULL AND n.division >= $1 AND n.division < $2)
        ), gone AS (SELECT d.state FROM delivery d WHERE d.alert_id IN (SELECT alert_id FROM here))
        SELECT (SELECT count(*) FROM told WHERE decision <> 'suppress' AND recipient IS NOT NULL) AS sent,
               (SELECT count(*) FROM told WHERE decision = 'suppress') AS withheld,
               (SELECT count(*) FROM gone WHERE state IN ('delivered', 'confirmed')) AS delivered,
               (SELECT count(*) FROM gone WHERE state IN ('due', 'uncertain')) AS due,
               (SELECT count(*) FROM gone WHERE state = 'dead') AS dead
        """,
        lo,
        hi,
    )
    assert row is not None
    return row


# A letter stays its officer's; what it says of a household is for those in whose range the household is today.
_LETTER = """
i.item_no, i.kind, i.severity, i.title, i.link, i.alert_id, i.matter, i.matter_id, i.created_at,
i.read_at,
CASE WHEN i.alert_id IS NULL OR EXISTS (SELECT FROM alert a WHERE a.alert_id = i.alert_id) THEN i.body
     ELSE '这条预警已不在您的职责范围内。' END AS body
"""


async def list_inbox(
    connection: Connection, officer_no: str, *, unread: bool, before: int | None, limit: int
) -> list[asyncpg.Record]:
    """An officer's items, newest first, before a number."""
    return await connection.fetch(
        f"SELECT {_LETTER} FROM inbox_item i WHERE officer_no = $1 AND (NOT $2 OR read_at IS NULL) "
        "AND ($3::bigint IS NULL OR item_no < $3) ORDER BY item_no DESC LIMIT $4",
        officer_no,
        unread,
        before,
        limit,
    )


async def inbox_after(connection: Connection, officer_no: str, item_no: int, limit: int) -> list[asyncpg.Record]:
    """An officer's items after a number, oldest first."""
    return await connection.fetch(
        f"SELECT {_LETTER} FROM inbox_item i WHERE officer_no = $1 AND item_no > $2 ORDER BY item_no LIMIT $3",
        officer_no,
        item_no,
        limit,
    )


async def last_item_no(connection: Connection, officer_no: str) -> int:
    """The number of an officer's newest item; 0 without any."""
    number = await connection.fetchval("SELECT last_item_no FROM inbox_counter WHERE officer_no = $1", officer_no)
    return int(number or 0)


async def mark_read(connection: Connection, officer_no: str, item_no: int, now: datetime) -> asyncpg.Record | None:
    """Note when an item was first read; None if it is not his."""
    return await connection.fetchrow(
        "UPDATE inbox_item i SET read_at = coalesce(read_at, $3) WHERE officer_no = $1 AND item_no = $2 "
        f"RETURNING {_LETTER}",
        officer_no,
        item_no,
        now,
    )
