"""The SQL of departments' tasks: a liaison's are those of his own sector."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.repository import Connection, Row, insert_rows, posts_at
from shared.vocabulary.terms import Role

_WITH_ALERT = (
    "t.*, a.household_no, a.contact_name, a.contact_phone, a.living_division, a.registered_division, a.status"
)


async def add_tasks(connection: Connection, rows: Sequence[Row]) -> list[asyncpg.Record]:
    """Write tasks; a sector that has an open one for the household gets no second."""
    conflict = "ON CONFLICT (subject, sector) WHERE state <> 'closed' DO NOTHING"
    return await insert_rows(connection, "sector_task", rows, conflict=conflict, returning="*")


async def sentences_of(connection: Connection, alert_id: UUID) -> dict[str, str]:
    """What each fired indicator says of the household."""
    rows = await connection.fetch(
        "SELECT item ->> 'indicator' AS indicator, item ->> 'sentence' AS sentence FROM alert_evidence "
        "WHERE alert_id = $1 AND kind = 'finding' AND item ->> 'sentence' IS NOT NULL ORDER BY evidence_id",
        alert_id,
    )
    return {row["indicator"]: row["sentence"] for row in rows}


async def liaisons_at(connection: Connection, place: str, today: date) -> list[Row]:
    """Who answers for which department over a place today: its liaisons (部门联络员), or a deputy for who is away."""
    posts = [post for post in await posts_at(connection, [place], today) if post.role is Role.LIAISON]
    held = {post.stands_for or post.officer_no for post in posts}
    rows = await connection.fetch(
        "SELECT officer_no, department FROM officer WHERE officer_no = ANY ($1)", list(held)
    )
    department = {row["officer_no"]: row["department"] for row in rows}
    found = {(post.officer_no, department.get(post.stands_for or post.officer_no)) for post in posts}
    return [{"officer_no": officer_no, "department": of} for officer_no, of in sorted(found, key=str)]


async def task_by_id(connection: Connection, task_id: UUID, sector: str | None) -> asyncpg.Record | None:
    """A task with its household; None if there is none in the scope, or it is another sector's."""
    return await connection.fetchrow(
        f"SELECT {_WITH_ALERT} FROM sector_task t JOIN alert a USING (alert_id) "
        "WHERE t.task_id = $1 AND ($2::text IS NULL OR t.sector = $2)",
        task_id,
        sector,
    )


async def list_tasks(
    connection: Connection,
    *,
    lo: str,
    hi: str,
    sector: str | None,
    state: str | None,
    overdue_at: datetime | None,
    before: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Tasks about households living in [lo, hi), newest first."""
    return await connection.fetch(
        f"""
        SELECT {_WITH_ALERT} FROM sector_task t JOIN alert a USING (alert_id)
        WHERE a.living_division >= $1 AND a.living_division < $2
          AND ($3::text IS NULL OR t.sector = $3) AND ($4::text IS NULL OR t.state = $4)
          AND ($5::timestamptz IS NULL OR (t.state = 'open' AND t.due_at <= $5))
          AND ($6::uuid IS NULL OR t.task_id < $6)
        ORDER BY t.task_id DESC LIMIT $7
        """,
        lo,
        hi,
        sector,
        state,
        overdue_at,
        before,
        limit,
    )


async def update_task(connection: Connection, task_id: UUID, changes: Mapping[str, Any]) -> None:
    """Write columns of one task; the caller holds its alert's lock."""
    sets = ", ".join(f"{name} = ${i}" for i, name in enumerate(changes, start=2))
    await connection.execute(f"UPDATE sector_task SET {sets} WHERE task_id = $1", task_id, *changes.values())


async def log_of_task(connection: Connection, task_id: UUID) -> list[asyncpg.Record]:
    """What was done to a task, in order."""
    return await connection.fetch("SELECT * FROM sector_task_log WHERE task_id = $1 ORDER BY log_id", task_id)
