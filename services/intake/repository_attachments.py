"""SQL of attachments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg


async def add(connection: asyncpg.Connection, row: dict[str, Any]) -> None:
    columns = ", ".join(row)
    places = ", ".join(f"${i}" for i in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO attachment ({columns}) VALUES ({places})", *row.values())


async def usable(
    connection: asyncpg.Connection, ids: Sequence[UUID], client: str, division: str
) -> list[asyncpg.Record]:
    """Those of `ids` that the client uploaded for this place and that still are."""
    return await connection.fetch(
        "SELECT attachment_id, report_id FROM attachment WHERE attachment_id = ANY ($1) AND client = $2"
        " AND division = $3 AND destroyed_at IS NULL",
        ids,
        client,
        division,
    )


async def link(connection: asyncpg.Connection, ids: Sequence[UUID], report_id: UUID) -> None:
    """Give loose attachments to a report, unless it is withdrawn."""
    await connection.execute(
        "UPDATE attachment SET report_id = $2 WHERE attachment_id = ANY ($1) AND report_id IS NULL"
        " AND EXISTS (SELECT FROM self_report r WHERE r.report_id = $2 AND r.withdrawn_at IS NULL)",
        ids,
        report_id,
    )


async def count_of(connection: asyncpg.Connection, report_id: UUID) -> int:
    """How many attachments a report has; the caller holds the report's lock."""
    number: int = await connection.fetchval(
        "SELECT count(*) FROM attachment WHERE report_id = $1 AND destroyed_at IS NULL", report_id
    )
    return number


async def of_report(connection: asyncpg.Connection, report_id: UUID) -> list[asyncpg.Record]:
    return await connection.fetch(
        "SELECT * FROM attachment WHERE report_id = $1 ORDER BY attachment_id LIMIT 200", report_id
    )


async def by_id(connection: asyncpg.Connection, attachment_id: UUID) -> asyncpg.Record | None:
    return await connection.fetchrow("SELECT * FROM attachment WHERE attachment_id = $1", attachment_id)


async def destroy(connection: asyncpg.Connection, ids: Sequence[UUID], at: datetime) -> list[UUID]:
    """Destroy the keys, and with them what they opened; those that had one."""
    rows = await connection.fetch(
        "UPDATE attachment SET sealed_key = NULL, destroyed_at = $2 WHERE attachment_id = ANY ($1)"
        " AND sealed_key IS NOT NULL RETURNING attachment_id",
        ids,
        at,
    )
    return [row["attachment_id"] for row in rows]


async def forgotten(connection: asyncpg.Connection, before: datetime, limit: int) -> list[UUID]:
    """Attachments whose report never came."""
    rows = await connection.fetch(
        "SELECT attachment_id FROM attachment WHERE report_id IS NULL AND destroyed_at IS NULL AND received_at < $1"
        " ORDER BY attachment_id LIMIT $2 FOR UPDATE SKIP LOCKED",
        before,
        limit,
    )
    return [row["attachment_id"] for row in rows]


async def live(connection: asyncpg.Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Those of `ids` whose key still is."""
    rows = await connection.fetch(
        "SELECT attachment_id FROM attachment WHERE attachment_id = ANY ($1) AND sealed_key IS NOT NULL", ids
    )
    return {row["attachment_id"] for row in rows}
