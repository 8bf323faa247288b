"""The SQL of alerts that move with their households. The caller holds the alerts' locks."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.repository import MESSAGE_LOCK_ORDER, Connection

# Rows of `move_alerts`; `above` are the divisions from the village up of where the household lives now.
_MOVES = """json_to_recordset($1::json) AS m (
    alert_id uuid, subject text, household_no text, living text, registered text, above text[], beside text[])"""
_IN_POST = """EXISTS (
    SELECT FROM duty d WHERE {who} IN (d.officer_no, d.deputy_no) AND d.division = ANY ({over})
      AND d.role <> 'liaison' AND d.valid_from <= $2 AND (d.valid_to IS NULL OR d.valid_to > $2))"""


async def move_copies(connection: Connection, moves: Sequence[dict[str, Any]], today: date) -> None:
    """Whatever else says where the household is: who is barred, its pairing, what its departments still correct.

    A ticket stays in the county whose departments sent the data. The alerts wait for their route.
    """
    await connection.execute(
        f"""
        WITH barred AS (
            UPDATE alert_barred b SET living_division = m.living, registered_division = m.registered
            FROM {_MOVES} WHERE b.alert_id = m.alert_id
        ), paired AS (
            UPDATE pairing p SET division = m.living FROM {_MOVES}
            WHERE p.household_no = m.household_no AND p.division <> m.living AND (p.until IS NULL OR p.until > $2)
        ), ticket AS (
            UPDATE correction_ticket t SET division = m.living FROM {_MOVES}
            WHERE t.subject = m.subject AND t.state IN ('open', 'answered') AND t.division <> m.living
              AND left(t.division, 6) = left(m.living, 6)
        )
        UPDATE alert a SET routed_at = NULL FROM {_MOVES} WHERE a.alert_id = m.alert_id
        """,
        list(moves),
        today,
    )


async def end_posts_left(
    connection: Connection, moves: Sequence[dict[str, Any]], today: date, now: datetime
) -> list[asyncpg.Record]:
    """End what people answer for who hold no post where the household lives now; who helps it (帮扶) stays.

    A copy (抄送) ends whoever has it: where the household is registered is asked anew.
    """
    return await connection.fetch(
        f"""
        UPDATE assignment s SET until = $3 FROM {_MOVES}
        WHERE s.alert_id = m.alert_id AND s.until IS NULL AND s.reach <> 'paired'
          AND (s.reach = 'copy' OR NOT {_IN_POST.format(who="s.officer_no", over="m.above")})
          AND NOT EXISTS (SELECT FROM pairing p WHERE p.household_no = m.household_no
                          AND p.officer_no = s.officer_no AND p.since <= $2 AND (p.until IS NULL OR p.until > $2))
        RETURNING s.alert_id, s.officer_no
        """,
        list(moves),
        today,
        now,
    )


async def lapse_offers(
    connection: Connection, moves: Sequence[dict[str, Any]], today: date, now: datetime
) -> list[asyncpg.Record]:
    """Offers to people who hold no post at either of the household's places now: they do not see it any more."""
    over = "m.above || m.beside"
    return await connection.fetch(
        f"""
        UPDATE handover h SET state = 'lapsed', settled_at = $3 FROM {_MOVES}
        WHERE h.alert_id = m.alert_id AND h.state = 'pending'
          AND NOT {_IN_POST.format(who="h.to_officer_no", over=over)}
        RETURNING h.alert_id, h.to_officer_no
        """,
        list(moves),
        today,
        now,
    )


async def awaiting_second(connection: Connection, alert_ids: Collection[UUID]) -> dict[UUID, asyncpg.Record]:
    """The answers that wait for a second officer, by alert."""
    rows = await connection.fetch(
        "SELECT alert_id, officer_no, officer_role FROM verification "
        "WHERE alert_id = ANY ($1) AND state = 'awaiting'",
        list(alert_ids),
    )
    return {row["alert_id"]: row for row in rows}


async def open_consultations(connection: Connection, alert_ids: Collection[UUID]) -> list[asyncpg.Record]:
    """The consultations about alerts that are not decided."""
    return await connection.fetch(
        "SELECT consultation_id, alert_id, departments, opinions_by FROM consultation "
        "WHERE alert_id = ANY ($1) AND state = 'open' ORDER BY consultation_id",
        list(alert_ids),
    )


async def cancel_pushes(
    connection: Connection, alert_ids: Collection[UUID], kinds: Collection[str], because: str, now: datetime
) -> None:
    """Cancel what waits to be pushed or digested about alerts, and what is on its way to those who left them.

    Grouped pushes speak of the village that was left, whoever they go to. One that tells of other alerts too goes on.
    """
    await connection.execute(
        f"""
        WITH held AS MATERIALIZED (
            SELECT n.* FROM notification n WHERE n.alert_id = ANY ($1) AND n.kind = ANY ($2)
            ORDER BY {MESSAGE_LOCK_ORDER} FOR NO KEY UPDATE
        ), stopped AS (
            UPDATE delivery d SET state = 'cancelled', due_at = NULL, lease_token = NULL, lease_until = NULL,
                settled_at = $4
            FROM held h
            WHERE d.state IN ('due', 'uncertain') AND d.notification_id = coalesce(h.carried_by, h.notification_id)
              AND h.outcome IS DISTINCT FROM 'digested'
              AND NOT EXISTS (SELECT FROM assignment s WHERE s.alert_id = h.alert_id AND s.officer_no = h.recipient
                              AND s.until IS NULL)
              AND NOT EXISTS (SELECT FROM handover o WHERE o.alert_id = h.alert_id AND o.to_officer_no = h.recipient
                              AND o.state = 'pending')
              AND NOT EXISTS (
                  SELECT FROM notification o JOIN alert a ON a.alert_id = o.alert_id
                  WHERE o.carried_by = d.notification_id AND a.alert_id <> ALL ($1) AND a.status <> 'closed'
                    AND (a.acknowledged_at IS NULL OR a.acknowledged_at <= o.created_at))
            RETURNING d.notification_id
        )
        UPDATE notification n SET outcome = 'cancelled', ended_at = $4, reason = concat_ws('；', n.reason, $3::text)
        FROM held h
        WHERE n.notification_id = h.notification_id AND h.decision <> 'suppress' AND (
            h.outcome IS NULL AND (h.group_key IS NOT NULL OR h.decision = 'digest')
            OR coalesce(h.carried_by, h.notification_id) IN (SELECT notification_id FROM stopped) AND NOT EXISTS (
                SELECT FROM delivery d WHERE d.notification_id = coalesce(h.carried_by, h.notification_id)
                  AND d.state IN ('delivered', 'confirmed')))
        """,
        list(alert_ids),
        list(kinds),
        because,
        now,
    )
