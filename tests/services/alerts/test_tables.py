"""The migration and the tables say the same, and every table of an alert is behind row-level security."""

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.metadata import metadata_of
from shared.db.pool import alchemy_url

OPEN_TO_ROLES = {
    "alembic_version",
    "alert_subject",
    "audit_log",
    "idempotency_key",
    "inbox",
    "inbox_counter",
    "outbox",
    "outbox_delivery",
    "subscription",
    "watch_beat",
    "watch_incident",
}


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == "alerts",
            "version_table_schema": "alerts",
        },
    )
    return list(compare_metadata(context, metadata_of("alerts")))


async def test_autogenerate_is_empty(database: str) -> None:
    engine = create_async_engine(alchemy_url(database))
    async with engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
    await engine.dispose()


async def test_tables_about_people_are_secured(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'alerts'::regnamespace AND relkind = 'r' "
        "AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    assert {row["relname"] for row in rows} == OPEN_TO_ROLES
