"""A small house for shared code: the shared tables in a database of their own, without any service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import uvicorn
from sqlalchemy import Connection, MetaData, Text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.clock import FixedClock
from shared.db.base import NAMING
from shared.db.heads import head_of
from shared.db.key_check import remember_keys
from shared.db.metadata import metadata_of
from shared.db.migrate import create_roles
from shared.db.pool import alchemy_url, prepare_connection
from shared.messaging.tables import (
    AuditColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxDeliveryColumns,
    SubscriptionColumns,
)
from shared.queue.tables import ClaimColumns
from shared.runtime import Runtime, open_runtime
from shared.security.keys import create_keys
from shared.settings import Settings
from tests.conftest import new_database

SERVICES = ("intake", "monitoring", "alerts")
NOON = datetime(2026, 3, 15, 4, 0, tzinfo=UTC)


class Small(SQLModel, registry=registry(metadata=MetaData(naming_convention=NAMING))):
    """Base of the tables every schema of the small house has."""


class Outbox(OutboxColumns, Small, table=True):
    __tablename__ = "outbox"


class OutboxDelivery(OutboxDeliveryColumns, Small, table=True):
    __tablename__ = "outbox_delivery"


class Subscription(SubscriptionColumns, Small, table=True):
    __tablename__ = "subscription"


class Inbox(InboxColumns, Small, table=True):
    __tablename__ = "inbox"


class Idempotency(IdempotencyColumns, Small, table=True):
    __tablename__ = "idempotency_key"


class Audit(AuditColumns, Small, table=True):
    __tablename__ = "audit_log"


class Job(ClaimColumns, Small, table=True):
    """Something to be claimed."""

    __tablename__ = "job"

    job_id: int = Field(primary_key=True)


class Place(Small, table=True):
    """Something that lies in a division, and is seen from there only."""

    __tablename__ = "place"

    place_id: int = Field(primary_key=True)
    division: str = Field(sa_type=Text(collation="C"))


SECURE = """
CREATE TABLE {schema}.alembic_version (version_num text);
INSERT INTO {schema}.alembic_version VALUES ('{head}');
ALTER TABLE {schema}.place OWNER TO fangpin_owner;
ALTER TABLE {schema}.place ENABLE ROW LEVEL SECURITY;
ALTER TABLE {schema}.place FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON {schema}.place TO fangpin_{schema}
    USING (division >= nullif(current_setting('app.lo', true), '')
       AND division < nullif(current_setting('app.hi', true), ''));
CREATE POLICY worker ON {schema}.place TO fangpin_{schema}_worker USING (true);
CREATE VIEW {schema}.place_view WITH (security_invoker = true) AS SELECT * FROM {schema}.place;
GRANT USAGE ON SCHEMA {schema} TO fangpin_{schema}, fangpin_{schema}_worker;
GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO fangpin_{schema}, fangpin_{schema}_worker;
"""


def _create_tables(connection: Connection) -> None:
    for schema in SERVICES:
        Small.metadata.create_all(connection.execution_options(schema_translate_map={None: schema}))


@pytest.fixture(scope="session")
async def small_url(server_url: str) -> str:
    """A database with the shared tables in the schema of each service."""
    url = await new_database(server_url)
    await create_roles(url)
    connection = await asyncpg.connect(url)
    for schema in (*SERVICES, "directory"):
        await connection.execute(f"CREATE SCHEMA {schema}")
    engine = create_async_engine(alchemy_url(url))
    async with engine.begin() as opened:
        await opened.run_sync(metadata_of("directory").create_all)
        await opened.run_sync(_create_tables)
    await engine.dispose()
    for schema in SERVICES:
        await connection.execute(SECURE.format(schema=schema, head=head_of(schema)))
    await connection.execute("GRANT USAGE ON SCHEMA directory TO fangpin_directory")
    await connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA directory TO fangpin_directory")
    await connection.close()
    return url


@pytest.fixture
async def small_settings(small_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the small house, whose tables are empty and whose keys are new."""
    data: Path = tmp_path_factory.mktemp("small")
    create_keys(data / "keys", demo=True)
    connection = await asyncpg.connect(small_url)
    for schema in SERVICES:
        names = ", ".join(f"{schema}.{table.name}" for table in Small.metadata.sorted_tables)
        await connection.execute(f"TRUNCATE {names}")
    await connection.execute("TRUNCATE directory.key_fingerprint, directory.oauth_client")
    await remember_keys(connection, data / "keys")
    await connection.close()
    return Settings(
        data=data,
        demo=True,
        database_url=small_url,
        pool_size=4,
        log_level="WARNING",
        intake_url="http://intake.test",
        monitoring_url="http://monitoring.test",
        alerts_url="http://alerts.test",
        webhook_allowed_hosts=["127.0.0.1:*", "hooks.example.gov.cn"],
    )


@pytest.fixture
def small_clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
async def small_admin(small_url: str, small_settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to the small house; its search_path is intake."""
    connection = await asyncpg.connect(small_url, server_settings={"search_path": "intake", "timezone": "UTC"})
    await prepare_connection(connection)
    yield connection
    await connection.close()


Open = Callable[..., AbstractAsyncContextManager[Runtime]]


@pytest.fixture
def open_small(small_settings: Settings, small_clock: FixedClock) -> Open:
    """Open a service of the small house: open_small("intake", monitoring_url=...)."""

    def opened(service: str, **changed: Any) -> AbstractAsyncContextManager[Runtime]:
        transport = changed.pop("transport", None)
        settings = small_settings.model_copy(update=changed)
        return open_runtime(service, settings, transport=transport, clock=small_clock)

    return opened


@pytest.fixture
async def intake(open_small: Open) -> AsyncIterator[Runtime]:
    async with open_small("intake") as runtime:
        yield runtime


@dataclass
class Received:
    """A request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server that keeps what it gets and answers as told, 200 when not told.

    An answer is a status, a pair of status and body, or "hang".
    """

    url: str = ""
    answers: list[Any] = field(default_factory=list)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.received.append(Received(scope["path"], headers, body))
        answer = self.answers.pop(0) if self.answers else 200
        if answer == "hang":
            await receive()  # Until the sender has had enough.
            return
        status, text = answer if isinstance(answer, tuple) else (answer, b"")
        await send({"type": "http.response.start", "status": status, "headers": self.headers})
        await send({"type": "http.response.body", "body": text})

    @property
    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.received]


class QuietServer(uvicorn.Server):
    """A server that leaves the signals of the tests alone."""

    def capture_signals(self) -> Any:
        return nullcontext()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on a port of its own on loopback."""
    heard = Receiver()
    server = QuietServer(uvicorn.Config(heard, port=0, log_level="critical", lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    heard.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield heard
    server.should_exit = server.force_exit = True
    await serving
