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
# finds nothing inserted looks up why in a second, scoped transaction. Of a person only the first report of the day
# comes in this way (`first`); a further one is counted against the limits before, and comes as `counted`.
SUBMIT = f"""
WITH scope AS MATERIALIZED (
    SELECT set_config('app.lo', $1, true) AS lo, set_config('app.hi', $2, true) AS hi
), given AS MATERIALIZED (
    SELECT g.* FROM scope, unnest($3::text[], $4::text[], $5::text[], $6::bytea[], $7::uuid[], $8::timestamptz[],
        $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::text[], $14::bytea[], $15::bytea[], $16::text[],
        $17::bigint[], $18::text[], $19::date[], $20::uuid[], $21::text[], $22::text[], $23::uuid[], $24::text[],
        $25::text[], $26::text[], $27::text[], $28::bytea[], $29::text[], $30::text[], $31::bytea[], $32::uuid[],
        $33::bytea[], $34::timestamptz[], $35::bool[], $36::text[], $37::smallint[], $38::text[])
    AS g (client, client_kind, key, fingerprint, report_id, now, division, household_no, person_index, sealed_number,
        reporter_name, sealed_phone, sealed_description, hardships, amount_fen, on_behalf_of, reported_on, event_id,
        payload, traceparent, audit_id, request_id, channel, ticket_no, filed_by, sealed_filer, consent_version,
        basis, code_index, root_id, sealed_correction, day, counted, action, version, about_officer)
    WHERE scope.lo IS NOT NULL
), first AS (
    INSERT INTO limit_count (kind, subject, window_start, used)
    SELECT DISTINCT ON (person_index) 'person', person_index, day, 1 FROM given g
    WHERE NOT counted AND NOT EXISTS (SELECT FROM idempotency_key k WHERE (k.client, k.key) = (g.client, g.key))
    ORDER BY person_index
    ON CONFLICT DO NOTHING RETURNING subject
), admitted AS MATERIALIZED (
    SELECT * FROM given WHERE counted
    UNION ALL
    SELECT one.* FROM (
        SELECT DISTINCT ON (person_index) * FROM given WHERE NOT counted ORDER BY person_index, report_id
    ) one JOIN first ON first.subject = one.person_index
), fresh AS (
    INSERT INTO idempotency_key (client, key, fingerprint, status, answer, created_at)
    SELECT client, key, fingerprint, 202, jsonb_build_object('id', report_id), now FROM admitted
    ON CONFLICT DO NOTHING RETURNING (answer ->> 'id')::uuid AS report_id
), report AS (
    INSERT INTO self_report (report_id, client, division, household_no, person_index, sealed_number, reporter_name,
        sealed_phone, sealed_description, hardships, amount_fen, on_behalf_of, reported_on, received_at, channel,
        ticket_no, filed_by, sealed_filer, consent_version, basis, root_id, sealed_correction, version,
        about_officer)
    SELECT report_id, client, division, household_no, person_index, sealed_number, reporter_name, sealed_phone,
        sealed_description, string_to_array(hardships, ','), amount_fen, on_behalf_of, reported_on, now, channel,
        ticket_no, filed_by, sealed_filer, consent_version, basis, root_id, sealed_correction, version,
        about_officer
    FROM admitted JOIN fresh USING (report_id)
    ON CONFLICT DO NOTHING RETURNING report_id
), code AS (
    INSERT INTO receipt (code_index, report_id, division)
    SELECT code_index, report_id, division FROM admitted JOIN report USING (report_id) WHERE code_index IS NOT NULL
), message AS (
    INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, traceparent, created_at)
    SELECT event_id, 'self_report', 'report:' || report_id, '{OBSERVATIONS_RECORDED}', payload::jsonb, traceparent,
        now
    FROM admitted JOIN report USING (report_id) RETURNING id, created_at
), delivery AS (
    INSERT INTO outbox_delivery (outbox_id, subscription_id, due_at, priority)
    SELECT message.id, s.subscription_id, message.created_at, 0 FROM message, subscription s
    WHERE s.active AND '{OBSERVATIONS_RECORDED}' = ANY (s.types)
), trail AS (
    INSERT INTO audit_log (audit_id, at, actor, actor_kind, action, object, result, request_id, detail)
    SELECT audit_id, now, client, client_kind, action, 'report:' || report_id, 'ok', request_id, '{{}}'
    FROM admitted JOIN report USING (report_id)
)
SELECT report_id FROM report
"""


@dataclass(frozen=True, slots=True)
class NewReport:
    """Everything that submitting a report writes.

    `counted`: the limits were asked already, or do not apply. A correction names its first version (`root_id`) and
    has no receipt code of its own.
    """

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
    channel: str
    ticket_no: str | None
    filed_by: str
    sealed_filer: bytes | None
    consent_version: str | None
    basis: str | None
    code_index: bytes | None
    day: datetime
    root_id: UUID | None = None
    sealed_correction: bytes | None = None
    counted: bool = False
    action: str = "self_report.submit"
    version: int = 1
    about_officer: str | None = None


async def submit_all(pool: asyncpg.Pool | asyncpg.Connection, reports: Sequence[NewReport]) -> set[UUID]:
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
        new.channel,
        new.ticket_no,
        new.filed_by,
        new.sealed_filer,
        new.consent_version,
        new.basis,
        new.code_index,
        new.root_id,
        new.sealed_correction,
        new.day,
        new.counted,
        new.action,
        new.version,
        new.about_officer,
    )


async def key_used(connection: asyncpg.Connection, client: str, key: str) -> asyncpg.Record | None:
    """What the client sent under this key before: fingerprint, and the report it `made` (null: it only repeated)."""
    return await connection.fetchrow(
        "SELECT fingerprint, CASE WHEN NOT answer ? 'repeats' THEN (answer ->> 'id')::uuid END AS made"
        " FROM idempotency_key WHERE client = $1 AND key = $2",
        client,
        key,
    )


async def remember_key(connection: asyncpg.Connection, new: NewReport, first: UUID) -> None:
    """Keep the key of a request that only said again what another had said."""
    await connection.execute(
        "INSERT INTO idempotency_key (client, key, fingerprint, status, answer, created_at)"
        " VALUES ($1, $2, $3, 202, $4, $5) ON CONFLICT DO NOTHING",
        new.client,
        new.key,
        new.fingerprint,
        {"id": str(first), "repeats": True},
        new.now,
    )


async def first_report(connection: asyncpg.Connection, new: NewReport) -> UUID | None:
    """The report that said the same before: same ticket, or same place, person, day and hardships.

    One that was withdrawn says nothing any more: the same may be reported again.
    """
    found: UUID | None = await connection.fetchval(
        """
        SELECT report_id FROM self_report
        WHERE root_id IS NULL AND ((withdrawn_at IS NULL
                AND (division, person_index, reported_on, hardships) = ($1, $2, $3, $4))
            OR (channel, ticket_no, division) = ($5, $6, $1)) ORDER BY report_id LIMIT 1
        """,
        new.division,
        new.person_index,
        new.reported_on,
        new.hardships,
        new.channel,
        new.ticket_no,
    )
    return found


async def reported_since(connection: asyncpg.Connection, person: bytes, since: datetime) -> bool:
    """Whether the person made a report since then, as far as the scope shows."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM self_report WHERE person_index = $1 AND received_at >= $2 AND root_id IS NULL)",
        person,
        since,
    )
    return found


async def report_by_id(connection: asyncpg.Connection, report_id: UUID) -> asyncpg.Record | None:
    """The report, or a version of it, if it is in range; `taken_back_at`: since when the whole of it is withdrawn."""
    return await connection.fetchrow(
        """
        SELECT r.*, first.withdrawn_at AS taken_back_at
        FROM self_report r JOIN self_report first ON first.report_id = coalesce(r.root_id, r.report_id)
        WHERE r.report_id = $1
        """,
        report_id,
    )


STAGE_COLUMNS = {
    "matched": "matched_at",
    "unmatched": "unmatched_at",
    "assessed": "assessed_at",
    "routed": "routed_at",
    "delivered": "delivered_at",
    "acknowledged": "acknowledged_at",
    "verified": "verified_at",
}


async def note_answer(connection: asyncpg.Connection, report_id: UUID, outcome: str, answered_by: str | None) -> None:
    """Remember what a visit answered, and who gave the answer; of several the newest told stands."""
    await connection.execute(
        "UPDATE self_report SET outcome = $2, answered_by = $3 WHERE report_id = $1", report_id, outcome, answered_by
    )


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


async def receipt_no(connection: asyncpg.Connection, report_id: UUID) -> int | None:
    """Which of its receipt codes counts; None for a report made before there were any."""
    number: int | None = await connection.fetchval(
        "SELECT receipt_no FROM self_report JOIN receipt USING (report_id) WHERE report_id = $1",
        report_id,
    )
    return number


async def place_of_receipt(connection: asyncpg.Connection, code_index: bytes) -> asyncpg.Record | None:
    """Report and division that a receipt code opens."""
    return await connection.fetchrow("SELECT report_id, division FROM receipt WHERE code_index = $1", code_index)


async def versions_of(connection: asyncpg.Connection, root_id: UUID) -> list[asyncpg.Record]:
    """A report and its corrections, the oldest first."""
    return await connection.fetch(
        "SELECT * FROM self_report WHERE report_id = $1 OR root_id = $1 ORDER BY version", root_id
    )


async def lock_root(connection: asyncpg.Connection, report_id: UUID) -> asyncpg.Record | None:
    """The first version of a report, locked, by the id of any version in range."""
    return await connection.fetchrow(
        """
        SELECT * FROM self_report WHERE report_id =
            (SELECT coalesce(root_id, report_id) FROM self_report WHERE report_id = $1)
        FOR UPDATE
        """,
        report_id,
    )


async def withdraw(connection: asyncpg.Connection, root_id: UUID, sealed_reason: bytes, at: datetime) -> None:
    await connection.execute(
        "UPDATE self_report SET withdrawn_at = $3, sealed_withdrawal = $2 WHERE report_id = $1",
        root_id,
        sealed_reason,
        at,
    )


async def replace_receipt(
    connection: asyncpg.Connection, report_id: UUID, receipt_number: int, code_index: bytes, division: str
) -> None:
    """Let a new receipt code open a report, and the old one nothing."""
    await connection.execute("DELETE FROM receipt WHERE report_id = $1", report_id)
    await connection.execute(
        "INSERT INTO receipt (code_index, report_id, division) VALUES ($1, $2, $3)", code_index, report_id, division
    )
    await connection.execute("UPDATE self_report SET receipt_no = $2 WHERE report_id = $1", report_id, receipt_number)


async def reports_of_person(connection: asyncpg.Connection, person: bytes) -> list[asyncpg.Record]:
    """All first versions of a person's reports in scope, the newest first."""
    return await connection.fetch(
        "SELECT * FROM self_report WHERE person_index = $1 AND root_id IS NULL ORDER BY report_id DESC LIMIT 100",
        person,
    )
