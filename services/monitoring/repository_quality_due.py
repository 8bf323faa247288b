"""Households whose data changed since their quality was checked: marked where the change is written."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from shared.queue.claim import Queue

DUE = Queue("quality_due", ("household_id",))
BULK = 9


async def mark(connection: asyncpg.Connection, household_ids: Sequence[int], *, now: datetime) -> None:
    """Let these households be checked; a check that runs meanwhile loses its lease, and runs again."""
    await connection.execute(
        """
        INSERT INTO quality_due AS q (household_id, due_at, priority)
        SELECT household_id, $2, $3 FROM unnest($1::bigint[]) AS n (household_id) ORDER BY household_id
        ON CONFLICT (household_id) DO UPDATE SET due_at = excluded.due_at, lease_until = NULL, lease_token = NULL
        WHERE q.lease_token IS NOT NULL
        """,
        household_ids,
        now,
        BULK,
    )
