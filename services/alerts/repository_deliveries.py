"""The SQL of the delivery queue: outlets and their health, claims, what tries came to, receipts, dead letters."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.domain.breaker import OPENS_AFTER, Health
from services.alerts.repository import Connection, Row, insert_rows
from shared.vocabulary.division import lineage_of

# All mail goes through one relay, so it fails and recovers as one.
SMTP_OUTLET = UUID(int=1)


# --- claiming ------------------------------------------------------------------------------------------------


async def lock_waiting_outlets(
    connection: Connection, now: datetime, *, sick: bool, busy: Collection[UUID], limit: int
) -> list[asyncpg.Record]:
    """The outlets that something is due for and that may be tried now, locked; `sick`: those whose breaker is open.

    Steps from outlet to outlet along the index: what waits for a blocked one is never read, however much it is.
    """
    return await connection.fetch(
        f"""
        WITH RECURSIVE waiting AS (
            (SELECT outlet_id FROM delivery WHERE due_at IS NOT NULL ORDER BY outlet_id LIMIT 1)
            UNION ALL
            SELECT (SELECT d.outlet_id FROM delivery d WHERE d.due_at IS NOT NULL AND d.outlet_id > w.outlet_id
                    ORDER BY d.outlet_id LIMIT 1)
            FROM waiting w WHERE w.outlet_id IS NOT NULL
        )
        SELECT o.*, head.due_at FROM waiting w JOIN outlet o ON o.outlet_id = w.outlet_id
        CROSS JOIN LATERAL (
            SELECT d.priority, d.due_at FROM delivery d
            WHERE d.outlet_id = o.outlet_id AND d.due_at <= $1
              AND (d.lease_until IS NULL OR d.lease_until < clock_timestamp())
            ORDER BY d.priority, d.due_at LIMIT 1) head
        WHERE (o.blocked_until IS NULL OR o.blocked_until <= $1) AND (o.failures >= {OPENS_AFTER}) = $2
          AND o.outlet_id <> ALL ($3::uuid[])
        ORDER BY head.priority, head.due_at LIMIT $4 FOR NO KEY UPDATE OF o SKIP LOCKED
        """,
        now,
        sick,
        list(busy),
        limit,
    )


async def claim_deliveries(
    connection: Connection,
    most: Mapping[UUID, int],
    *,
    now: datetime,
    lease: timedelta,
    token: UUID,
    costly: Iterable[str],
) -> list[asyncpg.Record]:
    """Take the most urgent due deliveries, so many of each outlet, under one fencing token.

    `was` is the state before. What somebody held and left over on a `costly` channel becomes uncertain. The lease
    runs on the database's clock, so machines that disagree about the time still agree about leases.
    """
    return await connection.fetch(
        """
        WITH c AS MATERIALIZED (
            SELECT d.* FROM unnest($1::uuid[], $2::int[]) AS o (outlet_id, most)
            CROSS JOIN LATERAL (
                SELECT delivery_id, state AS was, lease_token IS NOT NULL AS left_over FROM delivery
                WHERE outlet_id = o.outlet_id AND due_at <= $3
                  AND (lease_until IS NULL OR lease_until < clock_timestamp())
                ORDER BY priority, due_at LIMIT o.most FOR UPDATE SKIP LOCKED) d
        ), taken AS (
            UPDATE delivery q SET lease_until = clock_timestamp() + $4, lease_token = $5, attempts = q.attempts + 1,
                state = CASE WHEN c.left_over AND q.channel = ANY ($6) THEN 'uncertain' ELSE q.state END
            FROM c WHERE q.delivery_id = c.delivery_id RETURNING q.*, c.was
        )
        SELECT t.*, e.address, e.sealed_query, e.sealed_secret, e.state AS endpoint_state, e.division AS owned_in,
               e.officer_no
        FROM taken t JOIN endpoint e USING (endpoint_id) ORDER BY t.priority, t.due_at
        """,
        list(most),
        list(most.values()),
        now,
        lease,
        token,
        list(costly),
    )


async def save_tokens(connection: Connection, outlet_id: UUID, tokens: float, at: datetime) -> None:
    """What is left in an outlet's bucket; the caller holds its lock."""
    await connection.execute(
        "UPDATE outlet SET tokens = $2, tokens_at = $3 WHERE outlet_id = $1", outlet_id, tokens, at
    )


async def hold_outlets(connection: Connection, outlet_ids: Collection[UUID], until: datetime) -> None:
    """Nobody else tries these outlets before `until`: one probe at a time."""
    await connection.execute(
        "UPDATE outlet SET blocked_until = $2 WHERE outlet_id = ANY ($1)", list(outlet_ids), until
    )


async def release(connection: Connection, delivery_ids: Sequence[UUID], token: UUID) -> None:
    """Give claimed deliveries back as if they had not been touched."""
    await connection.execute(
        "UPDATE delivery SET lease_until = NULL, lease_token = NULL, attempts = attempts - 1 "
        "WHERE delivery_id = ANY ($1) AND lease_token = $2",
        list(delivery_ids),
        token,
    )


async def postpone(connection: Connection, until: Mapping[UUID, datetime], token: UUID) -> None:
    """Give claimed deliveries back as if they had not been touched, to be due later."""
    await connection.execute(
        "UPDATE delivery d SET due_at = l.due_at, lease_until = NULL, lease_token = NULL, attempts = attempts - 1 "
        "FROM unnest($1::uuid[], $2::timestamptz[]) AS l (delivery_id, due_at) "
        "WHERE d.delivery_id = l.delivery_id AND d.lease_token = $3",
        list(until),
        list(until.values()),
        token,
    )


async def gateways_of(connection: Connection, divisions: Iterable[str]) -> dict[str, asyncpg.Record]:
    """The SMS gateway of each division: its own or the nearest above."""
    pairs = [(division, above) for division in set(divisions) for above in lineage_of(division)]
    rows = await connection.fetch(
        """
        SELECT DISTINCT ON (p.place) p.place, g.* FROM unnest($1::text[], $2::text[]) AS p (place, above)
        JOIN sms_gateway g ON g.division = p.above ORDER BY p.place, g.division DESC
        """,
        [pair[0] for pair in pairs],
        [pair[1] for pair in pairs],
    )
    return {row["place"]: row for row in rows}


# --- settling ------------------------------------------------------------------------------------------------


async def settle_deliveries(connection: Connection, rows: Sequence[Row]) -> set[UUID]:
    """Write what tries came to and release them; the ids of those still held under their token.

    `rows`: delivery_id, lease_token, state, due_at, outcome, settled_at, supplier_id.
    """
    held = await connection.fetch(
        """
        UPDATE delivery d SET state = n.state, due_at = n.due_at, outcome = n.outcome, settled_at = n.settled_at,
            supplier_id = coalesce(n.supplier_id, d.supplier_id), lease_until = NULL, lease_token = NULL
        FROM json_populate_recordset(NULL::delivery, $1::json) n
        WHERE d.delivery_id = n.delivery_id AND d.lease_token = n.lease_token RETURNING d.delivery_id
        """,
        [dict(row) for row in rows],
    )
    return {row["delivery_id"] for row in held}


async def insert_attempts(connection: Connection, rows: Sequence[Row]) -> None:
    """Write the tries down; one that another worker wrote stays."""
    await insert_rows(connection, "delivery_attempt", rows, conflict="ON CONFLICT DO NOTHING")


async def lock_health(connection: Connection, outlet_id: UUID) -> Health:
    """How an outlet fares, locked."""
    row = await connection.fetchrow(
        "SELECT failures, blocked_until FROM outlet WHERE outlet_id = $1 FOR NO KEY UPDATE", outlet_id
    )
    assert row is not None, "deliveries refer to an outlet"
    return Health(row["failures"], row["blocked_until"])


async def failures_of(connection: Connection, outlet_id: UUID) -> int:
    """How often an outlet failed in a row."""
    return int(await connection.fetchval("SELECT failures FROM outlet WHERE outlet_id = $1", outlet_id) or 0)


async def save_health(connection: Connection, outlet_id: UUID, health: Health) -> None:
    """Write how an outlet fares."""
    await connection.execute(
        "UPDATE outlet SET failures = $2, blocked_until = $3 WHERE outlet_id = $1",
        outlet_id,
        health.failures,
        health.blocked_until,
    )


async def hasten_deliveries(connection: Connection, outlet_id: UUID, now: datetime) -> None:
    """An outlet is back: what waited only because it was away goes now."""
    await connection.execute(
        "UPDATE delivery SET due_at = $2 "
        "WHERE outlet_id = $1 AND due_at > $2 AND state = 'due' AND outcome IN ('retry', 'fix')",
        outlet_id,
        now,
    )


async def overdue_urgent(connection: Connection, outlet_id: UUID, now: datetime, limit: int) -> list[UUID]:
    """Urgent deliveries that wait for an outlet which is away."""
    rows = await connection.fetch(
        "SELECT delivery_id FROM delivery WHERE outlet_id = $1 AND due_at IS NOT NULL AND priority = 0 "
        "AND created_at <= $2 ORDER BY due_at LIMIT $3",
        outlet_id,
        now,
        limit,
    )
    return [row["delivery_id"] for row in rows]


async def next_channels(
    connection: Connection, delivery_ids: Collection[UUID], channels: Iterable[str]
) -> list[asyncpg.Record]:
    """For each newest delivery of a person's notification, his next endpoint in use that it did not go to."""
    return await connection.fetch(
        """
        SELECT d.*, e.endpoint_id AS next_endpoint, e.channel AS next_channel, e.outlet_id AS next_outlet
        FROM delivery d JOIN notification n USING (notification_id)
        CROSS JOIN LATERAL (
            SELECT e.* FROM endpoint e
            WHERE e.officer_no = n.recipient AND e.state = 'active' AND e.channel = ANY ($2)
              AND NOT EXISTS (SELECT FROM delivery o WHERE o.notification_id = d.notification_id
                              AND o.endpoint_id = e.endpoint_id)
            ORDER BY e.rank, e.endpoint_id LIMIT 1) e
        WHERE d.delivery_id = ANY ($1) AND d.message ->> 'kind' <> 'test'
          AND NOT EXISTS (SELECT FROM delivery o WHERE o.notification_id = d.notification_id
                          AND (o.created_at, o.delivery_id) > (d.created_at, d.delivery_id))
        """,
        list(delivery_ids),
        list(channels),
    )


async def add_deliveries(connection: Connection, rows: Sequence[Row]) -> None:
    """Queue deliveries; one that is there already stays."""
    await insert_rows(connection, "delivery", rows, conflict="ON CONFLICT DO NOTHING")


# --- receipts ------------------------------------------------------------------------------------------------


async def gateway_by_id(connection: Connection, gateway_id: UUID) -> asyncpg.Record | None:
    """One gateway."""
    return await connection.fetchrow("SELECT * FROM sms_gateway WHERE gateway_id = $1", gateway_id)


async def lock_reported(
    connection: Connection, gateway_id: UUID, our_ids: Collection[UUID], supplier_ids: Collection[str]
) -> list[asyncpg.Record]:
    """The deliveries of a gateway that a report is about, by our ids or the supplier's, locked."""
    return await connection.fetch(
        "SELECT * FROM delivery WHERE outlet_id = $1 AND (delivery_id = ANY ($2) OR supplier_id = ANY ($3)) "
        "ORDER BY delivery_id FOR UPDATE",
        gateway_id,
        list(our_ids),
        list(supplier_ids),
    )


async def insert_receipts(connection: Connection, rows: Sequence[Row]) -> None:
    """Write reports down; the same report again is nothing new."""
    await insert_rows(connection, "delivery_receipt", rows, conflict="ON CONFLICT DO NOTHING")


async def set_reported(
    connection: Connection, delivery_id: UUID, state: str, outcome: str | None, now: datetime
) -> None:
    """Write what a report made of a delivery, and take it from whoever is sending it."""
    await connection.execute(
        "UPDATE delivery SET state = $2, outcome = $3, due_at = NULL, lease_until = NULL, lease_token = NULL, "
        "settled_at = $4 WHERE delivery_id = $1",
        delivery_id,
        state,
        outcome,
        now,
    )


# --- what people read and do -----------------------------------------------------------------------------------


async def list_deliveries(
    connection: Connection,
    *,
    state: str | None,
    channel: str | None,
    alert_id: UUID | None,
    endpoint_id: UUID | None,
    officer_no: str | None,
    since: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Deliveries in the scope, newest first, with whom they go to and what the last try came to."""
    return await connection.fetch(
        """
        SELECT d.*, n.recipient AS officer_no, n.division,
               t.at AS last_at, t.outcome AS last_outcome, t.code AS last_code, t.reason AS last_reason
        FROM delivery d JOIN notification n USING (notification_id)
        LEFT JOIN LATERAL (SELECT * FROM delivery_attempt t WHERE t.delivery_id = d.delivery_id
                           ORDER BY t.attempt DESC LIMIT 1) t ON true
        WHERE ($1::text IS NULL OR d.state = $1) AND ($2::text IS NULL OR d.channel = $2)
          AND ($3::uuid IS NULL OR d.alert_id = $3) AND ($4::uuid IS NULL OR d.delivery_id < $4)
          AND ($5::uuid IS NULL OR d.endpoint_id = $5) AND ($6::text IS NULL OR n.recipient = $6)
          AND ($7::timestamptz IS NULL OR d.created_at >= $7)
        ORDER BY d.delivery_id DESC LIMIT $8
        """,
        state,
        channel,
        alert_id,
        before,
        endpoint_id,
        officer_no,
        since,
        limit,
    )


async def lock_delivery(connection: Connection, delivery_id: UUID) -> asyncpg.Record | None:
    """One delivery with its endpoint's state, locked; None if there is none in the scope."""
    return await connection.fetchrow(
        "SELECT d.*, e.state AS endpoint_state, coalesce(d.lease_until > clock_timestamp(), false) AS in_flight "
        "FROM delivery d JOIN endpoint e USING (endpoint_id) WHERE d.delivery_id = $1 FOR UPDATE OF d",
        delivery_id,
    )


async def delivery_by_id(connection: Connection, delivery_id: UUID) -> asyncpg.Record | None:
    """One delivery; None if there is none in the scope."""
    return await connection.fetchrow("SELECT * FROM delivery WHERE delivery_id = $1", delivery_id)


async def list_attempts(connection: Connection, delivery_id: UUID) -> list[asyncpg.Record]:
    """The tries of a delivery, in order."""
    return await connection.fetch(
        "SELECT * FROM delivery_attempt WHERE delivery_id = $1 ORDER BY attempt", delivery_id
    )


async def list_receipts(connection: Connection, delivery_id: UUID) -> list[asyncpg.Record]:
    """What the supplier reported of a delivery, in order."""
    return await connection.fetch(
        "SELECT * FROM delivery_receipt WHERE delivery_id = $1 ORDER BY at, state", delivery_id
    )


async def make_due(connection: Connection, delivery_id: UUID, now: datetime, give_up_at: datetime) -> None:
    """Try a delivery once more, now."""
    await connection.execute(
        "UPDATE delivery SET state = 'due', due_at = $2, settled_at = NULL, outcome = NULL, "
        "give_up_at = greatest(give_up_at, $3), lease_until = NULL, lease_token = NULL WHERE delivery_id = $1",
        delivery_id,
        now,
        give_up_at,
    )


async def count_dead(connection: Connection, lo: str, hi: str) -> list[asyncpg.Record]:
    """Dead letters by endpoint owned in [lo, hi): how many, since when, and what the newest died of."""
    return await connection.fetch(
        """
        SELECT e.endpoint_id, e.channel, e.address, e.officer_no, e.division, e.state, e.state_reason, dead.*
        FROM endpoint e CROSS JOIN LATERAL (
            SELECT count(*) AS letters, min(d.created_at) AS oldest, max(d.settled_at) AS last_died,
                   (array_agg(d.outcome ORDER BY d.settled_at DESC))[1] AS last_outcome
            FROM delivery d WHERE d.endpoint_id = e.endpoint_id AND d.state = 'dead') dead
        WHERE e.division >= $1 AND e.division < $2 AND dead.letters > 0
        ORDER BY dead.letters DESC, e.endpoint_id LIMIT 200
        """,
        lo,
        hi,
    )


async def lock_endpoint(connection: Connection, endpoint_id: UUID, lo: str, hi: str) -> asyncpg.Record | None:
    """One endpoint owned in [lo, hi), locked."""
    return await connection.fetchrow(
        "SELECT * FROM endpoint WHERE endpoint_id = $1 AND division >= $2 AND division < $3 FOR NO KEY UPDATE",
        endpoint_id,
        lo,
        hi,
    )


async def revive_dead(connection: Connection, endpoint_id: UUID, now: datetime, give_up_at: datetime) -> int:
    """Make dead letters of an endpoint due again, but for tests and for alerts that somebody has seen; how many."""
    rows = await connection.fetch(
        """
        UPDATE delivery d SET state = 'due', due_at = $2, settled_at = NULL, outcome = NULL,
            give_up_at = greatest(give_up_at, $3)
        WHERE d.endpoint_id = $1 AND d.state = 'dead' AND d.message ->> 'kind' <> 'test' AND (d.alert_id IS NULL
            OR EXISTS (SELECT 1 FROM alert a WHERE a.alert_id = d.alert_id AND a.status = 'open'))
        RETURNING d.delivery_id
        """,
        endpoint_id,
        now,
        give_up_at,
    )
    return len(rows)


async def set_endpoint_active(connection: Connection, endpoint: Row, now: datetime) -> None:
    """An endpoint is in use again, and nothing is held against its outlet any more."""
    await connection.execute(
        "UPDATE endpoint SET state = 'active', state_reason = NULL, updated_at = $2 WHERE endpoint_id = $1",
        endpoint["endpoint_id"],
        now,
    )
    await connection.execute(
        "UPDATE outlet SET failures = 0, blocked_until = NULL WHERE outlet_id = $1", endpoint["outlet_id"]
    )


async def put_outlets(connection: Connection, rows: Sequence[Row]) -> None:
    """Make outlets, or change their rates; rows of outlet_id, per_minute, burst."""
    await insert_rows(
        connection,
        "outlet",
        rows,
        conflict="ON CONFLICT (outlet_id) DO UPDATE SET per_minute = excluded.per_minute, burst = excluded.burst",
    )


async def free_outlet(connection: Connection, outlet_id: UUID) -> None:
    """Make an outlet, or forget what was held against it."""
    await connection.execute(
        "INSERT INTO outlet (outlet_id) VALUES ($1) "
        "ON CONFLICT (outlet_id) DO UPDATE SET failures = 0, blocked_until = NULL",
        outlet_id,
    )


async def gateway_in(connection: Connection, division: str) -> asyncpg.Record | None:
    """The gateway that a division has of its own."""
    return await connection.fetchrow("SELECT * FROM sms_gateway WHERE division = $1", division)


async def put_gateway(connection: Connection, row: Mapping[str, Any]) -> asyncpg.Record:
    """Write the gateway of a division; secrets that are not given stay."""
    made = await insert_rows(
        connection,
        "sms_gateway",
        [row],
        returning="*",
        conflict="""
        ON CONFLICT (division) DO UPDATE SET name = excluded.name, mapping = excluded.mapping,
            updated_at = excluded.updated_at
        """,
    )
    return made[0]


async def set_gateway_secret(connection: Connection, gateway_id: UUID, column: str, sealed: bytes) -> None:
    """Store a sealed secret of a gateway."""
    await connection.execute(f"UPDATE sms_gateway SET {column} = $2 WHERE gateway_id = $1", gateway_id, sealed)


async def list_gateways(connection: Connection, lo: str, hi: str) -> list[asyncpg.Record]:
    """The gateways of [lo, hi)."""
    return await connection.fetch(
        "SELECT * FROM sms_gateway WHERE division >= $1 AND division < $2 ORDER BY division", lo, hi
    )
