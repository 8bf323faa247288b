"""What tests stand on: a real PostgreSQL built by the migrations, and the three services inside one process."""

import importlib
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from shared.clock import SHANGHAI, FixedClock
from shared.db.embedded import EmbeddedServer
from shared.db.key_check import remember_keys
from shared.db.migrate import create_roles, migrate
from shared.db.pool import prepare_connection
from shared.runtime import Runtime
from shared.security.access import SCOPES, SCOPES_OF_ROLE
from shared.security.keys import create_keys
from shared.security.principal import Principal
from shared.security.tokens import TokenIssuer
from shared.settings import Settings
from shared.vocabulary.terms import Role

COUNTY = "130624000000"
MORNING = datetime(2026, 3, 15, 10, 0, tzinfo=SHANGHAI)

# Each warning is pushed at once by itself; the tests of what groups and defers them turn it on.
PLAIN: dict[str, dict[str, Any]] = {"alerts": {"flood_control": False}}

# The tests' server need not survive a power cut; the fault tests start servers of their own.
QUICK = "\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n# fangpin\nmax_connections = 200\n"


async def new_database(admin_url: str) -> str:
    """Make an empty database on a server; its URL."""
    name = f"fangpin_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    address, _, query = admin_url.partition("?")
    return f"{address.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The administrator's URL of a PostgreSQL server: FANGPIN_TEST_SERVER, or an embedded one."""
    given = os.environ.get("FANGPIN_TEST_SERVER")
    if given:
        yield given
        return
    # Not below pytest's own folder: when root runs the tests, the server's user is locked out of it by the next run.
    folder = Path(tempfile.mkdtemp(prefix="fangpin-pg-"))
    server = EmbeddedServer(folder)
    server._server.ensure_pgdata_inited()
    (server._server.pgdata / "postgresql.auto.conf").write_text(QUICK)
    server.start()
    yield server.admin_url
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
async def database(server_url: str) -> AsyncIterator[str]:
    """The URL of a database with all roles and schemas, built by the migrations, with the demo county's places."""
    url = await new_database(server_url)
    await create_roles(url)
    await migrate(url)
    await _load_places(url)
    yield url
    for connection in _sweepers.values():
        await connection.close()


async def _load_places(url: str) -> None:
    from shared.regions.catalogue import shipped_regions
    from shared.regions.load import load_regions

    connection = await asyncpg.connect(url, server_settings={"search_path": "directory"})
    try:
        above = {"130000000000", "130600000000"}
        county = [r for r in shipped_regions() if r.code.startswith("130624") or r.code in above]
        async with connection.transaction():
            await load_regions(connection, county)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def settings(database: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data = tmp_path_factory.mktemp("data")
    create_keys(data / "keys", demo=True)
    connection = await asyncpg.connect(database)
    await remember_keys(connection, data / "keys")
    await connection.close()
    return Settings(
        data=data,
        demo=True,
        database_url=database,
        intake_url="http://house",
        monitoring_url="http://house",
        alerts_url="http://house",
        public_url="http://house",
        pool_size=4,
        log_level="WARNING",
        webhook_allowed_hosts=["127.0.0.1:*"],
    )


@dataclass
class House:
    """The services in one process, opened when first asked for; each hears its peers without a network."""

    settings: Settings
    clock: FixedClock
    stack: AsyncExitStack
    apps: dict[str, FastAPI] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["path"].split("/")[1]
        await self.apps["intake" if name == "oauth2" else name](scope, receive, send)

    async def app(self, service: str) -> FastAPI:
        if service not in self.apps:
            module = importlib.import_module(f"services.{service}.app")
            own = importlib.import_module(f"services.{service}.settings")
            kind = getattr(own, f"{service.capitalize()}Settings")
            app: FastAPI = module.create_app(
                kind(**self.settings.model_dump(exclude_unset=True), **PLAIN.get(service, {})),
                transport=self.transport,
                clock=self.clock,
            )
            await self.stack.enter_async_context(app.router.lifespan_context(app))
            self.apps[service] = app
        return self.apps[service]

    async def runtime(self, service: str) -> Runtime:
        runtime: Runtime = (await self.app(service)).state.runtime
        return runtime

    @property
    def transport(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(app=self)

    async def run_worker(self, service: str, *only: str) -> int:
        """Run the tasks of a worker (all, or those named) until none finds anything; how much was done."""
        worker = importlib.import_module(f"services.{service}.worker").build_worker(self.settings)
        runtime = await self.runtime(service)
        total, done = 0, 1
        while done:
            done = 0
            for task in worker.tasks:
                if not only or task.name in only:
                    done += await task.run(runtime)
            total += done
        return total

    async def settle(self) -> None:
        """Let all workers run until the whole house is quiet."""
        while sum([await self.run_worker(name) for name in self.apps]):
            pass


@pytest.fixture(scope="session")
async def _house(settings: Settings) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield House(settings, FixedClock(MORNING), stack)


@pytest.fixture
async def house(_house: House, database: str) -> House:
    """The services, with no data of an earlier test, at ten in the morning of 2026-03-15."""
    _house.clock.at = MORNING
    await empty_tables(database)
    return _house


_TABLES = """
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('intake', 'monitoring', 'alerts') AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname NOT IN ('alembic_version', 'subscription')
"""
_sweepers: dict[str, asyncpg.Connection] = {}


async def _sweeper(url: str) -> asyncpg.Connection:
    """The connection that empties a database's tables; kept, since a new one reads the whole catalogue again."""
    if url not in _sweepers or _sweepers[url].is_closed():
        _sweepers[url] = await asyncpg.connect(url)
    return _sweepers[url]


async def empty_tables(url: str) -> None:
    """Empty every table that has rows, but for places, key names and who is subscribed inside the house.

    Deleted and vacuumed: that leaves as little behind as TRUNCATE, which makes new files for every table and index.
    """
    connection = await _sweeper(url)
    tables = {row["name"]: row["oid"] for row in await connection.fetch(_TABLES)}
    full = [row["name"] for row in await connection.fetch(_which_are_full(tables))] if tables else []
    async with connection.transaction():
        # As a replica: no trigger forbids it or looks for what refers to a row, since all of it goes.
        await connection.execute("SET LOCAL session_replication_role = replica")
        for schema in ("intake", "monitoring", "alerts"):
            if f"{schema}.outbox" in tables:
                await connection.execute(f"DELETE FROM {schema}.subscription WHERE name NOT LIKE 'internal:%'")
                await connection.execute(
                    f"UPDATE {schema}.subscription SET failures = 0, quiet_until = NULL WHERE failures > 0"
                )
        await connection.execute("; ".join(f"DELETE FROM {name}" for name in [*full, "directory.oauth_client"]))
        await connection.execute(_BEGIN_COUNTING_AGAIN, [tables[name] for name in full])
    if full:
        await connection.execute(f"VACUUM (INDEX_CLEANUP ON, SKIP_DATABASE_STATS) {', '.join(full)}")


def _which_are_full(names: Iterable[str]) -> str:
    return " UNION ALL ".join(f"SELECT '{name}' AS name WHERE EXISTS (SELECT FROM {name})" for name in names)


_BEGIN_COUNTING_AGAIN = """
    SELECT setval(s.seqrelid::regclass, s.seqstart, false) FROM pg_sequence s
    JOIN pg_depend d ON d.objid = s.seqrelid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    WHERE d.refobjid = ANY ($1::oid[])
"""


@pytest.fixture
def clock(house: House) -> FixedClock:
    """The clock all services read; move it by setting `at`."""
    return house.clock


@pytest.fixture
async def intake_runtime(house: House) -> Runtime:
    return await house.runtime("intake")


@pytest.fixture
async def monitoring_runtime(house: House) -> Runtime:
    return await house.runtime("monitoring")


@pytest.fixture
async def alerts_runtime(house: House) -> Runtime:
    return await house.runtime("alerts")


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """HTTP to whichever service the path names, all three of which are open."""
    for name in ("intake", "monitoring", "alerts"):
        await house.app(name)
    async with httpx.AsyncClient(transport=house.transport, base_url="http://house") as opened:
        yield opened


def _client_of(service: str) -> Any:
    @pytest.fixture(name=f"{service}_client")
    async def opened(house: House) -> AsyncIterator[httpx.AsyncClient]:
        await house.app(service)
        async with httpx.AsyncClient(transport=house.transport, base_url="http://house") as made:
            yield made

    return opened


intake_client = _client_of("intake")
monitoring_client = _client_of("monitoring")
alerts_client = _client_of("alerts")

Token = Callable[..., str]


@pytest.fixture
def token(house: House) -> Token:
    """Make a token: token(role="village_secretary", division="130624100201"), or a system's with department=..."""

    def make(
        role: str | None = None,
        division: str = COUNTY,
        *,
        scopes: list[str] | None = None,
        department: str | None = None,
        officer_no: str | None = None,
        subject: str | None = None,
        lifetime: timedelta = timedelta(minutes=30),
    ) -> str:
        held = frozenset(scopes if scopes is not None else SCOPES_OF_ROLE[Role(role)] if role else SCOPES)
        principal = Principal(
            subject=subject or officer_no or role or "system",
            kind="person" if role else "system",
            division=division,
            scopes=held,
            role=Role(role) if role else None,
            name="测试",
            department=department,
            officer_no=officer_no,
        )
        any_app = next(iter(house.apps.values()))
        issuer: TokenIssuer = any_app.state.issuer
        return issuer.issue(principal, now=house.clock.now(), lifetime=lifetime)

    return make


@pytest.fixture
def bearer(token: Token) -> Callable[..., dict[str, str]]:
    """The Authorization header of such a token."""
    return lambda *args, **kwargs: {"Authorization": f"Bearer {token(*args, **kwargs)}"}


@pytest.fixture
async def admin(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection, which no row-level security limits; to look, not to act."""
    connection = await asyncpg.connect(database)
    await prepare_connection(connection)
    yield connection
    await connection.close()


Settle = Callable[[], Awaitable[None]]
