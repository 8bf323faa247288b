"""The SQL of joint consultations (联合会商)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.repository import Connection, Row, insert_rows

_WITH_ALERT = (
    "c.*, a.household_no, a.contact_name, a.living_division, a.registered_division, a.severity, a.causes, a.status,"
    " x.reason AS cancel_reason, x.cancelled_at"
)
_JOINED = "consultation c JOIN alert a USING (alert_id) LEFT JOIN consultation_cancelled x USING (consultation_id)"


async def consultation_open(connection: Connection, alert_id: UUID) -> bool:
    """Whether a consultation about the alert is not decided yet."""
    found = await connection.fetchval("SELECT 1 FROM consultation WHERE alert_id = $1 AND state = 'open'", alert_id)
    return found is not None


async def consultation_by_id(connection: Connection, consultation_id: UUID) -> asyncpg.Record | None:
    """A consultation with its household; None if there is none in the scope."""
    return await connection.fetchrow(
        f"SELECT {_WITH_ALERT} FROM {_JOINED} WHERE c.consultation_id = $1",
        consultation_id,
    )


async def list_consultations(
    connection: Connection,
    *,
    lo: str,
    hi: str,
    state: str | None,
    department: str | None,
    overdue_on: date | None,
    before: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Consultations about households living in [lo, hi), newest first; `department`: those that ask it."""
    return await connection.fetch(
        f"""
        SELECT {_WITH_ALERT} FROM {_JOINED}
        WHERE a.living_division >= $1 AND a.living_division < $2 AND ($3::text IS NULL OR c.state = $3)
          AND ($4::text IS NULL OR $4 = ANY (c.departments))
          AND ($5::date IS NULL OR (c.state = 'open' AND c.meets_on < $5))
          AND ($6::uuid IS NULL OR c.consultation_id < $6)
        ORDER BY c.consultation_id DESC LIMIT $7
        """,
        lo,
        hi,
        state,
        department,
        overdue_on,
        before,
        limit,
    )


async def opinions_of(connection: Connection, consultation_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """The written opinions of some consultations, in the order they came."""
    return await connection.fetch(
        "SELECT * FROM consultation_opinion WHERE consultation_id = ANY ($1) ORDER BY written_at, department",
        list(consultation_ids),
    )


async def add_opinion(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Write a department's opinion; False if it gave one."""
    conflict = "ON CONFLICT (consultation_id, department) DO NOTHING"
    made = await insert_rows(connection, "consultation_opinion", [row], conflict=conflict, returning="department")
    return bool(made)


async def cancel(connection: Connection, row: Row) -> None:
    """Write that it is called off, and why; the caller holds the alert's lock."""
    await insert_rows(connection, "consultation_cancelled", [row])
    await connection.execute(
        "UPDATE consultation SET state = 'cancelled' WHERE consultation_id = $1", row["consultation_id"]
    )


async def decide(connection: Connection, consultation_id: UUID, changes: Mapping[str, Any]) -> None:
    """Write what was decided; the caller holds the alert's lock."""
    sets = ", ".join(f"{name} = ${i}" for i, name in enumerate(changes, start=2))
    await connection.execute(
        f"UPDATE consultation SET {sets}, state = 'decided' WHERE consultation_id = $1",
        consultation_id,
        *changes.values(),
    )
