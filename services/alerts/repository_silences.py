"""The SQL of silences: which hold now, how much they held back, and what stands when they end."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.domain.alert import SEEN_BY
from services.alerts.repository import LOCK_ORDER, Connection, Row, insert_rows

_WITHHELD = "(SELECT count(*) FROM notification n WHERE n.silence_id = s.silence_id) AS withheld"

SILENCES_OVER = """
SELECT * FROM silence s
WHERE s.released_at IS NULL AND s.starts_at <= $2 AND s.ends_at > $2
  AND (s.expired_at IS NULL OR s.expired_at > $2)
  AND EXISTS (SELECT FROM unnest($1::text[]) p (place) WHERE s.division <= p.place COLLATE "C"
              AND p.place COLLATE "C" < s.division_hi)
"""


async def silences_over(connection: Connection, places: Collection[str], now: datetime) -> list[asyncpg.Record]:
    """The silences that hold at a moment over any of the places."""
    return await connection.fetch(SILENCES_OVER, list(places), now)


async def add_silence(connection: Connection, row: Row) -> UUID:
    made = await insert_rows(connection, "silence", [row], returning="silence_id")
    silence_id: UUID = made[0]["silence_id"]
    return silence_id


async def silence_by_id(connection: Connection, silence_id: UUID, lo: str, hi: str) -> asyncpg.Record | None:
    """A silence that touches [lo, hi), with how many messages the caller may see of those it withheld."""
    return await connection.fetchrow(
        f"SELECT s.*, {_WITHHELD} FROM silence s WHERE s.silence_id = $1 AND s.division < $3 AND s.division_hi > $2",
        silence_id,
        lo,
        hi,
    )


async def list_silences(
    connection: Connection, lo: str, hi: str, *, active_at: datetime | None, before: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Silences that touch [lo, hi), newest first; `active_at`: those that hold at a moment."""
    return await connection.fetch(
        f"""
        SELECT s.*, {_WITHHELD} FROM silence s
        WHERE ($1::timestamptz IS NULL
               OR s.starts_at <= $1 AND s.ends_at > $1 AND (s.expired_at IS NULL OR s.expired_at > $1))
          AND ($2::uuid IS NULL OR s.silence_id < $2) AND s.division < $5 AND s.division_hi > $4
        ORDER BY s.silence_id DESC LIMIT $3
        """,
        active_at,
        before,
        limit,
        lo,
        hi,
    )


async def expire_silence(connection: Connection, silence_id: UUID, by: str, now: datetime) -> None:
    """End a silence before its time; one that ended already stays as it is."""
    await connection.execute(
        "UPDATE silence SET expired_at = $2, expired_by = $3 "
        "WHERE silence_id = $1 AND expired_at IS NULL AND ends_at > $2",
        silence_id,
        now,
        by,
    )


async def lock_ended_silence(connection: Connection, now: datetime) -> asyncpg.Record | None:
    """A silence that has ended and not been followed up."""
    return await connection.fetchrow(
        "SELECT * FROM silence WHERE released_at IS NULL AND (ends_at <= $1 OR expired_at <= $1) "
        "ORDER BY ends_at, silence_id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED",
        now,
    )


async def lock_silenced_alerts(connection: Connection, silence_id: UUID, limit: int) -> list[asyncpg.Record]:
    """Alerts of which a silence held news back that nobody has seen since; each once for each silence.

    `held_opening`: that it opened is among the news. Not those of which people heard afterwards all the same, since
    they became red or somebody reported hardship.
    """
    return await connection.fetch(
        f"""
        SELECT a.*, held.opening AS held_opening FROM alert a JOIN (
            SELECT n.alert_id, max(n.created_at) AS at, bool_or(n.kind = 'opened') AS opening
            FROM notification n WHERE n.silence_id = $1 GROUP BY n.alert_id) held USING (alert_id)
        WHERE a.status <> 'closed'
          AND NOT EXISTS (SELECT FROM alert_log l WHERE l.alert_id = a.alert_id AND l.action = ANY ($3)
                          AND l.at >= held.at)
          AND NOT EXISTS (
              SELECT FROM notification m WHERE m.alert_id = a.alert_id
                AND (starts_with(m.dedupe_key, 'unsilenced:' || $1::text || ':') OR m.decision = 'send'
                     AND m.recipient IS NOT NULL AND m.created_at >= held.at))
        ORDER BY {LOCK_ORDER} LIMIT $2 FOR NO KEY UPDATE OF a
        """,
        silence_id,
        limit,
        list(SEEN_BY),
    )


async def mark_released(connection: Connection, silence_id: UUID, now: datetime) -> None:
    await connection.execute("UPDATE silence SET released_at = $2 WHERE silence_id = $1", silence_id, now)
