"""The schema: what the migrations build is what the tables say; rows out of scope do not exist."""

from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.metadata import metadata_of
from shared.db.pool import alchemy_url
from shared.db.scope import scoped, transaction
from tests.services.intake.build import COUNTY, VILLAGE, Department, csv_text, medical_row
from tests.services.intake.test_self_reports import report, send


async def test_autogenerate_finds_no_difference(database: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {
            "include_schemas": True,
            "version_table_schema": "intake",
            "include_name": lambda name, kind, _: kind != "schema" or name == "intake",
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata_of("intake")))

    engine = create_async_engine(alchemy_url(database))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


SCOPED = ("self_report", "feed", "feed_row_error")


@pytest.fixture
async def rows(department: Department, intake_client: Any, bearer: Any) -> None:
    bad = medical_row(1, 结算日期="26-1-5")
    await department.send("medical_settlement", csv_text([medical_row(0), bad]), division=VILLAGE)
    await send(intake_client, bearer("village_secretary", VILLAGE), report())


@pytest.mark.parametrize("table", SCOPED)
async def test_rows_are_seen_in_scope_only(rows: None, intake_runtime: Any, table: str) -> None:
    sql = f"SELECT count(*) FROM {table}"
    for division, seen in ((VILLAGE, 1), (COUNTY, 1), ("130624100202", 0), ("130625000000", 0)):
        async with scoped(intake_runtime.pool, division) as connection:
            assert await connection.fetchval(sql) == seen
    async with intake_runtime.pool.acquire() as connection:
        assert await connection.fetchval(sql) == 0
    async with transaction(intake_runtime.worker_pool) as connection:
        assert await connection.fetchval(sql) == 1


async def test_a_submitted_report_leaves_no_scope_behind(rows: None, intake_runtime: Any) -> None:
    for _ in range(intake_runtime.pool.get_size()):
        assert await intake_runtime.pool.fetchval("SELECT count(*) FROM self_report") == 0


async def test_a_row_out_of_scope_cannot_be_written(rows: None, intake_runtime: Any) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with scoped(intake_runtime.pool, "130624100202") as connection:
            await connection.execute(
                "INSERT INTO self_report (report_id, client, division, person_index, sealed_number, reporter_name,"
                " hardships, reported_on, received_at) VALUES (gen_random_uuid(), 'x', $1, sha256('x'), 'x', 'x',"
                " '{other}', '2026-01-01', now())",
                VILLAGE,
            )


@pytest.mark.parametrize("sql", ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"])
@pytest.mark.parametrize("pool", ["pool", "worker_pool"])
async def test_the_audit_log_is_only_added_to(intake_runtime: Any, pool: str, sql: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await getattr(intake_runtime, pool).execute(sql)


@pytest.mark.parametrize("table", ["feed_chunk", "feed_row_staged", "feed_text_staged", "feed_record", "inbox"])
async def test_the_app_role_reads_no_raw_rows(intake_runtime: Any, table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await intake_runtime.pool.execute(f"SELECT * FROM {table}")


async def test_no_identity_number_is_stored_in_clear(rows: None, admin: Any, department: Department) -> None:
    from tests.services.intake.build import disability_row, number, register_row

    await department.send("household_register", csv_text([register_row(0)]))
    await department.send("disability_register", csv_text([disability_row(0)]))
    tables = await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'intake'")
    for table in tables:
        for row in await admin.fetch(f"SELECT t::text AS row FROM intake.{table['tablename']} t"):
            assert number(0) not in row["row"], table["tablename"]
