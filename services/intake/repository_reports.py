"""SQL of self-reports. The one of submitting is a single statement: a round trip is most of what a report costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.contracts.intake import OBSERVATIONS_RECORDED
from shared.db.pool import to_json

Scope = tuple[str, str]

# The scope is set by the statement itself: each insert reads from the one before it, and so happens after it. Whoever
# finds nothing inserted looks up why in a second, scoped transaction.
SUBMIT = f"""
WITH scope AS MATERIALIZED (
    SELECT set_config('app.lo', $1, true) AS lo, set_config('app.hi', $2, true) AS hi
), given AS MATERIALIZED (
    SELECT g.* FROM scope, unnest($3::text[], $4::text[], $5::text[], $6::bytea[], $7::uuid[], $8::timestamptz[],
        $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::text[], $14::bytea[], $15::bytea[], $16::text[],
        $17::bigint[], $18::text[], $19::date[], $20::uuid[], $21::text[], $22::text[], $23::uuid[], $24::text[])
    AS g (client, client_kind, key, fingerprint, report_id, now, division, household_no, person_index, sealed_number,
        reporter_name, sealed_phone, sealed_description, hardships, amount_fen, on_behalf_of, reported_on, event_id,
        payload, traceparent, audit_id, request_id)
    WHERE scope.lo IS NOT NULL
), fresh AS (
    INSERT INTO idempotency_key (client, key, fingerprint, status, answer, created_at)
    SELECT client, key, fingerprint, 202, jsonb_build_object('id', report_id), now FROM given
    ON CONFLICT DO NOTHING RETURNING (answer ->> 'id')::uuid AS report_id
), report AS (
    INSERT INTO self_report (report_id, client, division, household_no, person_index, sealed_number, reporter_name,
        sealed_phone, sealed_description, hardships, amount_fen, on_behalf_of, reported_on, received_at)
    SELECT report_id, client, division, household_no, person_index, sealed_number, reporter_name, sealed_phone,
        sealed_description, string_to_array(hardships, ','), amount_fen, on_behalf_of, reported_on, now
    FROM given JOIN fresh USING (report_id)
    ON CONFLICT ON CONSTRAINT uq_self_report_natural_key DO NOTHING RETURNING report_id
), message AS (
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, traceparent, created_at)
    SELECT event_id, 'self_report', 'report:' || report_id, '{OBSERVATIONS_RECORDED}', payload::jsonb, traceparent,
        now
    FROM given JOIN report USING (report_id) RETURNING id, created_at
), delivery AS (
    INSERT INTO outbox_delivery (outbox_id, subscription_id, due_at, priority)
    SELECT message.id, s.subscription_id, message.created_at, 0 FROM message, subscription s
    WHERE s.active AND '{OBSERVATIONS_RECORDED}' = ANY (s.types)
), trail AS (
    INSERT INTO audit_log (audit_id, at, actor, actor_kind, action, object, result, request_id, detail)
    SELECT audit_id, now, client, client_kind, 'self_report.submit', 'report:' || report_id, 'ok', request_id, '{{}}'
    FROM given JOIN report USING (report_id)
)
SELECT report_id FROM report
"""


@dataclass(frozen=True, slots=True)
class NewReport:
    """Everything that submitting a report writes."""

    scope: Scope
    client: str
    client_kind: str
    key: str
    fingerprint: bytes
    report_id: UUID
    now: datetime
    division: str
    household_no: str | None
    person_index: bytes
    sealed_number: bytes
    reporter_name: str
    sealed_phone: bytes | None
    sealed_description: bytes | None
    hardships: tuple[str, ...]
    amount_fen: int | None
    on_behalf_of: str | None
    reported_on: date
    event_id: UUID
    payload: Mapping[str, Any]
    traceparent: str
    audit_id: UUID
    request_id: str


async def submit_all(pool: asyncpg.Pool, reports: Sequence[NewReport]) -> set[UUID]:
    """Store key, report, message and audit row of each in one statement; the ids of those that were not known.

    All share one scope.
    """
    columns = zip(*map(_row, reports), strict=True)
    return {row["report_id"] for row in await pool.fetch(SUBMIT, *reports[0].scope, *map(list, columns))}


def _row(new: NewReport) -> tuple[object, ...]:
    return (
        new.client,
        new.client_kind,
        new.key,
        new.fingerprint,
        new.report_id,
        new.now,
        new.division,
        new.household_no,
        new.person_index,
        new.sealed_number,
        new.reporter_name,
        new.sealed_phone,
        new.sealed_description,
        ",".join(new.hardships),
        new.amount_fen,
        new.on_behalf_of,
        new.reported_on,
        new.event_id,
        to_json(new.payload),
        new.traceparent,
        new.audit_id,
        new.request_id,
    )


async def fingerprint_of(connection: asyncpg.Connection, client: str, key: str) -> bytes | None:
    """What the client sent under this key before."""
    found: bytes | None = await connection.fetchval(
        "SELECT fingerprint FROM idempotency_key WHERE client = $1 AND key = $2", client, key
    )
    return found


async def first_report(connection: asyncpg.Connection, new: NewReport) -> UUID | None:
    """The report that said the same before: same place, person, day and hardships."""
    found: UUID | None = await connection.fetchval(
        "SELECT report_id FROM self_report WHERE (division, person_index, reported_on, hardships) = ($1, $2, $3, $4)",
        new.division,
        new.person_index,
        new.reported_on,
        new.hardships,
    )
    return found


async def report_by_id(connection: asyncpg.Connection, report_id: UUID) -> asyncpg.Record | None:
    """The report, if it is in range."""
    return await connection.fetchrow("SELECT * FROM self_report WHERE report_id = $1", report_id)


STAGE_COLUMNS = {
    "matched": "matched_at",
    "unmatched": "unmatched_at",
    "assessed": "assessed_at",
    "routed": "routed_at",
    "delivered": "delivered_at",
    "acknowledged": "acknowledged_at",
    "verified": "verified_at",
}


async def note_stage(
    connection: asyncpg.Connection, report_id: UUID, stage: str, at: datetime, alert_id: UUID | None = None
) -> None:
    """Remember when a report first reached a stage, and its newest alert; however often said, in any order."""
    column = STAGE_COLUMNS[stage]
    await connection.execute(
        f"UPDATE self_report SET {column} = least({column}, $2), alert_id = greatest(alert_id, $3)"
        " WHERE report_id = $1",
        report_id,
        at,
        alert_id,
    )
