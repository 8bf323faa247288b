"""Assessments in the database: households due, what stands of them, and writing what changed, in sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from shared.queue.claim import LeaseLost, Queue, claim

HOUSEHOLDS = Queue("household", ("household_id",))
BULK = 9
_CLAIMED = "household_id, county, lease_token"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a household remembers of an assessment that somebody looked at."""

    household_id: int
    risk: Mapping[str, Any]
    answered: Mapping[str, Any] | None
    warned_at: datetime | None


async def claim_due(
    connection: asyncpg.Connection, *, now: datetime, limit: int, lease: timedelta, patience: timedelta | None = None
) -> tuple[UUID | None, dict[str, list[int]]]:
    """Claim households due, most urgent first; the fencing token, and the households by county.

    With `patience`, of those that only bulk made due, none that waited less than that long.
    """
    take = partial(claim, connection, HOUSEHOLDS, limit=limit, lease=lease, returning=_CLAIMED)
    if patience is None:
        rows = await take(now=now)
    else:
        rows = await take(now=now, extra=f"priority < {BULK}") or await take(now=now - patience)
    by_county: dict[str, list[int]] = {}
    for row in rows:
        by_county.setdefault(row["county"], []).append(row["household_id"])
    return (rows[0]["lease_token"] if rows else None), by_county


async def hold(
    connection: asyncpg.Connection, household_ids: Sequence[int], token: UUID
) -> dict[int, dict[str, Any]]:
    """Lock claimed households and read how they stand; raises LeaseLost if one is no longer ours.

    While they are locked nobody appends facts to them, so what is assessed is what will be marked as done.
    """
    rows = await connection.fetch(
        """
        SELECT h.household_id, h.household_no, h.living_division, h.registered_division, h.head_name, h.phone,
               h.listed_as, h.facts_version, h.recommendation, h.risk, h.answered, h.warned_at, h.waiting_reports
        FROM household h
        WHERE h.household_id = ANY ($1::bigint[]) AND h.lease_token = $2
        ORDER BY h.household_id FOR NO KEY UPDATE OF h
        """,
        household_ids,
        token,
    )
    if len(rows) < len(household_ids):
        raise LeaseLost
    return {row["household_id"]: dict(row) for row in rows}


async def evaluate(
    connection: asyncpg.Connection, statement: str, binds: Sequence[object]
) -> dict[int, dict[str, Any]]:
    """Run a compiled policy; its rows by household.

    Without nested loops: on tables that were just filled the planner expects one row, takes them, and needs ten
    times as long; for one household it makes no difference.
    """
    await connection.execute("SET LOCAL enable_nestloop = off")
    rows = await connection.fetch(statement, *binds)
    await connection.execute("SET LOCAL enable_nestloop = on")
    return {row["household_id"]: dict(row) for row in rows}


async def remember(connection: asyncpg.Connection, remembered: Sequence[Remembered]) -> None:
    """Let households know what was judged of them; they are ours, locked since what stands was written."""
    await connection.execute(
        """
        UPDATE household h SET risk = n.risk, answered = n.answered, warned_at = n.warned_at
        FROM unnest($1::bigint[], $2::jsonb[], $3::jsonb[], $4::timestamptz[])
             AS n (household_id, risk, answered, warned_at)
        WHERE h.household_id = ANY ($1::bigint[]) AND h.household_id = n.household_id
        """,
        [each.household_id for each in remembered],
        [dict(each.risk) for each in remembered],
        [each.answered for each in remembered],
        [each.warned_at for each in remembered],
    )


async def put_off(connection: asyncpg.Connection, household_ids: Sequence[int], token: UUID, until: datetime) -> None:
    """Give claimed households back, due again at `until`; their reports have been told."""
    await connection.execute(
        """
        UPDATE household SET due_at = $3, lease_until = NULL, lease_token = NULL, waiting_reports = '[]'
        WHERE household_id = ANY ($1::bigint[]) AND lease_token = $2
        """,
        household_ids,
        token,
        until,
    )


async def newer_kinds(connection: asyncpg.Connection, county: str, since: Mapping[int, int]) -> dict[int, set[str]]:
    """The kinds of fact that came to each household after the given facts_version."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT f.household_id, f.kind FROM unnest($2::bigint[], $3::bigint[]) AS s (household_id, version)
        JOIN fact f ON f.household_id = s.household_id AND f.facts_version > s.version
        WHERE f.county = $1 AND f.superseded_at IS NULL
        """,
        county,
        list(since),
        list(since.values()),
    )
    kinds: dict[int, set[str]] = {}
    for row in rows:
        kinds.setdefault(row["household_id"], set()).add(row["kind"])
    return kinds


async def evidence_of(
    connection: asyncpg.Connection, county: str, household_ids: Sequence[int], since: date
) -> dict[int, list[dict[str, Any]]]:
    """What was found out of these households since a day, newest first, at most fifty of each."""
    rows = await connection.fetch(
        """
        SELECT f.household_id, f.kind, f.occurred_on, f.source, f.department, f.value,
               f.attributes ->> 'about_officer' AS about_officer
        FROM unnest($2::bigint[]) AS c (household_id)
        CROSS JOIN LATERAL (
            SELECT * FROM fact WHERE county = $1 AND household_id = c.household_id AND superseded_at IS NULL
              AND (occurred_on >= $3 OR kind = 'state.dwelling')
              AND (kind LIKE 'expense.%' OR kind LIKE 'event.%' OR kind LIKE 'loan.%' OR kind = 'state.dwelling')
            ORDER BY occurred_on DESC, fact_id DESC LIMIT 50
        ) f ORDER BY f.household_id, f.occurred_on DESC, f.fact_id DESC
        """,
        county,
        household_ids,
        since,
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["household_id"], []).append(dict(row))
    return found
