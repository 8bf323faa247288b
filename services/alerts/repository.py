"""The SQL of alerts. Every function works inside the caller's transaction and never commits.

Under the app role the policies of the tables show only the rows of the caller's scope; under the worker role, all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson

from services.alerts.domain.alert import Status
from services.alerts.domain.change import Known
from services.alerts.domain.duty import LADDER, Absence, Post, present
from shared.db.pool import to_json
from shared.vocabulary.division import lineage_of
from shared.vocabulary.terms import Role

Connection = asyncpg.Connection
# Whoever waits for several alerts takes them in this order, so that no two wait for each other for ever. An alert
# keeps its id; its subject is another when a household adopts it. What another holds may be skipped in any order.
LOCK_ORDER = "alert_id"
# And so with their messages.
MESSAGE_LOCK_ORDER = "n.alert_id, n.notification_id"
CALENDAR_LOCK = "hashtextextended('alerts.calendar', 0)"


class Row(Protocol):
    """A row by column names: a record of the database, or one to be written."""

    def __getitem__(self, name: str, /) -> Any: ...

    def keys(self) -> Iterable[str]: ...


async def insert_rows(
    connection: Connection, table: str, rows: Sequence[Row], *, conflict: str = "", returning: str = ""
) -> list[asyncpg.Record]:
    """Insert rows in one statement; their keys are the columns, the same in every row."""
    if not rows:
        return []
    columns = ", ".join(rows[0].keys())
    tail = f"{conflict} {'RETURNING ' + returning if returning else ''}"
    return await connection.fetch(
        f"INSERT INTO {table} ({columns}) "
        f"SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1::text::json) {tail}",
        rows_text(rows),
    )


def rows_text(rows: Sequence[Row]) -> str:
    """Rows as the JSON text that a statement reads them from, ten times as fast as the connection's own codec."""
    told = [row if type(row) is dict else dict(row) for row in rows]
    try:
        return orjson.dumps(told, default=str, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
    except orjson.JSONEncodeError:
        # A number beyond 64 bits.
        return to_json(told)


# --- subjects and alerts -------------------------------------------------------------------------------------


async def take_subjects(connection: Connection, rows: Sequence[Row]) -> dict[str, asyncpg.Record]:
    """Note subjects (subject, facts_version, report_ids) that are news altogether; those known before as they were.

    All are locked until the end of the transaction, in the order of the subject, as in `lock_subjects`; and the
    calendar is held. Of what is not in the answer there is no alert yet.
    """
    made = await connection.fetch(
        f"""
        WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({CALENDAR_LOCK}))
        INSERT INTO alert_subject (subject, facts_version, report_ids)
        SELECT n.subject, n.facts_version, n.report_ids
        FROM held, json_populate_recordset(NULL::alert_subject, $1::text::json) n ORDER BY n.subject
        ON CONFLICT DO NOTHING RETURNING subject
        """,
        rows_text(rows),
    )
    known = sorted({row["subject"] for row in rows} - {row["subject"] for row in made})
    return await _locked(connection, known) if known else {}


async def lock_subjects(connection: Connection, subjects: Iterable[str]) -> dict[str, asyncpg.Record]:
    """The newest facts and the reports seen of each subject, locked until the end of the transaction.

    Rows are taken in the order of the subject, so that two messages about the same subjects never deadlock.
    """
    wanted = sorted(set(subjects))
    await connection.execute(
        "INSERT INTO alert_subject (subject, facts_version) SELECT s, -1 FROM unnest($1::text[]) s ORDER BY s "
        "ON CONFLICT DO NOTHING",
        wanted,
    )
    return await _locked(connection, wanted)


async def _locked(connection: Connection, subjects: Sequence[str]) -> dict[str, asyncpg.Record]:
    rows = await connection.fetch(
        "SELECT subject, facts_version, report_ids FROM alert_subject WHERE subject = ANY ($1) "
        "ORDER BY subject FOR UPDATE",
        subjects,
    )
    return {row["subject"]: row for row in rows}


async def adopt_alerts(connection: Connection, reported: Iterable[tuple[str, str, str]]) -> frozenset[UUID]:
    """Hand the open alert of a report to the household it turned out to be of, if that has none open itself.

    `reported`: the report's subject, the household's subject and number. The caller holds the subjects and their
    alerts. The answer: which alerts went to another subject.
    """
    rows = list(reported)
    adopted = await connection.fetch(
        """
        UPDATE alert a SET subject = found.subject, household_no = found.household_no, version = a.version + 1
        FROM (
            SELECT DISTINCT ON (t.subject) t.subject, t.household_no, waiting.alert_id
            FROM unnest($1::text[], $2::text[], $3::text[]) AS t (report, subject, household_no)
            JOIN alert waiting ON waiting.subject = t.report AND waiting.status <> 'closed'
            WHERE NOT EXISTS (SELECT FROM alert o WHERE o.subject = t.subject AND o.status <> 'closed')
            ORDER BY t.subject, waiting.opened_at
        ) found
        WHERE a.alert_id = found.alert_id RETURNING a.alert_id
        """,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
    )
    return frozenset(row["alert_id"] for row in adopted)


async def lock_open_alerts(connection: Connection, subjects: Iterable[str]) -> dict[str, asyncpg.Record]:
    """The alert of each subject that is not closed, locked in `LOCK_ORDER`."""
    rows = await connection.fetch(
        "SELECT * FROM alert WHERE subject = ANY ($1) AND status <> 'closed' "
        f"ORDER BY {LOCK_ORDER} FOR NO KEY UPDATE",
        sorted(set(subjects)),
    )
    return {row["subject"]: row for row in rows}


async def last_closed_alerts(connection: Connection, subjects: Iterable[str]) -> dict[str, UUID]:
    """The alert of each subject that was closed last."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (subject) subject, alert_id FROM alert WHERE subject = ANY ($1) AND status = 'closed' "
        "ORDER BY subject, closed_at DESC",
        list(set(subjects)),
    )
    return {row["subject"]: row["alert_id"] for row in rows}


async def remember_subjects(connection: Connection, rows: Sequence[Row]) -> None:
    """Note the newest facts and the reports seen; rows of subject, facts_version, report_ids."""
    await connection.execute(
        """
        UPDATE alert_subject s SET facts_version = greatest(s.facts_version, n.facts_version),
            report_ids = ARRAY(SELECT DISTINCT unnest(s.report_ids || n.report_ids))
        FROM json_populate_recordset(NULL::alert_subject, $1::json) n WHERE n.subject = s.subject
        """,
        list(rows),
    )


async def extend_alerts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what news changed in open alerts; the columns of an extension, by alert_id."""
    if not rows:
        return
    columns = [name for name in rows[0] if name != "alert_id"]
    sets = ", ".join(f"{name} = n.{name}" for name in columns)
    await connection.execute(
        f"UPDATE alert a SET {sets} FROM json_populate_recordset(NULL::alert, $1::json) n "
        "WHERE a.alert_id = n.alert_id",
        list(rows),
    )


def known(subject: Row, alert: Row | None) -> Known:
    """What the tables know of a subject, as the domain asks for it."""
    status = Status(alert["status"]) if alert else None
    reports = frozenset(subject["report_ids"]) | frozenset(alert["report_ids"] if alert else ())
    return Known(subject["facts_version"], status, reports)


async def lock_alert(connection: Connection, alert_id: UUID) -> asyncpg.Record | None:
    """One alert, locked; None if there is none in the scope."""
    return await connection.fetchrow("SELECT * FROM alert WHERE alert_id = $1 FOR NO KEY UPDATE", alert_id)


async def update_alert(connection: Connection, alert_id: UUID, changes: Mapping[str, Any]) -> asyncpg.Record:
    """Write columns of one alert and raise its version."""
    sets = ", ".join(f"{name} = ${i}" for i, name in enumerate(changes, start=2))
    row = await connection.fetchrow(
        f"UPDATE alert SET {sets}, version = version + 1 WHERE alert_id = $1 RETURNING *",
        alert_id,
        *changes.values(),
    )
    assert row is not None, "the caller holds the row's lock"
    return row


async def cancel_deliveries(connection: Connection, alert_id: UUID, now: datetime) -> int:
    """Cancel what is not yet delivered of an alert, in flight or not; and what waits to be pushed or digested.

    A push about several alerts goes on as long as nobody has seen one of the others since it was told.
    """
    await connection.execute(
        f"""
        UPDATE notification SET outcome = 'cancelled', ended_at = $2 WHERE notification_id = ANY (ARRAY(
            SELECT n.notification_id FROM notification n WHERE n.alert_id = $1 AND n.outcome IS NULL
              AND (n.group_key IS NOT NULL OR n.decision = 'digest') AND n.decision <> 'suppress'
            ORDER BY {MESSAGE_LOCK_ORDER} FOR NO KEY UPDATE))
        """,
        alert_id,
        now,
    )
    status = await connection.execute(
        """
        UPDATE delivery d SET state = 'cancelled', due_at = NULL, lease_token = NULL, lease_until = NULL,
            settled_at = $2
        WHERE d.state IN ('due', 'uncertain') AND d.notification_id IN (
            SELECT coalesce(n.carried_by, n.notification_id) FROM notification n
            WHERE n.alert_id = $1 AND n.outcome IS DISTINCT FROM 'digested')
          AND NOT EXISTS (
            SELECT FROM notification m JOIN alert a ON a.alert_id = m.alert_id
            WHERE m.carried_by = d.notification_id AND a.alert_id <> $1 AND a.status <> 'closed'
              AND (a.acknowledged_at IS NULL OR a.acknowledged_at <= m.created_at))
        """,
        alert_id,
        now,
    )
    return int(status.rsplit(" ", 1)[1])


async def end_assignments(connection: Connection, alert_id: UUID, officers: Sequence[str], now: datetime) -> None:
    """These people no longer answer for the alert."""
    await connection.execute(
        "UPDATE assignment SET until = $3 WHERE alert_id = $1 AND officer_no = ANY ($2) AND until IS NULL",
        alert_id,
        officers,
        now,
    )


async def verification_of(connection: Connection, verification_id: UUID) -> asyncpg.Record | None:
    """The answer stored under an id."""
    return await connection.fetchrow("SELECT * FROM verification WHERE verification_id = $1", verification_id)


async def indicators_of(connection: Connection, alert_id: UUID) -> list[str]:
    """The indicators that fired behind an alert."""
    rows = await connection.fetch(
        "SELECT DISTINCT item ->> 'indicator' AS indicator FROM alert_evidence "
        "WHERE alert_id = $1 AND kind = 'finding' ORDER BY 1",
        alert_id,
    )
    return [row["indicator"] for row in rows]


async def lock_unrouted_alerts(
    connection: Connection, today: date, *, after: str, limit: int
) -> list[asyncpg.Record]:
    """Alerts that no person answers for, though somebody is on duty for the place; in order, after a subject."""
    return await connection.fetch(
        """
        SELECT a.* FROM alert a WHERE a.routed_at IS NULL AND a.status <> 'closed'
          AND EXISTS (SELECT 1 FROM duty d WHERE d.division <= a.living_division AND a.living_division < d.division_hi
                      AND d.role <> 'liaison' AND d.valid_from <= $1 AND (d.valid_to IS NULL OR d.valid_to > $1))
          AND a.subject > $2
        ORDER BY a.subject LIMIT $3 FOR NO KEY UPDATE OF a SKIP LOCKED
        """,
        today,
        after,
        limit,
    )


async def mark_routed(connection: Connection, alert_ids: Collection[UUID], now: datetime) -> None:
    """These alerts have a person now."""
    await connection.execute(
        "UPDATE alert SET routed_at = $2 WHERE alert_id = ANY ($1) AND routed_at IS NULL", list(alert_ids), now
    )


# --- people and routing --------------------------------------------------------------------------------------


async def posts_at(connection: Connection, places: Iterable[str], today: date) -> list[Post]:
    """The posts over each place as they are answered for today: a deputy for who is away, or nobody."""
    posts = await posts_held(connection, places, today)
    people = {person for post in posts for person in (post.officer_no, post.deputy) if person}
    return present(posts, await absences_on(connection, people, today), today)


async def posts_held(connection: Connection, places: Iterable[str], today: date) -> list[Post]:
    """The posts held today over each place, from the village up to the county and beyond.

    A deputy is known as one only where he may see what he is to answer for.
    """
    pairs = [(place, above) for place in sorted(set(places)) for above in lineage_of(place)]
    rows = await connection.fetch(
        """
        SELECT p.place, d.officer_no, d.role, d.division, s.officer_no AS deputy
        FROM unnest($1::text[], $2::text[]) AS p (place, above)
        JOIN duty d ON d.division = p.above
        JOIN officer o ON o.officer_no = d.officer_no AND o.active
        LEFT JOIN officer s ON s.officer_no = d.deputy_no AND s.active
             AND s.division <= d.division AND d.division < s.division_hi
        WHERE d.valid_from <= $3 AND (d.valid_to IS NULL OR d.valid_to > $3)
        """,
        [pair[0] for pair in pairs],
        [pair[1] for pair in pairs],
        today,
    )
    return [Post(row["place"], row["officer_no"], Role(row["role"]), row["division"], row["deputy"]) for row in rows]


async def absences_on(connection: Connection, officers: Iterable[str], on: date) -> list[Absence]:
    """Who of some officers is away on a day."""
    rows = await connection.fetch(
        "SELECT officer_no, first_day, last_day FROM absence "
        "WHERE officer_no = ANY ($1) AND first_day <= $2 AND last_day >= $2",
        list(officers),
        on,
    )
    return [Absence(row["officer_no"], row["first_day"], row["last_day"]) for row in rows]


async def assignments_of(connection: Connection, alert_ids: Iterable[UUID]) -> list[asyncpg.Record]:
    """The people who answer for the alerts now."""
    return await connection.fetch(
        "SELECT alert_id, officer_no, role, level, reach, since FROM assignment "
        "WHERE alert_id = ANY ($1) AND until IS NULL ORDER BY level, officer_no",
        list(alert_ids),
    )


async def endpoints_of(
    connection: Connection, officers: Iterable[str], divisions: Iterable[str], channels: Iterable[str]
) -> list[asyncpg.Record]:
    """The endpoints in use of some officers and of some divisions' groups."""
    return await connection.fetch(
        "SELECT endpoint_id, channel, officer_no, division, outlet_id, rank FROM endpoint WHERE state = 'active' "
        "AND channel = ANY ($3) AND (officer_no = ANY ($1) OR (officer_no IS NULL AND division = ANY ($2)))",
        list(set(officers)),
        list(set(divisions)),
        list(channels),
    )


async def take_item_numbers(connection: Connection, counts: Mapping[str, int]) -> dict[str, int]:
    """Reserve inbox numbers: the last number of each officer after his `counts` new items.

    The counter rows stay locked until the commit, in the order of the officer: an item with a higher number is never
    visible before one with a lower, so that a stream may go on after the last number it saw.
    """
    officers = sorted(counts)
    rows = await connection.fetch(
        """
        INSERT INTO inbox_counter AS c (officer_no, last_item_no)
        SELECT officer_no, n FROM unnest($1::text[], $2::bigint[]) AS w (officer_no, n) ORDER BY officer_no
        ON CONFLICT (officer_no) DO UPDATE SET last_item_no = c.last_item_no + excluded.last_item_no
        RETURNING officer_no, last_item_no
        """,
        officers,
        [counts[officer] for officer in officers],
    )
    return {row["officer_no"]: row["last_item_no"] for row in rows}


async def officer_on_duty(connection: Connection, officer_no: str, places: Iterable[str], today: date) -> Post | None:
    """The lowest post that an officer holds today over one of the places; None if he holds none."""
    found = await posts_at(connection, places, today)
    posts = [post for post in found if post.officer_no == officer_no and post.role in LADDER]
    return max(posts, key=lambda post: post.division, default=None)


# --- deliveries ----------------------------------------------------------------------------------------------


async def endpoints_by_id(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, asyncpg.Record]:
    """The endpoints that claimed deliveries go to."""
    rows = await connection.fetch("SELECT * FROM endpoint WHERE endpoint_id = ANY ($1)", list(ids))
    return {row["endpoint_id"]: row for row in rows}


async def set_endpoint_state(
    connection: Connection, endpoint_id: UUID, state: str, reason: str, now: datetime
) -> bool:
    """Take an endpoint out of use; False if it was out of use already."""
    status = await connection.execute(
        "UPDATE endpoint SET state = $2, state_reason = $3, updated_at = $4 "
        "WHERE endpoint_id = $1 AND state = 'active'",
        endpoint_id,
        state,
        reason,
        now,
    )
    return bool(status == "UPDATE 1")
