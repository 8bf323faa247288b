"""A real PostgreSQL with the directory's tables, made by its migrations, and no place in it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.db.migrate import create_roles, migrate
from tests.conftest import new_database


@pytest.fixture(scope="session")
async def migrated_url(server_url: str) -> str:
    url = await new_database(server_url)
    await create_roles(url)
    await migrate(url, ["directory"])
    return url


@pytest.fixture
async def directory_connection(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose work is undone after the test."""
    connection = await asyncpg.connect(migrated_url, server_settings={"search_path": "directory"})
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()
