"""The migration and the tables say the same, and every table of an alert is behind row-level security."""

from collections.abc import Callable

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.metadata import metadata_of
from shared.db.migrate import alembic_config, create_roles, migrate
from shared.db.pool import alchemy_url
from tests.conftest import new_database
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE

OPEN_TO_ROLES = {
    "alembic_version",
    "alert_subject",
    "audit_log",
    "idempotency_key",
    "inbox",
    "inbox_counter",
    "outbox",
    "outbox_delivery",
    "outlet",
    "reminder",
    "seal_day",
    "seal_entry",
    "seal_head",
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


_ASSIGNED = """
INSERT INTO assignment (alert_id, officer_no, role, level, reach, since)
SELECT alert_id, p.officer_no, p.role, p.level, 'duty', now()
FROM alert, (VALUES ('S1', 'village_secretary', 2), ('T1', 'township_leader', 6), ('C1', 'county_admin', 7))
     AS p (officer_no, role, level)
"""


async def test_the_ladder_of_seven_steps_counts_who_answered_on_five(server_url: str) -> None:
    url = await new_database(server_url)
    await create_roles(url)
    await migrate(url, ["alerts"])
    connection = await asyncpg.connect(url, server_settings={"search_path": "alerts"})
    await connection.execute(
        "INSERT INTO officer (officer_no, name, division, division_hi, updated_at)"
        " SELECT no, no, place, 'z', now() FROM unnest(ARRAY['S1', 'T1', 'C1'], $1::text[]) AS t (no, place)",
        [VILLAGE, TOWNSHIP, COUNTY],
    )
    await connection.execute(
        "INSERT INTO alert (alert_id, subject, living_division, registered_division, contact_name, reason,"
        " facts_version, policy_version, acknowledge_hours, verify_days, opened_at, opened_on, ack_due_at,"
        " verify_due_at) VALUES (gen_random_uuid(), 'household:H1', $1, $1, 'x', 'finding', 1, 'x', 1, 1, now(),"
        " '2026-03-15', now(), now())",
        VILLAGE,
    )
    await connection.execute(_ASSIGNED)
    levels = "SELECT level FROM assignment ORDER BY level"
    await _alembic(url, command.downgrade, "0003_messages_as_written")
    assert [row["level"] for row in await connection.fetch(levels)] == [2, 4, 5]
    await _alembic(url, command.upgrade, "head")
    assert [row["level"] for row in await connection.fetch(levels)] == [2, 6, 7]
    await connection.close()


async def _alembic(url: str, verb: Callable[[Config, str], None], revision: str) -> None:
    engine = create_async_engine(alchemy_url(url))
    async with engine.begin() as connection:
        await connection.run_sync(lambda one: verb(alembic_config(one, "alerts"), revision))
    await engine.dispose()
