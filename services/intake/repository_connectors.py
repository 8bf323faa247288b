"""SQL of connectors: what is asked, when next, and how it went."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from services.intake.domain.connector import Connector, Dialect, Paging, PeriodUnit
from shared.queue.claim import Queue, claim

RESTED = "layout_retired"  # The failure of a connector that was put to rest because its data set is out of use.
CONNECTORS = Queue("connector", ("name",), where="active")
VIEW = """
name, layout, department, division, url, dialect, client_id, paging, rows_at, page_param, size_param, page_size,
cursor_at, period_param, period_unit, query, schedule, active, due_at, attempts, last_feed_id, succeeded_at,
failed_at, failure, updated_at
"""


def secret_place(name: str) -> tuple[str, str, str]:
    """Table, column and row that a connector's secret is sealed for."""
    return "connector", "sealed_secret", name


def connector_of(row: asyncpg.Record) -> Connector:
    """The interface a row describes."""
    said = {field.name: row[field.name] for field in fields(Connector)}
    words = {"dialect": Dialect(row["dialect"]), "paging": Paging(row["paging"])}
    return Connector(**{**said, **words, "period_unit": PeriodUnit(row["period_unit"])})


async def claim_connector(connection: asyncpg.Connection, now: datetime, lease: timedelta) -> asyncpg.Record | None:
    """Take the interface that has been due longest."""
    claimed = await claim(connection, CONNECTORS, now=now, limit=1, lease=lease)
    return claimed[0] if claimed else None


async def list_connectors(
    connection: asyncpg.Connection, department: str | None, *, after: str, limit: int
) -> Sequence[asyncpg.Record]:
    """Connectors in range, of that department (null: any), by name from behind `after`."""
    return await connection.fetch(
        f"SELECT {VIEW} FROM connector WHERE ($1::text IS NULL OR department = $1) AND name > $2"
        " ORDER BY name LIMIT $3",
        department,
        after,
        limit,
    )


async def connector_named(connection: asyncpg.Connection, name: str) -> asyncpg.Record | None:
    return await connection.fetchrow(f"SELECT {VIEW} FROM connector WHERE name = $1", name)


async def put_connector(connection: asyncpg.Connection, row: dict[str, Any]) -> asyncpg.Record:
    """Make or change a connector; an empty secret leaves the one it has, and how it failed before is of the past."""
    names = list(row)
    binds = ", ".join(f"${i}" for i in range(1, len(names) + 1))
    changes = ", ".join(f"{n} = excluded.{n}" for n in names if n not in {"name", "sealed_secret"})
    made = await connection.fetchrow(
        f"""
        INSERT INTO connector AS c ({", ".join(names)}) VALUES ({binds})
        ON CONFLICT (name) DO UPDATE SET {changes}, attempts = 0, failed_at = NULL, failure = NULL,
            sealed_secret = CASE WHEN excluded.sealed_secret = ''::bytea THEN c.sealed_secret
                ELSE excluded.sealed_secret END
        RETURNING {VIEW}
        """,
        *row.values(),
    )
    assert made is not None
    return made


async def ask_now(connection: asyncpg.Connection, name: str, now: datetime) -> bool:
    """Let a connector that is in use be due at once."""
    status = await connection.execute("UPDATE connector SET due_at = $2 WHERE name = $1 AND active", name, now)
    return bool(status == "UPDATE 1")
