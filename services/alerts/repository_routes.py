"""The SQL of routes: versions by county and day, and what an alert remembers of them."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts.repository import Connection, Row, insert_rows


async def versions_in_force(
    connection: Connection, counties: Collection[str], on: date
) -> dict[str, tuple[UUID, str]]:
    """The id and name of the version in force on a day, by county; none for a county without its own."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (division) division, version_id, name FROM route_version "
        "WHERE state = 'active' AND division = ANY ($1) AND valid_from <= $2 "
        "ORDER BY division, valid_from DESC, activated_at DESC, number DESC",
        list(counties),
        on,
    )
    return {row["division"]: (row["version_id"], row["name"]) for row in rows}


async def version_by_id(connection: Connection, version_id: UUID) -> asyncpg.Record | None:
    return await connection.fetchrow("SELECT * FROM route_version WHERE version_id = $1", version_id)


async def version_by_name(connection: Connection, name: str, lo: str, hi: str) -> asyncpg.Record | None:
    """A version that holds for [lo, hi) or within it."""
    return await connection.fetchrow(
        "SELECT * FROM route_version WHERE name = $1 AND (division >= $2 AND division < $3 "
        "OR division <= $2 AND division_hi >= $3)",
        name,
        lo,
        hi,
    )


async def lock_versions(connection: Connection, division: str) -> None:
    """Let one at a time write the versions of a county."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('alerts.route_version.' || $1, 0))", division
    )


async def draft_like(connection: Connection, division: str, digest: str) -> asyncpg.Record | None:
    """The draft that says the same, if there is one."""
    return await connection.fetchrow(
        "SELECT * FROM route_version WHERE division = $1 AND digest = $2 AND state = 'draft' "
        "ORDER BY number DESC LIMIT 1",
        division,
        digest,
    )


async def last_number(connection: Connection, division: str) -> int:
    found = await connection.fetchval("SELECT max(number) FROM route_version WHERE division = $1", division)
    return int(found or 0)


async def add_version(connection: Connection, row: Row) -> asyncpg.Record:
    return (await insert_rows(connection, "route_version", [row], returning="*"))[0]


async def activate_version(
    connection: Connection, version_id: UUID, valid_from: date, by: str, now: datetime
) -> asyncpg.Record | None:
    """Put a draft into force; None if it is none."""
    return await connection.fetchrow(
        "UPDATE route_version SET state = 'active', valid_from = $2, activated_by = $3, activated_at = $4 "
        "WHERE version_id = $1 AND state = 'draft' RETURNING *",
        version_id,
        valid_from,
        by,
        now,
    )


async def list_versions(
    connection: Connection, division: str, *, before: int | None, limit: int
) -> list[asyncpg.Record]:
    """Versions of a county, newest first."""
    return await connection.fetch(
        "SELECT * FROM route_version WHERE division = $1 AND ($2::int IS NULL OR number < $2) "
        "ORDER BY number DESC LIMIT $3",
        division,
        before,
        limit,
    )


async def remember_routes(connection: Connection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Write into alerts and their timelines by which nodes they were routed, where that is news; and that they were.

    Rows of alert_id, route_version, route_nodes, tell, found.
    """
    await connection.execute(
        """
        WITH n AS (
            SELECT n.*, a.status, a.routed_at AS routed_before,
                   (a.route_version, a.route_nodes) IS DISTINCT FROM (n.route_version, n.route_nodes) AS is_news
            FROM json_to_recordset($1::json)
                 AS n (alert_id uuid, route_version text, route_nodes text[], tell json, found boolean)
            JOIN alert a USING (alert_id)
        ), logged AS (
            INSERT INTO alert_log (alert_id, at, actor, action, status_before, status_after, detail)
            SELECT alert_id, $2, 'alerts', 'routed', status, status,
                   jsonb_build_object('route_version', route_version, 'nodes', route_nodes, 'tell', tell)
            FROM n WHERE is_news
        )
        UPDATE alert a SET route_version = n.route_version, route_nodes = n.route_nodes,
            routed_at = CASE WHEN n.found THEN coalesce(a.routed_at, $2) ELSE a.routed_at END
        FROM n WHERE n.alert_id = a.alert_id AND (n.is_news OR n.found AND n.routed_before IS NULL)
        """,
        list(rows),
        now,
    )


async def traits_of(connection: Connection, alert_ids: Collection[UUID]) -> list[asyncpg.Record]:
    """The departments, sources and indicators that the evidence of alerts names."""
    each = ", ".join(
        f"array_remove(array_agg(DISTINCT item ->> '{name}'), NULL) AS {name}s"
        for name in ("department", "source", "indicator")
    )
    return await connection.fetch(
        f"SELECT alert_id, {each} FROM alert_evidence WHERE alert_id = ANY ($1) GROUP BY alert_id", list(alert_ids)
    )


async def names_of(connection: Connection, officers: Collection[str]) -> dict[str, str]:
    rows = await connection.fetch(
        "SELECT officer_no, name FROM officer WHERE officer_no = ANY ($1)", list(set(officers))
    )
    return {row["officer_no"]: row["name"] for row in rows}
