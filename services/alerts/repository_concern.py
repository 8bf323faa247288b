"""The SQL of who must not answer for an alert because it is about him (回避)."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from services.alerts.repository import LOCK_ORDER, MESSAGE_LOCK_ORDER, Connection


async def bar_concerned(connection: Connection, alert_ids: Collection[UUID], now: datetime) -> frozenset[UUID]:
    """Bar from open alerts the officers whose own household or whose conduct they are about; where any is new.

    Whoever answered for such an alert, up to the level of who is concerned, answers for it no more: what is on its
    way to him is cancelled, and the alert waits for its route one level up.
    """
    made = await connection.fetch(
        """
        INSERT INTO alert_barred (alert_id, officer_no, why, living_division, registered_division, since)
        SELECT a.alert_id, c.officer_no, c.why, a.living_division, a.registered_division, $2
        FROM alert a
        JOIN LATERAL (
            SELECT o.officer_no, 'family' AS why FROM officer o WHERE o.household_no = a.household_no
            UNION ALL
            SELECT o.officer_no, 'complaint' FROM alert_evidence e
            JOIN officer o ON o.officer_no = ANY (
                (e.item ->> 'about_officer') || ARRAY(SELECT jsonb_array_elements_text(e.item -> 'also_about')))
            WHERE e.alert_id = a.alert_id
        ) c ON true
        WHERE a.alert_id = ANY ($1) AND a.status <> 'closed'
        ORDER BY a.alert_id, c.officer_no, c.why DESC
        ON CONFLICT DO NOTHING RETURNING alert_id, officer_no
        """,
        list(alert_ids),
        now,
    )
    if made:
        await _withdraw(connection, [r["alert_id"] for r in made], [r["officer_no"] for r in made], now)
    return frozenset(row["alert_id"] for row in made)


async def bar_as_in(connection: Connection, alert_id: UUID, before: UUID, now: datetime) -> None:
    """Whom the alert before was about stays out of the one that follows it; both are about the same matter."""
    await connection.execute(
        """
        INSERT INTO alert_barred (alert_id, officer_no, why, living_division, registered_division, since)
        SELECT $1, officer_no, why, living_division, registered_division, $3 FROM alert_barred WHERE alert_id = $2
        ON CONFLICT DO NOTHING
        """,
        alert_id,
        before,
        now,
    )


async def _withdraw(connection: Connection, alerts: list[UUID], officers: list[str], now: datetime) -> None:
    ended = await connection.fetch(
        """
        WITH barred AS (
            SELECT s.alert_id, max(s.level) AS level FROM assignment s
            JOIN unnest($1::uuid[], $2::text[]) AS b (alert_id, officer_no) USING (alert_id, officer_no)
            WHERE s.until IS NULL GROUP BY s.alert_id
        ), ended AS (
            UPDATE assignment s SET until = $3 FROM barred b
            WHERE s.alert_id = b.alert_id AND s.level <= b.level AND s.until IS NULL
            RETURNING s.alert_id, s.officer_no
        ), waiting AS (UPDATE alert SET routed_at = NULL WHERE alert_id IN (SELECT alert_id FROM ended))
        SELECT alert_id, officer_no FROM ended
        """,
        alerts,
        officers,
        now,
    )
    alerts, officers = [*alerts, *(r["alert_id"] for r in ended)], [*officers, *(r["officer_no"] for r in ended)]
    await _cancel(connection, alerts, officers, now)


async def _cancel(connection: Connection, alerts: list[UUID], officers: list[str], now: datetime) -> None:
    """What is on its way to these officers about these alerts, or waits to be pushed or digested."""
    await connection.execute(
        f"""
        WITH his AS MATERIALIZED (
            SELECT n.notification_id FROM notification n
            WHERE (n.alert_id, n.recipient) IN (
                SELECT * FROM unnest($1::uuid[], $2::text[]) AS b (alert_id, officer_no))
            ORDER BY {MESSAGE_LOCK_ORDER} FOR NO KEY UPDATE
        ), waiting AS (
            UPDATE notification n SET outcome = 'cancelled', ended_at = $3 FROM his
            WHERE n.notification_id = his.notification_id AND n.outcome IS NULL AND n.decision <> 'suppress'
              AND (n.group_key IS NOT NULL OR n.decision = 'digest')
        )
        UPDATE delivery d SET state = 'cancelled', due_at = NULL, lease_token = NULL, lease_until = NULL,
               settled_at = $3
        FROM his WHERE d.notification_id = his.notification_id AND d.state IN ('due', 'uncertain')
        """,
        alerts,
        officers,
        now,
    )


async def open_alerts_of(connection: Connection, households: Collection[str]) -> list[UUID]:
    """The open alerts of these households, locked."""
    rows = await connection.fetch(
        "SELECT alert_id FROM alert WHERE household_no = ANY ($1) AND status <> 'closed' "
        f"ORDER BY {LOCK_ORDER} FOR NO KEY UPDATE",
        list(households),
    )
    return [row["alert_id"] for row in rows]


async def concerned_in(connection: Connection, alert_ids: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """Whom each alert is about."""
    rows = await connection.fetch(
        "SELECT alert_id, array_agg(officer_no) AS officers FROM alert_barred WHERE alert_id = ANY ($1) GROUP BY 1",
        list(alert_ids),
    )
    return {row["alert_id"]: frozenset(row["officers"]) for row in rows}


async def barred_in(connection: Connection, alert_ids: Iterable[UUID]) -> dict[UUID, frozenset[str]]:
    """Officers whose answer is appealed, or differed in a re-check, by the alert that they do not answer again."""
    rows = await connection.fetch(
        "SELECT alert_id, array_agg(DISTINCT item ->> 'barred') AS officers FROM alert_evidence"
        " WHERE alert_id = ANY ($1) AND kind = 'finding' AND item ->> 'indicator' IN ('appeal', 'recheck')"
        " AND item ->> 'barred' IS NOT NULL GROUP BY 1",
        list(alert_ids),
    )
    return {row["alert_id"]: frozenset(row["officers"]) for row in rows}


async def barred_of(connection: Connection, alert_id: UUID) -> frozenset[str]:
    """Officers who do not answer this alert again."""
    return (await barred_in(connection, [alert_id])).get(alert_id, frozenset())


async def kept_out_of(connection: Connection, alert_id: UUID) -> frozenset[str]:
    """Everybody who is asked nothing about an alert (回避): whom it is about, and who must not answer it again."""
    concerned = await concerned_in(connection, [alert_id])
    return concerned.get(alert_id, frozenset()) | await barred_of(connection, alert_id)
