"""The tables are what the models say, and show nothing to whom no scope is set."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.base import MonitoringTable
from shared.db.migrate import alembic_config, create_roles, migrate
from shared.db.pool import alchemy_url
from shared.db.scope import scoped
from shared.runtime import Runtime
from tests.conftest import new_database
from tests.services.monitoring.build import (
    OTHER_VILLAGE,
    VILLAGE,
    Home,
    assess_all,
    deliver,
    observed,
    rostered,
    settled,
)

SEEN_THROUGH_A_HOUSEHOLD = ("household", "household_member", "resident", "fact", "assessment", "standing")


async def test_the_migration_makes_what_the_models_say(database: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        def ours(name: str | None, kind: str, parents: Any) -> bool:
            return name == "monitoring" if kind == "schema" else True

        def no_partition(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
            return not (kind == "table" and reflected and str(name).startswith(("fact_", "alembic_version")))

        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": ours,
                "include_object": no_partition,
                "compare_type": True,
            },
        )
        return list(compare_metadata(context, MonitoringTable.metadata))

    engine = create_async_engine(alchemy_url(database))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_what_stands_is_kept_by_the_migration_to_and_fro(server_url: str) -> None:
    url = await new_database(server_url)
    await create_roles(url)
    await migrate(url, ["monitoring"])
    stood = (7, b"digest", b"gist")
    connection = await asyncpg.connect(url, server_settings={"search_path": "monitoring"})
    await connection.execute(
        "INSERT INTO household (county, household_no, registered_division, living_division)"
        " SELECT '130624', no, $1, $1 FROM unnest(ARRAY['F001', 'F002']) AS no",
        VILLAGE,
    )
    await connection.execute(
        "UPDATE standing SET assessment_id = $1, digest = $2, gist = $3 WHERE household_id = 1", *stood
    )
    await _alembic(url, command.downgrade, "0006_withdrawn_drafts")
    kept = "SELECT assessment_id, digest, gist FROM {} ORDER BY household_id"
    assert [tuple(row) for row in await connection.fetch(kept.format("household"))] == [stood, (None,) * 3]
    await connection.execute("DELETE FROM dashboard_touch; UPDATE household SET assessment_id = 8")
    assert await connection.fetchval("SELECT count(*) FROM dashboard_touch") == 1
    await _alembic(url, command.upgrade, "head")
    assert [row[0] for row in await connection.fetch(kept.format("standing"))] == [8, 8]
    await connection.close()


async def _alembic(url: str, verb: Callable[[Config, str], None], revision: str) -> None:
    engine = create_async_engine(alchemy_url(url))
    async with engine.begin() as connection:
        await connection.run_sync(lambda one: verb(alembic_config(one, "monitoring"), revision))
    await engine.dispose()


async def counts(connection: asyncpg.Connection) -> dict[str, int]:
    return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in SEEN_THROUGH_A_HOUSEHOLD}


@pytest.fixture
async def two_villages(monitoring_runtime: Runtime) -> Runtime:
    runtime = monitoring_runtime
    await deliver(
        runtime,
        rostered(runtime.keys, Home(people=(1, 2)), Home(no="F002", people=(3,), division=OTHER_VILLAGE)),
        settled(runtime.keys, 1, 100_000),
        settled(runtime.keys, 9, 100_000, record="S9"),
    )
    await assess_all(runtime)
    return runtime


async def test_without_a_scope_nothing_is_shown(two_villages: Runtime) -> None:
    async with two_villages.pool.acquire() as connection:
        assert set((await counts(connection)).values()) == {0}
        assert await connection.fetchval("SELECT count(*) FROM unmatched_observation") == 0
        assert await connection.execute("UPDATE household SET listed_as = 'x'") == "UPDATE 0"


async def test_a_scope_ends_with_its_transaction(two_villages: Runtime) -> None:
    for _ in range(8):
        async with scoped(two_villages.pool, VILLAGE) as connection:
            seen = await counts(connection)
        assert (seen["household"], seen["household_member"], seen["resident"]) == (1, 2, 2)
        async with scoped(two_villages.pool, OTHER_VILLAGE) as connection:
            assert (await counts(connection))["resident"] == 1
        async with two_villages.pool.acquire() as connection:
            assert set((await counts(connection)).values()) == {0}


async def test_a_failed_or_cancelled_transaction_leaves_no_scope(two_villages: Runtime) -> None:
    async with two_villages.pool.acquire() as connection:
        with pytest.raises(asyncpg.PostgresError):
            await fail_in_scope(connection)
        assert set((await counts(connection)).values()) == {0}


async def fail_in_scope(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await connection.execute("SELECT set_config('app.lo', '1', true), set_config('app.hi', '9', true)")
        assert (await counts(connection))["household"] == 2
        await connection.fetchval("SELECT 1 / 0")


async def test_partitions_cannot_be_read_around_the_policy(two_villages: Runtime) -> None:
    for pool in (two_villages.pool, two_villages.worker_pool):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.fetchval("SELECT count(*) FROM fact_130624")


@pytest.mark.parametrize("change", ["amount_fen = -1", "compliant_fen = 10000000000001", "relief_fen = -1"])
async def test_an_amount_that_cannot_be_is_not_stored(
    two_villages: Runtime, admin: asyncpg.Connection, change: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.execute(f"UPDATE monitoring.fact SET {change}")


async def test_only_a_county_code_makes_a_partition(two_villages: Runtime) -> None:
    for text in ("13062", "130624; DROP TABLE household", "fact", "１３０６２４"):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await two_villages.worker_pool.execute("SELECT ensure_county($1)", text)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await two_villages.pool.execute("SELECT ensure_county('130625')")


async def test_every_table_with_people_has_forced_policies(admin: asyncpg.Connection, two_villages: Runtime) -> None:
    rows = await admin.fetch(
        """
        SELECT DISTINCT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = 'monitoring' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND a.attname IN ('county', 'living_division', 'household_id', 'resident_id', 'division')
          AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                   AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
        """
    )
    assert {row["relname"] for row in rows} <= {"subscription", "policy_activation"}


async def test_assessments_and_decisions_cannot_be_changed(two_villages: Runtime) -> None:
    for sql in (
        "UPDATE assessment SET score = 0",
        "DELETE FROM assessment",
        "UPDATE fact SET amount_fen = 0",
        "DELETE FROM verification",
        "UPDATE decision SET reason = ''",
        "DELETE FROM household",
        "DELETE FROM audit_log",
    ):
        for pool in (two_villages.pool, two_villages.worker_pool):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(sql)


async def test_facts_are_deleted_by_the_worker_alone_and_none_recorded_lately(two_villages: Runtime) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await two_villages.pool.execute("DELETE FROM fact")
    assert await two_villages.worker_pool.fetchval("SELECT count(*) FROM fact") > 0
    assert await two_villages.worker_pool.execute("DELETE FROM fact") == "DELETE 0"


async def test_a_household_is_seen_from_where_it_is_registered_too(two_villages: Runtime) -> None:
    await two_villages.worker_pool.execute(
        "UPDATE household SET living_division = $1 WHERE household_no = 'F001'", OTHER_VILLAGE
    )
    for place, expected in ((VILLAGE, 1), (OTHER_VILLAGE, 2)):
        async with scoped(two_villages.pool, place) as connection:
            assert (await counts(connection))["household"] == expected


async def test_a_household_registered_elsewhere_takes_its_facts_along(two_villages: Runtime) -> None:
    runtime = two_villages
    await deliver(runtime, rostered(runtime.keys, Home(people=(1, 2), division="130625100201"), on="2026-03-01"))
    rows = await runtime.worker_pool.fetch(
        "SELECT DISTINCT f.county, h.county AS of_household FROM fact f JOIN household h USING (household_id)"
        " WHERE h.household_no = 'F001'"
    )
    assert [tuple(row) for row in rows] == [("130625", "130625")]
    await deliver(
        runtime,
        observed(
            [
                {
                    "record": "X",
                    "household_no": "F001",
                    "kind": "event.disaster",
                    "occurred_on": "2026-03-02",
                }
            ]
        ),
    )
    assert await assess_all(runtime) == 1
