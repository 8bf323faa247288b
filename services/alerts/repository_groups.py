"""The SQL of grouped pushes and digests. Every function works inside the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.repository import MESSAGE_LOCK_ORDER, Connection, Row, insert_rows


async def make_groups_due(connection: Connection, rows: Sequence[Row], now: datetime, interval: timedelta) -> None:
    """Let groups be due, or due sooner; not within `interval` of what they were told last.

    The rows stay locked until the commit: whoever tells a group meanwhile has the new members, or is asked again.
    """
    if not rows:
        return
    await connection.execute(
        """
        INSERT INTO notify_group AS g (group_key, recipient, division, kind, due_at)
        SELECT n.group_key, n.recipient, n.division, n.kind, n.due_at
        FROM json_populate_recordset(NULL::notify_group, $1::json) n ORDER BY n.group_key
        ON CONFLICT (group_key) DO UPDATE
        SET due_at = least(g.due_at, greatest(excluded.due_at, g.sent_at + $2)), lease_until = NULL
        """,
        list(rows),
        interval,
    )


async def members_of(connection: Connection, keys: Iterable[str], now: datetime) -> list[asyncpg.Record]:
    """The messages of groups that wait and may go at `now`, the oldest first, with what the decision asks for.

    Locked: whoever acts on their alerts meanwhile cancels them before they are told, or what told them afterwards.
    `is_outdone`: that something more urgent about the household was told to the same recipient and is unanswered.
    """
    rows = await connection.fetch(
        f"""
        SELECT n.notification_id, n.group_key, n.created_at, n.alert_id, n.recipient, n.division, n.kind, n.decision,
               n.not_before, n.urgent, a.severity,
               EXISTS (SELECT FROM notification u WHERE u.alert_id = n.alert_id AND u.urgent
                       AND u.decision <> 'suppress' AND u.recipient IS NOT DISTINCT FROM n.recipient
                       AND (a.acknowledged_at IS NULL OR u.created_at >= a.acknowledged_at)) AS is_outdone
        FROM notification n JOIN alert a ON a.alert_id = n.alert_id
        WHERE n.group_key = ANY ($1) AND n.outcome IS NULL AND n.decision IN ('send', 'defer')
          AND (n.not_before IS NULL OR n.not_before <= $2)
        ORDER BY {MESSAGE_LOCK_ORDER} FOR NO KEY UPDATE OF n
        """,
        list(keys),
        now,
    )
    return sorted(rows, key=lambda row: (row["created_at"], row["notification_id"]))


async def open_among(connection: Connection, alert_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Those alerts that nobody has acknowledged, and where their households live."""
    rows = await connection.fetch(
        "SELECT alert_id, living_division FROM alert WHERE alert_id = ANY ($1) AND status = 'open'", list(alert_ids)
    )
    return {row["alert_id"]: row["living_division"] for row in rows}


async def pushes_since(connection: Connection, recipients: Iterable[str], since: datetime) -> dict[str, int]:
    """How many grouped pushes each person had since a moment, urgent ones apart."""
    rows = await connection.fetch(
        "SELECT recipient, count(*) AS pushes FROM notification WHERE recipient = ANY ($1) AND ended_at >= $2 "
        "AND carried_by = notification_id AND outcome = 'sent' AND NOT urgent GROUP BY recipient",
        list(recipients),
        since,
    )
    return {row["recipient"]: row["pushes"] for row in rows}


async def end_messages(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what was decided of messages that waited; the columns of the rows, by notification_id."""
    if not rows:
        return
    await connection.execute(
        """
        UPDATE notification n SET decision = e.decision, reason = coalesce(e.reason, n.reason),
            not_before = e.not_before, group_key = e.group_key, carried_by = e.carried_by, outcome = e.outcome,
            ended_at = e.ended_at
        FROM json_populate_recordset(NULL::notification, $1::json) e
        WHERE n.notification_id = e.notification_id AND n.outcome IS NULL
        """,
        list(rows),
    )


async def finish_groups(connection: Connection, rows: Sequence[Mapping[str, Any]], token: UUID) -> None:
    """Note what groups were told, and let them be due again for what still waits."""
    await connection.execute(
        """
        UPDATE notify_group g SET sent_set = f.sent_set, sent_alerts = f.sent_alerts, sent_at = f.sent_at,
            lease_token = NULL, lease_until = NULL, attempts = 0,
            due_at = (SELECT min(n.not_before) FROM notification n
                      WHERE n.group_key = g.group_key AND n.outcome IS NULL)
        FROM json_populate_recordset(NULL::notify_group, $1::json) f
        WHERE g.group_key = f.group_key AND g.lease_token = $2
        """,
        list(rows),
        token,
    )


# --- digests -------------------------------------------------------------------------------------------------


# Who is told in the evening: he holds a post on day $1, or answers for something.
_SERVES = """
o.active AND (EXISTS (SELECT FROM duty d WHERE d.officer_no = o.officer_no AND d.valid_from <= $1
                      AND (d.valid_to IS NULL OR d.valid_to > $1))
              OR EXISTS (SELECT FROM assignment s WHERE s.officer_no = o.officer_no AND s.until IS NULL))
"""


async def counties_of_officers(connection: Connection) -> list[str]:
    """The six digits of each county that has officers."""
    rows = await connection.fetch("SELECT DISTINCT left(division, 6) AS county FROM officer WHERE active")
    return sorted(row["county"] for row in rows)


async def officers_without_digest(
    connection: Connection, counties: Sequence[str], day: date, limit: int
) -> list[asyncpg.Record]:
    """Officers of some counties who hold a post that day, or answer for something, and whose digest is not made."""
    return await connection.fetch(
        f"""
        SELECT o.officer_no, o.division FROM officer o
        WHERE {_SERVES} AND left(o.division, 6) = ANY ($3)
          AND NOT EXISTS (SELECT FROM digest_run r WHERE r.recipient = o.officer_no AND r.day = $1)
        ORDER BY o.officer_no LIMIT $2
        """,
        day,
        limit,
        list(counties),
    )


async def start_digests(connection: Connection, officers: Sequence[str], day: date, now: datetime) -> frozenset[str]:
    """Take the digests of a day upon oneself; those that another has taken are not in the answer."""
    rows = await connection.fetch(
        "INSERT INTO digest_run (recipient, day, made_at, lines) SELECT o, $2, $3, '{}' FROM unnest($1::text[]) o "
        "ORDER BY o ON CONFLICT DO NOTHING RETURNING recipient",
        list(officers),
        day,
        now,
    )
    return frozenset(row["recipient"] for row in rows)


async def digest_counts(
    connection: Connection, officers: Iterable[str], *, since: datetime, now: datetime, due_before: datetime
) -> list[asyncpg.Record]:
    """By person and village: what came since his last digest (at the earliest `since`), is due soon, is overdue."""
    return await connection.fetch(
        """
        SELECT s.officer_no, a.living_division AS division,
               count(*) FILTER (WHERE s.since > coalesce(r.made_at, $2)) AS new,
               count(*) FILTER (WHERE due.at > $3 AND due.at < $4) AS due,
               count(*) FILTER (WHERE due.at <= $3) AS overdue
        FROM assignment s JOIN alert a ON a.alert_id = s.alert_id AND a.status <> 'closed'
        CROSS JOIN LATERAL (SELECT CASE WHEN a.status = 'open' THEN least(a.ack_due_at, a.verify_due_at)
                                        ELSE a.verify_due_at END AS at) due
        LEFT JOIN LATERAL (SELECT max(made_at) AS made_at FROM digest_run r
                           WHERE r.recipient = s.officer_no AND r.made_at < $3) r ON true
        WHERE s.officer_no = ANY ($1) AND s.until IS NULL
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        list(officers),
        since,
        now,
        due_before,
    )


async def waiting_for_digest(connection: Connection, officers: Iterable[str]) -> list[asyncpg.Record]:
    """The messages that are lines of the next digest, and those deferred that it counts only."""
    rows = await connection.fetch(
        f"""
        SELECT n.notification_id, n.recipient, n.division, n.decision,
               EXISTS (SELECT FROM notification u WHERE u.alert_id = n.alert_id AND u.urgent
                       AND u.decision <> 'suppress' AND u.recipient = n.recipient
                       AND (a.acknowledged_at IS NULL OR u.created_at >= a.acknowledged_at)) AS is_outdone
        FROM notification n LEFT JOIN alert a ON a.alert_id = n.alert_id
        WHERE n.recipient = ANY ($1) AND n.decision IN ('digest', 'defer') AND n.outcome IS NULL
        ORDER BY {MESSAGE_LOCK_ORDER} FOR NO KEY UPDATE OF n
        """,
        list(officers),
    )
    return sorted(rows, key=lambda row: row["notification_id"])


async def cancel_of_gone(
    connection: Connection, reason: str, day: date, now: datetime, *, officers: Iterable[str] | None = None
) -> int:
    """End the messages that wait for the digest of somebody who gets none any more; of anybody, or of `officers`.

    Why they waited stays said. Those that another transaction holds are left to it.
    """
    status = await connection.execute(
        f"""
        UPDATE notification SET outcome = 'cancelled', ended_at = $2, reason = concat_ws('；', reason, $3::text)
        WHERE notification_id IN (
            SELECT n.notification_id FROM notification n JOIN officer o ON o.officer_no = n.recipient
            WHERE n.decision = 'digest' AND n.outcome IS NULL AND ($4::text[] IS NULL OR n.recipient = ANY ($4))
              AND NOT ({_SERVES})
            FOR UPDATE OF n SKIP LOCKED)
        """,
        day,
        now,
        reason,
        None if officers is None else list(officers),
    )
    return int(status.rsplit(" ", 1)[1])


async def take_into_digest(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """End messages as lines of a digest, or suppress them."""
    await connection.execute(
        "UPDATE notification n SET decision = e.decision, reason = coalesce(e.reason, n.reason), "
        "outcome = e.outcome, carried_by = e.carried_by, "
        "ended_at = CASE WHEN e.outcome IS NOT NULL THEN $2::timestamptz END "
        "FROM json_populate_recordset(NULL::notification, $1::json) e WHERE n.notification_id = e.notification_id",
        list(rows),
        now,
    )


async def finish_digests(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what digests said."""
    await connection.execute(
        "UPDATE digest_run r SET lines = e.lines, notification_id = e.notification_id "
        "FROM json_populate_recordset(NULL::digest_run, $1::json) e "
        "WHERE r.recipient = e.recipient AND r.day = e.day",
        list(rows),
    )


# --- monthly sheets ------------------------------------------------------------------------------------------


async def sheet_figures(
    connection: Connection, county: str, *, since: datetime, until: datetime, now: datetime
) -> list[asyncpg.Record]:
    """By township of a county (its six digits): open and overdue now, opened and answered between."""
    return await connection.fetch(
        """
        WITH township AS (
            SELECT DISTINCT left(division, 9) || '000' COLLATE "C" AS division FROM duty
            WHERE left(division, 6) = $1 AND substr(division, 7, 3) <> '000'
            UNION SELECT DISTINCT left(living_division, 9) || '000' FROM alert
            WHERE left(living_division, 6) = $1 AND substr(living_division, 7, 3) <> '000'
        ), here AS (
            SELECT left(living_division, 9) || '000' AS division, status, outcome, opened_at, closed_at,
                   status <> 'closed' AND verify_due_at <= $4 OR status = 'open' AND ack_due_at <= $4 AS is_overdue
            FROM alert WHERE left(living_division, 6) = $1
              AND (status <> 'closed' OR closed_at >= $2 OR opened_at >= $2)
        ), answered AS (
            SELECT division, jsonb_object_agg(outcome, alerts) AS outcomes FROM (
                SELECT division, outcome, count(*) AS alerts FROM here
                WHERE closed_at >= $2 AND closed_at < $3 GROUP BY 1, 2) counted GROUP BY 1
        )
        SELECT t.division, count(h.*) FILTER (WHERE h.status <> 'closed') AS open,
               count(h.*) FILTER (WHERE h.is_overdue) AS overdue,
               count(h.*) FILTER (WHERE h.opened_at >= $2 AND h.opened_at < $3) AS opened,
               coalesce(a.outcomes, '{}') AS outcomes
        FROM township t LEFT JOIN here h USING (division) LEFT JOIN answered a USING (division)
        GROUP BY t.division, a.outcomes ORDER BY t.division
        """,
        county,
        since,
        until,
        now,
    )


async def counties_without_sheet(connection: Connection, month: date) -> list[str]:
    """The counties (six digits) with officers and without the sheets of a month."""
    rows = await connection.fetch(
        "SELECT DISTINCT left(o.division, 6) AS county FROM officer o WHERE o.active AND NOT EXISTS ("
        "SELECT FROM monthly_sheet s WHERE s.month = $1 AND left(s.division, 6) = left(o.division, 6)) ORDER BY 1",
        month,
    )
    return [row["county"] for row in rows]


async def keep_sheets(connection: Connection, rows: Sequence[Row]) -> frozenset[str]:
    """Write sheets; the townships of those that nobody had written."""
    made = await insert_rows(
        connection,
        "monthly_sheet",
        rows,
        conflict="ON CONFLICT (division, month) DO NOTHING",
        returning="division",
    )
    return frozenset(row["division"] for row in made)


async def list_sheets(
    connection: Connection, lo: str, hi: str, *, month: date | None, after: tuple[date, str] | None, limit: int
) -> list[asyncpg.Record]:
    """Sheets of townships in [lo, hi), the newest month first."""
    return await connection.fetch(
        """
        SELECT * FROM monthly_sheet WHERE division >= $1 AND division < $2 AND ($3::date IS NULL OR month = $3)
          AND ($4::date IS NULL OR month < $4 OR month = $4 AND division > $5)
        ORDER BY month DESC, division LIMIT $6
        """,
        lo,
        hi,
        month,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
