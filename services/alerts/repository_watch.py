"""The SQL of the watch: what is late, and which incidents stand. Each is a statement of its own: it holds nothing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.domain.trouble import Late, Trouble

_DUE = "state = 'due' AND due_at < $1 AND (lease_until IS NULL OR lease_until < clock_timestamp())"
# What is late by itself: how much, and since when.
_LATE: Mapping[Trouble, str] = {
    Trouble.ESCALATIONS: "SELECT count(*) AS number, min(next_step_at) AS since FROM alert_escalation "
    "WHERE next_step_at < $1",
    Trouble.DELIVERIES: f"SELECT count(*) AS number, min(due_at) AS since FROM delivery WHERE {_DUE}",
    Trouble.OUTBOX: f"SELECT count(*) AS number, min(due_at) AS since FROM outbox_delivery WHERE {_DUE}",
    Trouble.TIMERS: "SELECT count(*) AS number, min(a.routed_at) AS since FROM alert a "
    "WHERE a.status <> 'closed' AND a.routed_at < $1 "
    "AND NOT EXISTS (SELECT FROM alert_escalation e WHERE e.alert_id = a.alert_id)",
}


async def find_late(pool: asyncpg.Pool, trouble: Trouble, before: datetime) -> Late | None:
    """What has been due since before a moment; None if nothing is."""
    row = await pool.fetchrow(_LATE[trouble], before)
    assert row is not None
    return Late(row["number"], row["since"]) if row["number"] else None


async def find_silent(pool: asyncpg.Pool, now: datetime, grace: timedelta) -> list[str]:
    """The tasks that have not come for twice their interval and the grace."""
    rows = await pool.fetch(
        "SELECT name FROM watch_beat "
        "WHERE last_at < $1::timestamptz - $2::interval - make_interval(secs => 2 * every_seconds) "
        "ORDER BY name",
        now,
        grace,
    )
    return [row["name"] for row in rows]


async def note_beat(pool: asyncpg.Pool, name: str, every: timedelta, now: datetime) -> None:
    """A task came; noted at most once in half its interval."""
    await pool.execute(
        "INSERT INTO watch_beat AS b (name, every_seconds, last_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (name) DO UPDATE SET every_seconds = excluded.every_seconds, last_at = excluded.last_at "
        "WHERE b.last_at < excluded.last_at - $4::interval",
        name,
        int(every.total_seconds()),
        now,
        every / 2,
    )


async def expect_beat(pool: asyncpg.Pool, name: str, every: timedelta, now: datetime) -> None:
    """A task that never came is late from the first time it was waited for."""
    await pool.execute(
        "INSERT INTO watch_beat (name, every_seconds, last_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        name,
        int(every.total_seconds()),
        now,
    )


async def open_incident(pool: asyncpg.Pool, row: Mapping[str, Any]) -> None:
    """Write an incident, unless the same trouble stands already."""
    await pool.execute(
        "INSERT INTO watch_incident (incident_id, trouble, detail, opened_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (trouble) WHERE closed_at IS NULL DO NOTHING",
        row["incident_id"],
        row["trouble"],
        row["detail"],
        row["opened_at"],
    )


async def close_incidents(pool: asyncpg.Pool, standing: list[str], now: datetime) -> None:
    """End the incidents whose trouble is over."""
    await pool.execute(
        "UPDATE watch_incident SET closed_at = $2 WHERE closed_at IS NULL AND NOT (trouble = ANY ($1))", standing, now
    )


async def take_untold(pool: asyncpg.Pool, now: datetime) -> list[asyncpg.Record]:
    """Incidents whose beginning or end was not told yet; they count as told from here on, so that one process tells.

    An incident that was over before anybody was told of it is told once, as over.
    """
    return await pool.fetch(
        "UPDATE watch_incident SET told_at = coalesce(told_at, $1), "
        "end_told_at = CASE WHEN closed_at IS NOT NULL THEN $1 END "
        "WHERE told_at IS NULL OR (closed_at IS NOT NULL AND end_told_at IS NULL) RETURNING *",
        now,
    )


async def give_back(pool: asyncpg.Pool, incident_id: UUID, *, is_over: bool) -> None:
    """An incident that could not be told is told the next time."""
    column = "end_told_at" if is_over else "told_at"
    await pool.execute(f"UPDATE watch_incident SET {column} = NULL WHERE incident_id = $1", incident_id)
