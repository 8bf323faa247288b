"""The SQL of answers: steps under a client's id, tries, offers, second officers, re-checks, bursts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.repository import LOCK_ORDER, Connection, insert_rows

# What an offer or a re-check is listed with.
_OF_ALERT = "a.household_no, a.contact_name, a.living_division, a.registered_division, a.severity, a.status"


# --- steps and tries -----------------------------------------------------------------------------------------


async def claim_step(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Write a step under its id; False if the id stands for a step already."""
    conflict = "ON CONFLICT (step_id) DO NOTHING"
    return bool(await insert_rows(connection, "client_step", [row], conflict=conflict, returning="step_id"))


async def step_digest(connection: Connection, step_id: UUID) -> str | None:
    """What the step under an id was; None if it is out of the scope."""
    found: str | None = await connection.fetchval("SELECT digest FROM client_step WHERE step_id = $1", step_id)
    return found


async def days_tried(connection: Connection, alert_id: UUID) -> set[date]:
    """The days on which the household was tried in vain."""
    rows = await connection.fetch("SELECT DISTINCT tried_on FROM attempt WHERE alert_id = $1", alert_id)
    return {row["tried_on"] for row in rows}


async def lock_in_order(connection: Connection, alert_ids: Sequence[UUID]) -> None:
    """Lock alerts as news of them does, so that neither waits for the other for ever."""
    await connection.fetch(
        f"SELECT alert_id FROM alert WHERE alert_id = ANY ($1) ORDER BY {LOCK_ORDER} FOR NO KEY UPDATE",
        list(alert_ids),
    )


# --- offers --------------------------------------------------------------------------------------------------


async def handover_by_id(connection: Connection, handover_id: UUID) -> asyncpg.Record | None:
    """An offer; None if there is none in the scope."""
    return await connection.fetchrow("SELECT * FROM handover WHERE handover_id = $1", handover_id)


async def pending_handover(connection: Connection, alert_id: UUID) -> asyncpg.Record | None:
    """The offer of an alert that nobody has answered yet."""
    return await connection.fetchrow("SELECT * FROM handover WHERE alert_id = $1 AND state = 'pending'", alert_id)


async def settle_handover(
    connection: Connection, handover_id: UUID, state: str, answer: str | None, now: datetime
) -> asyncpg.Record:
    """Write what became of an offer."""
    row = await connection.fetchrow(
        "UPDATE handover SET state = $2, answer = $3, settled_at = $4 WHERE handover_id = $1 AND state = 'pending' "
        "RETURNING *",
        handover_id,
        state,
        answer,
        now,
    )
    assert row is not None, "the caller holds the alert's lock"
    return row


async def lapse_handover(connection: Connection, alert_id: UUID, now: datetime) -> None:
    """An alert that is answered is offered no more."""
    await connection.execute(
        "UPDATE handover SET state = 'lapsed', settled_at = $2 WHERE alert_id = $1 AND state = 'pending'",
        alert_id,
        now,
    )


async def list_handovers(
    connection: Connection,
    *,
    lo: str,
    hi: str,
    state: str | None,
    alert_id: UUID | None,
    officer_no: str | None,
    before: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Offers about alerts in [lo, hi), newest first; `officer_no`: those he gave or was given."""
    return await connection.fetch(
        f"""
        SELECT h.*, {_OF_ALERT} FROM handover h JOIN alert a USING (alert_id)
        WHERE ((a.living_division >= $1 AND a.living_division < $2)
               OR (a.registered_division >= $1 AND a.registered_division < $2))
          AND ($3::text IS NULL OR h.state = $3) AND ($4::uuid IS NULL OR h.alert_id = $4)
          AND ($5::text IS NULL OR $5 IN (h.from_officer_no, h.to_officer_no))
          AND ($6::uuid IS NULL OR h.handover_id < $6)
        ORDER BY h.handover_id DESC LIMIT $7
        """,
        lo,
        hi,
        state,
        alert_id,
        officer_no,
        before,
        limit,
    )


# --- second officers -----------------------------------------------------------------------------------------


async def second_opinion(
    connection: Connection, verification_id: UUID, state: str, officer_no: str, reason: str | None, now: datetime
) -> None:
    """Write what the second officer said of an answer."""
    await connection.execute(
        "UPDATE verification SET state = $2, second_officer_no = $3, second_reason = $4, second_at = $5 "
        "WHERE verification_id = $1",
        verification_id,
        state,
        officer_no,
        reason,
        now,
    )


# --- re-checks and bursts ------------------------------------------------------------------------------------


async def list_rechecks(
    connection: Connection,
    *,
    lo: str,
    hi: str,
    state: str | None,
    overdue_at: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Re-checks of alerts in [lo, hi), the nearest deadline first, with the answer they are of."""
    return await connection.fetch(
        f"""
        SELECT r.*, {_OF_ALERT}, v.outcome, v.verified_at, v.officer_no FROM recheck r
        JOIN alert a ON a.alert_id = r.alert_id JOIN verification v ON v.verification_id = r.verification_id
        WHERE ((a.living_division >= $1 AND a.living_division < $2)
               OR (a.registered_division >= $1 AND a.registered_division < $2))
          AND ($3::text IS NULL OR r.state = $3) AND ($4::timestamptz IS NULL OR (r.state = 'due' AND r.due_at <= $4))
          AND ($5::timestamptz IS NULL OR (r.due_at, r.verification_id) > ($5, $6))
        ORDER BY r.due_at, r.verification_id LIMIT $7
        """,
        lo,
        hi,
        state,
        overdue_at,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )


async def count_rechecks(connection: Connection, lo: str, hi: str) -> list[asyncpg.Record]:
    """Of each township in [lo, hi): how many answers were given, drawn, checked again, and found otherwise."""
    return await connection.fetch(
        """
        SELECT left(a.living_division, 9) || '000' AS township, count(*) AS answers, count(r.*) AS drawn,
               count(r.*) FILTER (WHERE r.state <> 'due') AS checked,
               count(r.*) FILTER (WHERE r.state = 'differs') AS differs
        FROM verification v JOIN alert a USING (alert_id) LEFT JOIN recheck r USING (verification_id)
        WHERE a.living_division >= $1 AND a.living_division < $2 AND v.state = 'stands' AND v.outcome <> 'identify'
        GROUP BY 1 ORDER BY 1
        """,
        lo,
        hi,
    )


async def rechecks_by_id(connection: Connection, verification_id: UUID) -> list[asyncpg.Record]:
    """One re-check as it is listed."""
    return await connection.fetch(
        f"SELECT r.*, {_OF_ALERT}, v.outcome, v.verified_at, v.officer_no FROM recheck r "
        "JOIN alert a ON a.alert_id = r.alert_id JOIN verification v ON v.verification_id = r.verification_id "
        "WHERE r.verification_id = $1",
        verification_id,
    )


async def recheck_by_id(connection: Connection, verification_id: UUID) -> asyncpg.Record | None:
    """A re-check with its answer, locked; None if there is none in the scope."""
    return await connection.fetchrow(
        "SELECT r.*, v.outcome, v.officer_no, v.second_officer_no, v.verified_at FROM recheck r "
        "JOIN verification v USING (verification_id) WHERE r.verification_id = $1 FOR UPDATE OF r",
        verification_id,
    )


async def settle_recheck(connection: Connection, verification_id: UUID, changes: Mapping[str, Any]) -> None:
    """Write what a re-check came to."""
    sets = ", ".join(f"{name} = ${i}" for i, name in enumerate(changes, start=2))
    await connection.execute(
        f"UPDATE recheck SET {sets} WHERE verification_id = $1 AND state = 'due'", verification_id, *changes.values()
    )


async def rechecks_to_open(connection: Connection, limit: int) -> list[asyncpg.Record]:
    """Re-checks that found something else and have not led to an alert yet, with the alert they are of."""
    return await connection.fetch(
        """
        SELECT r.verification_id, r.found, r.checked_by, r.checked_on, v.outcome AS answered,
               v.officer_no AS answered_by, v.second_officer_no, a.*
        FROM recheck r JOIN verification v USING (verification_id) JOIN alert a ON a.alert_id = r.alert_id
        WHERE r.state = 'differs' AND r.opened IS NULL ORDER BY a.subject, r.verification_id LIMIT $1
        FOR UPDATE OF r SKIP LOCKED
        """,
        limit,
    )


async def note_opened(connection: Connection, verification_id: UUID, alert_id: UUID) -> None:
    """Note the alert a re-check led to."""
    await connection.execute("UPDATE recheck SET opened = $2 WHERE verification_id = $1", verification_id, alert_id)


async def closings_since(connection: Connection, lo: str, hi: str, since: datetime) -> list[asyncpg.Record]:
    """The answers about alerts in [lo, hi) since a moment."""
    return await connection.fetch(
        """
        SELECT v.alert_id, v.officer_no, v.verified_at, v.contacted_by, v.contacted_on, v.minutes, v.method, v.outcome
        FROM verification v JOIN alert a USING (alert_id)
        WHERE v.verified_at >= $3 AND v.state <> 'refused'
          AND a.living_division >= $1 AND a.living_division < $2
        """,
        lo,
        hi,
        since,
    )
