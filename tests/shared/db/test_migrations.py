"""The migrations make exactly the tables the program declares, walled in as the design says."""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.heads import MIGRATIONS, SCHEMAS, head_of
from shared.db.metadata import metadata_of
from shared.db.migrate import alembic_config, create_roles, migrate
from shared.db.pool import alchemy_url
from tests.conftest import new_database

SERVICES = ("intake", "monitoring", "alerts")
ROLES = [f"fangpin_{service}{suffix}" for service in SERVICES for suffix in ("", "_worker")]
each_schema = pytest.mark.parametrize("schema", SCHEMAS)


def scripts(schema: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config(None, schema))  # type: ignore[arg-type]


@each_schema
def test_a_schema_has_one_head_and_it_is_the_newest_file(schema: str) -> None:
    assert scripts(schema).get_heads() == [head_of(schema)]


@each_schema
def test_a_revision_is_named_as_its_file_and_they_follow_each_other(schema: str) -> None:
    revisions = list(scripts(schema).walk_revisions())[::-1]
    assert [rev.revision for rev in revisions] == [Path(rev.path).stem for rev in revisions]
    assert [rev.down_revision for rev in revisions] == [None, *(rev.revision for rev in revisions[:-1])]
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+", rev.revision) for rev in revisions)
    assert len({rev.revision[:4] for rev in revisions}) == len(revisions)


@each_schema
async def test_the_migrations_make_what_the_tables_declare(database: str, schema: str) -> None:
    def difference(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "compare_server_default": False,
                "version_table_schema": schema,
                "include_name": lambda name, kind, _: kind != "schema" or name == schema,
                "include_object": lambda obj, name, kind, *_: not (kind == "table" and obj.info.get("unmanaged")),
            },
        )
        return list(compare_metadata(context, metadata_of(schema)))

    engine = create_async_engine(alchemy_url(database))
    async with engine.connect() as connection:
        found = await connection.run_sync(difference)
    await engine.dispose()
    partitions = re.compile(r"fact_\d+|.*_\d{6}")
    assert [one for one in found if not _is_partition(one, partitions)] == []


async def test_autogenerate_leaves_the_partitions_of_the_ledger_alone(server_url: str) -> None:
    url = await new_database(server_url)
    await create_roles(url)
    await migrate(url, ["monitoring"])
    engine = create_async_engine(alchemy_url(url))
    async with engine.begin() as connection:
        await connection.execute(text("SELECT monitoring.ensure_county('130624')"))
        await connection.run_sync(lambda one: command.check(alembic_config(one, "monitoring")))
    await engine.dispose()


def _is_partition(difference: object, name: re.Pattern[str]) -> bool:
    if not isinstance(difference, tuple) or difference[0] not in {"remove_table", "remove_index"}:
        return False
    table = difference[1] if difference[0] == "remove_table" else difference[1].table
    return name.fullmatch(table.name) is not None


async def test_migrations_run_twice_and_at_once(server_url: str) -> None:
    url = await new_database(server_url)
    await asyncio.gather(create_roles(url), create_roles(url))
    await asyncio.gather(migrate(url), migrate(url))
    await migrate(url, SCHEMAS[::-1])
    connection = await asyncpg.connect(url)
    heads = [await connection.fetchval(f"SELECT version_num FROM {schema}.alembic_version") for schema in SCHEMAS]
    owners = await connection.fetch(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = ANY($1)", list(SCHEMAS)
    )
    await connection.close()
    assert heads == [head_of(schema) for schema in SCHEMAS]
    assert [row[0] for row in owners] == ["fangpin_owner"]


async def test_a_schema_migrates_alone(server_url: str) -> None:
    url = await new_database(server_url)
    await create_roles(url)
    await migrate(url, ["intake"])
    connection = await asyncpg.connect(url)
    found = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname = ANY($1)", list(SCHEMAS))
    await connection.close()
    assert [row[0] for row in found] == ["intake"]


# Which policy holds where is public; subscriptions name systems and no people; a receipt says by a keyed digest where
# its report lies, so that whoever has the code gets the scope of that report.
WITHOUT_WALL = {"policy_activation", "receipt", "subscription"}


async def test_every_table_with_a_division_is_walled(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        """
        SELECT c.oid::regclass::text AS name, c.relname, c.relrowsecurity AND c.relforcerowsecurity AS walled,
               (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies, c.relispartition
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
            AND a.attname IN ('division', 'living_division', 'registered_division', 'county'))
        """,
        list(SERVICES),
    )
    assert len(rows) > 3
    open_tables = {row["name"] for row in rows if not (row["walled"] and row["policies"])}
    reachable = [name for name in open_tables if await _is_read_by_requests(admin, name)]
    assert {name for name in reachable if name.split(".")[1] not in WITHOUT_WALL} == set()


async def _is_read_by_requests(admin: asyncpg.Connection, table: str) -> bool:
    role = f"fangpin_{table.split('.')[0]}"
    return bool(await admin.fetchval("SELECT has_any_column_privilege($1, $2, 'SELECT')", role, table))


async def test_a_wall_shows_nothing_without_a_scope(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        """
        SELECT schemaname || '.' || tablename || '.' || policyname AS name, qual, with_check FROM pg_policies
        WHERE schemaname = ANY($1) AND NOT EXISTS (SELECT FROM unnest(roles) r WHERE r::text LIKE '%worker')
        """,
        list(SERVICES),
    )
    careless = [
        row["name"]
        for row in rows
        for said in (row["qual"], row["with_check"])
        if said and "current_setting" in said and said.count("NULLIF") < said.count("current_setting('app.")
    ]
    assert careless == []
    assert [row["name"] for row in rows if row["qual"] == "true"] == []


async def test_a_view_asks_for_its_readers_rights(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        """
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1) AND c.relkind = 'v'
          AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'], false)
        UNION ALL
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1) AND c.relkind = 'm'
        """,
        list(SCHEMAS),
    )
    assert [row[0] for row in rows] == []


async def test_no_role_of_ours_is_powerful(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolcanlogin AS powerful"
        " FROM pg_roles WHERE rolname LIKE 'fangpin%'"
    )
    assert {row["rolname"] for row in rows} >= {*ROLES, "fangpin_owner", "fangpin_directory"}
    assert [row["rolname"] for row in rows if row["powerful"]] == []


async def test_no_role_of_a_service_is_a_member_of_another(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        "SELECT a.rolname, b.rolname FROM pg_roles a, pg_roles b"
        " WHERE a.rolname = ANY($1) AND b.rolname LIKE 'fangpin%' AND a.oid <> b.oid"
        " AND pg_has_role(a.oid, b.oid, 'MEMBER')",
        ROLES,
    )
    assert [tuple(row) for row in rows] == []


@pytest.mark.parametrize("role", ROLES)
async def test_the_audit_is_only_added_to(admin: asyncpg.Connection, role: str) -> None:
    schema = role.split("_")[1]
    may = {
        right: await admin.fetchval("SELECT has_table_privilege($1, $2, $3)", role, f"{schema}.audit_log", right)
        for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER")
    }
    assert may == {"INSERT": True, "UPDATE": False, "DELETE": False, "TRUNCATE": False, "TRIGGER": False}


@pytest.mark.parametrize("role", ROLES)
async def test_a_service_reaches_no_table_of_another(admin: asyncpg.Connection, role: str) -> None:
    rows = await admin.fetch(
        """
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY($1) AND n.nspname <> $2 AND c.relkind IN ('r', 'p', 'v', 'm')
          AND has_schema_privilege($3, n.oid, 'USAGE')
          AND has_any_column_privilege($3, c.oid, 'SELECT, INSERT, UPDATE')
        """,
        list(SCHEMAS),
        role.split("_")[1],
        role,
    )
    assert [row[0] for row in rows] == []


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_may_ask_for_its_version(admin: asyncpg.Connection, service: str) -> None:
    assert await admin.fetchval(
        "SELECT has_table_privilege($1, $2, 'SELECT')", f"fangpin_{service}", f"{service}.alembic_version"
    )


def test_every_schema_has_its_folder() -> None:
    folders = {path.parent.name for path in MIGRATIONS.glob("*/versions")}
    assert folders == set(SCHEMAS)
