"""The SQL of escalations: the timer of an alert is its row."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.repository import Connection, Row, insert_rows


async def write_escalations(connection: Connection, rows: Sequence[Row]) -> None:
    """Begin escalations, or set those there are anew."""
    await insert_rows(
        connection,
        "alert_escalation",
        rows,
        conflict="""
        ON CONFLICT (alert_id) DO UPDATE SET chain_snapshot = excluded.chain_snapshot, step = excluded.step,
            since = excluded.since, next_step_at = excluded.next_step_at, token = excluded.token, finished_at = NULL
        """,
    )


async def escalations_of(connection: Connection, alert_ids: Iterable[UUID]) -> dict[UUID, asyncpg.Record]:
    """The escalations of some alerts."""
    rows = await connection.fetch("SELECT * FROM alert_escalation WHERE alert_id = ANY ($1)", list(alert_ids))
    return {row["alert_id"]: row for row in rows}


async def lock_due(connection: Connection, now: datetime, limit: int) -> list[asyncpg.Record]:
    """Escalations that are due, each with its alert, both locked; those a person or a worker holds are left out."""
    return await connection.fetch(
        """
        SELECT a.*, e.chain_snapshot, e.step, e.since, e.next_step_at, e.token
        FROM alert_escalation e JOIN alert a USING (alert_id)
        WHERE e.next_step_at <= $1 ORDER BY e.next_step_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
        """,
        now,
        limit,
    )


async def set_step(connection: Connection, alert_id: UUID, token: UUID, changes: dict[str, Any]) -> None:
    """Write columns of an escalation that is still as `token` says; the caller holds its lock."""
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(changes, start=3))
    status = await connection.execute(
        f"UPDATE alert_escalation SET {sets} WHERE alert_id = $1 AND token = $2", alert_id, token, *changes.values()
    )
    assert status == "UPDATE 1", "the caller holds the row's lock"


async def wait_until(
    connection: Connection, alert_id: UUID, *, since: datetime, next_step_at: datetime, token: UUID
) -> None:
    """Begin to wait for something else: what an earlier timer was about to do is void."""
    await connection.execute(
        "UPDATE alert_escalation SET since = $2, next_step_at = $3, token = $4, finished_at = NULL "
        "WHERE alert_id = $1",
        alert_id,
        since,
        next_step_at,
        token,
    )


async def finish_escalation(connection: Connection, alert_id: UUID, *, token: UUID, now: datetime) -> None:
    """An alert that was answered climbs no more."""
    await connection.execute(
        "UPDATE alert_escalation SET next_step_at = NULL, finished_at = coalesce(finished_at, $2), token = $3 "
        "WHERE alert_id = $1",
        alert_id,
        now,
        token,
    )


async def move_steps(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write when escalations climb; rows of alert_id, next_step_at."""
    await connection.execute(
        "UPDATE alert_escalation e SET next_step_at = n.next_step_at "
        "FROM json_populate_recordset(NULL::alert_escalation, $1::json) n "
        "WHERE e.alert_id = n.alert_id AND e.next_step_at IS NOT NULL",
        list(rows),
    )


async def lock_without_escalation(connection: Connection, limit: int) -> list[asyncpg.Record]:
    """Open alerts that have people and no timer: those from before there were timers."""
    return await connection.fetch(
        """
        SELECT a.* FROM alert a WHERE a.status <> 'closed' AND a.routed_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM alert_escalation e WHERE e.alert_id = a.alert_id)
        ORDER BY a.alert_id LIMIT $1 FOR NO KEY UPDATE OF a SKIP LOCKED
        """,
        limit,
    )
