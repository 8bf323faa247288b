"""The SQL of what the county keeps: officers, duties, endpoints."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.channels_in_use import RANKS
from services.alerts.repository import Connection, Row, insert_rows
from services.alerts.repository_deliveries import SMTP_OUTLET

_WITH_HEALTH = """
SELECT e.*, o.per_minute, o.burst, o.failures, o.blocked_until FROM endpoint e JOIN outlet o USING (outlet_id)
"""


async def list_officers(
    connection: Connection, lo: str, hi: str, *, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """Officers of [lo, hi) in the order of their numbers."""
    return await connection.fetch(
        "SELECT * FROM officer WHERE division >= $1 AND division < $2 AND ($3::text IS NULL OR officer_no > $3) "
        "ORDER BY officer_no LIMIT $4",
        lo,
        hi,
        after,
        limit,
    )


async def list_duties(
    connection: Connection, lo: str, hi: str, *, on: date | None, after: int | None, limit: int
) -> list[asyncpg.Record]:
    """Posts in [lo, hi) with their holders' names, of all times or `on` a day."""
    return await connection.fetch(
        """
        SELECT d.*, o.name FROM duty d JOIN officer o USING (officer_no)
        WHERE d.division >= $1 AND d.division < $2 AND ($4::bigint IS NULL OR d.duty_id > $4)
          AND ($3::date IS NULL OR (o.active AND d.valid_from <= $3 AND (d.valid_to IS NULL OR d.valid_to > $3)))
        ORDER BY d.duty_id LIMIT $5
        """,
        lo,
        hi,
        on,
        after,
        limit,
    )


async def put_officers(connection: Connection, rows: Sequence[Row]) -> set[str]:
    """Insert officers or change them, but for their homes; who is new or changed."""
    made = await insert_rows(
        connection,
        "officer",
        rows,
        returning="officer_no",
        conflict="""
        ON CONFLICT (officer_no) DO UPDATE SET name = excluded.name, phone = excluded.phone, email = excluded.email,
            active = excluded.active, household_no = coalesce(excluded.household_no, officer.household_no),
            department = coalesce(excluded.department, officer.department), updated_at = excluded.updated_at
        WHERE (officer.name, officer.phone, officer.email, officer.active, officer.household_no, officer.department)
              IS DISTINCT FROM (excluded.name, excluded.phone, excluded.email, excluded.active,
               coalesce(excluded.household_no, officer.household_no),
               coalesce(excluded.department, officer.department))
        """,
    )
    return {row["officer_no"] for row in made}


async def places_held(connection: Connection, officers: Iterable[str] | None, on: date) -> list[asyncpg.Record]:
    """The homes of some officers (None: of all), and where they hold posts on a day, as far as they may be seen."""
    return await connection.fetch(
        "SELECT officer_no, o.division AS home, array_agg(DISTINCT d.division) AS places "
        "FROM duty d JOIN officer o USING (officer_no) WHERE ($1::text[] IS NULL OR officer_no = ANY ($1)) "
        "AND d.valid_from <= $2 AND (d.valid_to IS NULL OR d.valid_to > $2) GROUP BY officer_no, o.division "
        "ORDER BY officer_no",
        None if officers is None else list(officers),
        on,
    )


async def move_homes(connection: Connection, rows: Sequence[Row]) -> set[str]:
    """Write homes, and that their officers' mail is owned there, as the next list will say; who moved."""
    moved = await connection.fetch(
        """
        UPDATE officer o SET division = n.division, division_hi = n.division_hi, updated_at = n.updated_at
        FROM json_populate_recordset(NULL::officer, $1::json) n
        WHERE o.officer_no = n.officer_no RETURNING o.officer_no
        """,
        list(rows),
    )
    people = [row["officer_no"] for row in moved]
    await connection.execute(
        """
        UPDATE endpoint e SET division = o.division, division_hi = o.division_hi FROM officer o
        WHERE o.officer_no = ANY ($1) AND e.officer_no = o.officer_no AND e.division <> o.division
          AND e.channel = 'smtp'
          AND NOT EXISTS (SELECT FROM endpoint x WHERE x.officer_no = e.officer_no AND x.channel = e.channel
                          AND x.address = e.address AND x.endpoint_id <> e.endpoint_id)
        """,
        people,
    )
    return set(people)


async def add_current_duties(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add posts that their officers do not hold at `valid_from` already, change what is said of the others; how many.

    What a row does not say (end, deputy, households) stays as it is.
    """
    changed = await connection.fetch(
        """
        UPDATE duty d SET valid_to = coalesce(n.valid_to, d.valid_to),
            deputy_no = coalesce(n.deputy_no, d.deputy_no), households = coalesce(n.households, d.households)
        FROM json_populate_recordset(NULL::duty, $1::json) n
        WHERE d.officer_no = n.officer_no AND d.role = n.role AND d.division = n.division
          AND d.valid_from <= n.valid_from AND (d.valid_to IS NULL OR d.valid_to > n.valid_from)
          AND (d.valid_to, d.deputy_no, d.households) IS DISTINCT FROM
              (coalesce(n.valid_to, d.valid_to), coalesce(n.deputy_no, d.deputy_no),
               coalesce(n.households, d.households))
        RETURNING d.duty_id
        """,
        list(rows),
    )
    made = await connection.fetch(
        """
        INSERT INTO duty (officer_no, role, division, division_hi, valid_from, valid_to, deputy_no, households)
        SELECT n.officer_no, n.role, n.division, n.division_hi, n.valid_from, n.valid_to, n.deputy_no, n.households
        FROM json_populate_recordset(NULL::duty, $1::json) n
        WHERE NOT EXISTS (
            SELECT 1 FROM duty d WHERE d.officer_no = n.officer_no AND d.role = n.role AND d.division = n.division
              AND d.valid_from <= n.valid_from AND (d.valid_to IS NULL OR d.valid_to > n.valid_from))
        ON CONFLICT DO NOTHING RETURNING duty_id
        """,
        list(rows),
    )
    return len(changed) + len(made)


async def homes_of(connection: Connection, officers: Iterable[str]) -> dict[str, str]:
    """The home division of those of some officers who are in service and may be seen."""
    rows = await connection.fetch(
        "SELECT officer_no, division FROM officer WHERE officer_no = ANY ($1) AND active", list(officers)
    )
    return {row["officer_no"]: row["division"] for row in rows}


async def put_duty(connection: Connection, row: Row) -> asyncpg.Record:
    """Write one post; the same post from the same day gets the new end, and the deputy and count if they are told."""
    made = await insert_rows(
        connection,
        "duty",
        [row],
        returning="*",
        conflict="ON CONFLICT (officer_no, role, division, valid_from) DO UPDATE SET valid_to = excluded.valid_to, "
        "deputy_no = coalesce(excluded.deputy_no, duty.deputy_no), "
        "households = coalesce(excluded.households, duty.households)",
    )
    return made[0]


async def officer_by_no(connection: Connection, officer_no: str) -> asyncpg.Record | None:
    """An officer the caller may see."""
    return await connection.fetchrow("SELECT * FROM officer WHERE officer_no = $1", officer_no)


async def put_endpoints(connection: Connection, rows: Sequence[Row]) -> list[asyncpg.Record]:
    """Write endpoints; one that exists is in use again, nothing held against its outlet, with the new rank.

    Mail goes through the one relay; without an `outlet_id` of their own the others are outlets themselves.
    """
    own = [{**dict(row), "outlet_id": _outlet_of(row), "rank": _rank_of(row)} for row in rows]
    await insert_rows(
        connection,
        "outlet",
        [{"outlet_id": one} for one in sorted({row["outlet_id"] for row in own}, key=str)],
        conflict="ON CONFLICT DO NOTHING",
    )
    return await insert_rows(
        connection,
        "endpoint",
        own,
        returning="*",
        conflict="""
        ON CONFLICT ON CONSTRAINT uq_endpoint_owner DO UPDATE SET state = 'active', state_reason = NULL,
            updated_at = excluded.updated_at, rank = excluded.rank
        """,
    )


def _outlet_of(row: Row) -> UUID:
    given = SMTP_OUTLET if row["channel"] == "smtp" else dict(row).get("outlet_id") or row["endpoint_id"]
    return UUID(str(given))


def _rank_of(row: Row) -> int:
    return int(dict(row).get("rank") or RANKS[row["channel"]])


async def retire_addresses(connection: Connection, rows: Sequence[Row]) -> None:
    """Send nothing more to the e-mail addresses that officers had so far, where these rows tell of another."""
    await connection.execute(
        """
        UPDATE endpoint e SET state = 'disabled', state_reason = '名册已更换邮箱', updated_at = n.updated_at
        FROM json_populate_recordset(NULL::officer, $1::json) n JOIN officer o USING (officer_no)
        WHERE e.officer_no = o.officer_no AND e.channel = 'smtp' AND e.address = o.email AND n.email <> o.email
        """,
        [dict(row) for row in rows],
    )


async def endpoint_like(connection: Connection, row: Row) -> asyncpg.Record | None:
    """The endpoint of the same channel, address and owner."""
    return await connection.fetchrow(
        "SELECT * FROM endpoint WHERE channel = $1 AND address = $2 AND division = $3 "
        "AND officer_no IS NOT DISTINCT FROM $4",
        row["channel"],
        row["address"],
        row["division"],
        row["officer_no"],
    )


async def set_endpoint_query(connection: Connection, endpoint_id: UUID, sealed: bytes) -> None:
    """Store the sealed query of an endpoint's address."""
    await connection.execute("UPDATE endpoint SET sealed_query = $2 WHERE endpoint_id = $1", endpoint_id, sealed)


async def set_endpoint_secret(connection: Connection, endpoint_id: UUID, sealed: bytes) -> None:
    """Store the sealed signing secret of an endpoint."""
    await connection.execute("UPDATE endpoint SET sealed_secret = $2 WHERE endpoint_id = $1", endpoint_id, sealed)


async def endpoint_with_health(connection: Connection, endpoint_id: UUID) -> asyncpg.Record | None:
    """An endpoint as it is listed."""
    return await connection.fetchrow(f"{_WITH_HEALTH} WHERE e.endpoint_id = $1", endpoint_id)


async def list_endpoints(
    connection: Connection, lo: str, hi: str, *, before: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Endpoints owned in [lo, hi) with the health of their outlets, newest first."""
    return await connection.fetch(
        f"""
        {_WITH_HEALTH}
        WHERE e.division >= $1 AND e.division < $2 AND ($3::uuid IS NULL OR e.endpoint_id < $3)
        ORDER BY e.endpoint_id DESC LIMIT $4
        """,
        lo,
        hi,
        before,
        limit,
    )
