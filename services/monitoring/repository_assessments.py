"""Assessments in the database: households due, what stands of them, and writing what changed, in sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from shared.queue.claim import LeaseLost, Queue, claim

HOUSEHOLDS = Queue("household", ("household_id",))

# The order of the compiled statement's masks, which the assessment row keeps as columns of its own.
MASKS = ("causes", "fired", "unknown", "flags")


@dataclass(frozen=True, slots=True)
class NewAssessment:
    """An assessment to be appended; `measured` is the compiled statement's row."""

    household_id: int
    recommendation: str | None
    severity: int | None
    score: int
    confidence_percent: int
    measured: Mapping[str, Any]
    digest: bytes
    facts_version: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A household whose assessment is done: what stands from now on."""

    household_id: int
    assessment_id: int
    recommendation: str | None
    severity: int | None
    score: int
    next_change_on: date
    risk: Mapping[str, Any]
    answered: Mapping[str, Any] | None
    warned_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """By what and when a batch was assessed."""

    county: str
    on: date
    known_at: datetime
    policy_version: str
    engine_version: str


async def claim_due(
    connection: asyncpg.Connection, *, now: datetime, limit: int, lease: timedelta
) -> tuple[UUID | None, dict[str, list[int]]]:
    """Claim households due, most urgent first; the fencing token, and the households by county."""
    rows = await claim(
        connection, HOUSEHOLDS, now=now, limit=limit, lease=lease, returning="household_id, county, lease_token"
    )
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
               h.listed_as, h.facts_version, h.recommendation, h.risk, h.answered, h.warned_at, h.waiting_reports,
               h.assessment_id, a.digest, a.on_date, a.policy_version, a.engine_version, a.measured
        FROM household h LEFT JOIN assessment a ON a.assessment_id = h.assessment_id
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


async def append(connection: asyncpg.Connection, new: Sequence[NewAssessment], run: Run) -> dict[int, int]:
    """Append assessments; the assessment_id of each household's."""
    rows = await connection.fetch(
        """
        INSERT INTO assessment (household_id, county, on_date, known_at, policy_version, engine_version,
            recommendation, severity, score, causes, fired, unknown, flags, confidence_percent, measured, digest,
            facts_version)
        SELECT n.household_id, $1, $2, $3, $4, $5, n.recommendation, n.severity, n.score, n.causes, n.fired,
               n.unknown, n.flags, n.confidence_percent, n.measured, n.digest, n.facts_version
        FROM unnest($6::bigint[], $7::text[], $8::smallint[], $9::smallint[], $10::bigint[], $11::bigint[],
                    $12::bigint[], $13::bigint[], $14::smallint[], $15::jsonb[], $16::bytea[], $17::bigint[])
             AS n (household_id, recommendation, severity, score, causes, fired, unknown, flags, confidence_percent,
                   measured, digest, facts_version)
        RETURNING household_id, assessment_id
        """,
        run.county,
        run.on,
        run.known_at,
        run.policy_version,
        run.engine_version,
        [n.household_id for n in new],
        [n.recommendation for n in new],
        [n.severity for n in new],
        [n.score for n in new],
        *([n.measured[mask] for n in new] for mask in MASKS),
        [n.confidence_percent for n in new],
        [dict(n.measured) for n in new],
        [n.digest for n in new],
        [n.facts_version for n in new],
    )
    return {row["household_id"]: row["assessment_id"] for row in rows}


async def finish(connection: asyncpg.Connection, finished: Sequence[Finished]) -> None:
    """Release assessed households with what stands of them now; they are ours, locked since `hold` saw the token."""
    await connection.execute(
        """
        UPDATE household h SET due_at = NULL, lease_until = NULL, lease_token = NULL, attempts = 0,
               assessment_id = n.assessment_id, recommendation = n.recommendation, severity = n.severity,
               score = n.score, next_change_on = n.next_change_on, risk = n.risk, answered = n.answered,
               warned_at = n.warned_at, waiting_reports = '[]'
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::smallint[], $5::smallint[], $6::date[], $7::jsonb[],
                    $8::jsonb[], $9::timestamptz[])
             AS n (household_id, assessment_id, recommendation, severity, score, next_change_on, risk, answered,
                   warned_at)
        WHERE h.household_id = n.household_id
        """,
        [f.household_id for f in finished],
        [f.assessment_id for f in finished],
        [f.recommendation for f in finished],
        [f.severity for f in finished],
        [f.score for f in finished],
        [f.next_change_on for f in finished],
        [dict(f.risk) for f in finished],
        [f.answered for f in finished],
        [f.warned_at for f in finished],
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


async def expiries(
    connection: asyncpg.Connection, county: str, household_ids: Sequence[int], on: date
) -> dict[int, date]:
    """The first day after `on` on which a fact or a membership of each household begins or ends, if there is one."""
    rows = await connection.fetch(
        """
        SELECT c.household_id, least(f.day, m.day) AS day FROM unnest($2::bigint[]) AS c (household_id)
        CROSS JOIN LATERAL (
            SELECT min(day) AS day FROM fact, LATERAL (VALUES (occurred_on), (ended_on)) AS d (day)
            WHERE county = $1 AND household_id = c.household_id AND superseded_at IS NULL AND day > $3
        ) f
        CROSS JOIN LATERAL (
            SELECT min(day) AS day FROM household_member, LATERAL (VALUES (valid_from), (valid_to)) AS d (day)
            WHERE household_id = c.household_id AND superseded_at IS NULL AND day > $3
        ) m
        WHERE f.day IS NOT NULL OR m.day IS NOT NULL
        """,
        county,
        household_ids,
        on,
    )
    return {row["household_id"]: row["day"] for row in rows}


async def evidence_of(
    connection: asyncpg.Connection, county: str, household_ids: Sequence[int], since: date
) -> dict[int, list[dict[str, Any]]]:
    """What was found out of these households since a day, newest first, at most fifty of each."""
    rows = await connection.fetch(
        """
        SELECT f.household_id, f.kind, f.occurred_on, f.source, f.department, f.value
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
