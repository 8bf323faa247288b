"""The SQL of the visit list. Row-level security stands behind it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts.repository import Connection


async def open_by_deadline(
    connection: Connection, lo: str, hi: str, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[asyncpg.Record]:
    """What is open of households living in [lo, hi), the nearest deadline (`due_at`) first, after one of them."""
    return await connection.fetch(
        """
        SELECT * FROM (
            SELECT a.*, CASE WHEN a.status = 'open' THEN least(a.ack_due_at, a.verify_due_at)
                             ELSE a.verify_due_at END AS due_at
            FROM alert a WHERE a.status <> 'closed' AND a.living_division >= $1 AND a.living_division < $2
        ) v
        WHERE $3::timestamptz IS NULL OR (due_at, alert_id) > ($3, $4)
        ORDER BY due_at, alert_id LIMIT $5
        """,
        lo,
        hi,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )


async def findings_of(connection: Connection, alert_ids: Iterable[UUID]) -> list[asyncpg.Record]:
    """The findings behind some alerts, in the order they came."""
    return await connection.fetch(
        "SELECT alert_id, kind, item, recorded_at FROM alert_evidence WHERE alert_id = ANY ($1) AND kind = 'finding' "
        "ORDER BY evidence_id",
        list(alert_ids),
    )
