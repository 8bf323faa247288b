"""Drafts and publications in the database."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.monitoring.domain.policy_overlay import Change, Publication
from shared.vocabulary.division import code_range

_COLUMNS = """
    draft_id, version, division, place_name, base_version, changes, authored_by, authored_by_name, authored_at,
    approved_by, approved_by_name, approved_at, published_by_name, published_at, activates_on, comparison_id,
    capacity_reason, activated_at, withdrawn_by_name, withdrawn_at, withdrawn_reason
"""
STATE = """
    CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn'
         WHEN activated_at IS NOT NULL THEN 'in_force' WHEN published_at IS NOT NULL THEN 'published'
         WHEN approved_at IS NOT NULL THEN 'approved' ELSE 'draft' END
"""


def publication_of(row: Mapping[str, Any]) -> Publication:
    """What a row decides; one that is not published yet would hold from its own dates on."""
    changes = tuple(Change.from_data(each) for each in row["changes"])
    activates_on = row["activates_on"] or min(each.since for each in changes)
    return Publication(row["version"], row["division"], row["place_name"], activates_on, changes)


async def published(
    connection: asyncpg.Connection, places: Sequence[str], on: date, known_at: datetime | None
) -> tuple[Publication, ...]:
    """What these places had published by `known_at` and is active on a day, in the order of publication."""
    rows = await connection.fetch(
        """
        SELECT version, division, place_name, activates_on, changes FROM policy_draft
        WHERE division = ANY ($1::text[]) AND activates_on <= $2
          AND published_at <= coalesce($3::timestamptz, 'infinity')
        ORDER BY published_at, draft_id
        """,
        places,
        on,
        known_at,
    )
    return tuple(publication_of(dict(row)) for row in rows)


async def published_since(connection: asyncpg.Connection, division: str, since: datetime) -> bool:
    """Whether anything that concerns a division, its parts or what it lies in was published after a moment."""
    lo, hi = code_range(division)
    found: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM policy_draft WHERE published_at > $4
                       AND ((division >= $1 AND division < $2) OR division = ANY ($3::text[])))
        """,
        lo,
        hi,
        _above(division),
        since,
    )
    return found


def _above(division: str) -> list[str]:
    return [f"{division[:2]}0000000000", f"{division[:4]}00000000", f"{division[:6]}000000"]


async def add(connection: asyncpg.Connection, row: Mapping[str, Any]) -> None:
    names = ", ".join(row)
    binds = ", ".join(f"${index}" for index in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO policy_draft ({names}) VALUES ({binds})", *row.values())


async def find(connection: asyncpg.Connection, version: str) -> dict[str, Any] | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS}, {STATE} AS state FROM policy_draft WHERE version = $1", version
    )
    return dict(row) if row is not None else None


async def hold(connection: asyncpg.Connection, version: str) -> dict[str, Any] | None:
    """A draft of the caller's range, locked until the transaction ends."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS}, {STATE} AS state FROM policy_draft WHERE version = $1 FOR NO KEY UPDATE", version
    )
    return dict(row) if row is not None else None


async def several(
    connection: asyncpg.Connection,
    division: str,
    *,
    state: str | None,
    before: UUID | None,
    limit: int,
) -> list[dict[str, Any]]:
    """The drafts and publications of a division, of its parts and of what it lies in; newest first."""
    lo, hi = code_range(division)
    rows = await connection.fetch(
        f"""
        SELECT * FROM (SELECT {_COLUMNS}, {STATE} AS state FROM policy_draft
                       WHERE (division >= $1 AND division < $2) OR division = ANY ($3::text[])) d
        WHERE ($4::text IS NULL OR state = $4) AND ($5::uuid IS NULL OR draft_id < $5)
        ORDER BY draft_id DESC LIMIT $6
        """,
        lo,
        hi,
        _above(division),
        state,
        before,
        limit,
    )
    return [dict(row) for row in rows]


async def approve(connection: asyncpg.Connection, draft_id: UUID, by: str, name: str, now: datetime) -> None:
    await connection.execute(
        "UPDATE policy_draft SET approved_by = $2, approved_by_name = $3, approved_at = $4 WHERE draft_id = $1",
        draft_id,
        by,
        name,
        now,
    )


async def withdraw(
    connection: asyncpg.Connection, draft_id: UUID, *, by: str, name: str, reason: str, now: datetime
) -> None:
    await connection.execute(
        """
        UPDATE policy_draft SET withdrawn_by = $2, withdrawn_by_name = $3, withdrawn_reason = $4, withdrawn_at = $5
        WHERE draft_id = $1
        """,
        draft_id,
        by,
        name,
        reason,
        now,
    )


async def one_at_a_time(connection: asyncpg.Connection) -> None:
    """Wait until nobody else publishes: what a publication was checked against is then what it comes after."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('monitoring.policy_publication', 0))")


async def publish(
    connection: asyncpg.Connection,
    draft_id: UUID,
    *,
    by: str,
    name: str,
    activates_on: date,
    comparison_id: UUID,
    capacity_reason: str | None,
) -> datetime:
    """Publish, `one_at_a_time`: which of two is the later is the same for every reader. When it was."""
    published_at: datetime = await connection.fetchval(
        """
        UPDATE policy_draft SET published_by = $2, published_by_name = $3, published_at = clock_timestamp(),
               activates_on = $4, comparison_id = $5, capacity_reason = $6
        WHERE draft_id = $1 RETURNING published_at
        """,
        draft_id,
        by,
        name,
        activates_on,
        comparison_id,
        capacity_reason,
    )
    return published_at


async def to_activate(connection: asyncpg.Connection, today: date) -> dict[str, Any] | None:
    """A publication whose day has come, locked."""
    row = await connection.fetchrow(
        """
        SELECT draft_id, version, division FROM policy_draft
        WHERE activated_at IS NULL AND activates_on <= $1
        ORDER BY activates_on, published_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        """,
        today,
    )
    return dict(row) if row is not None else None


async def activated(connection: asyncpg.Connection, draft_id: UUID, now: datetime) -> None:
    await connection.execute("UPDATE policy_draft SET activated_at = $2 WHERE draft_id = $1", draft_id, now)


async def mark_elsewhere_due(connection: asyncpg.Connection, division: str, *, now: datetime, priority: int) -> int:
    """Make due who is judged by the values of a division and lives outside it; how many."""
    lo, hi = code_range(division)
    count: int = await connection.fetchval(
        """
        WITH area AS MATERIALIZED (
            SELECT household_id FROM household WHERE county >= left($1, 6) AND county < left($2, 6)
              AND NOT (living_division >= $1 AND living_division < $2)
            ORDER BY household_id FOR NO KEY UPDATE
        ), marked AS (
            UPDATE household h SET due_at = least(due_at, $3),
                   priority = CASE WHEN due_at IS NULL THEN $4 ELSE least(priority, $4) END
            FROM area WHERE h.household_id = area.household_id RETURNING 1
        )
        SELECT count(*) FROM marked
        """,
        lo,
        hi,
        now,
        priority,
    )
    return count
