"""One ledger database for the tests of the compiled text."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.conftest import new_database
from tests.services.monitoring.domain.ledger_database import LedgerWriter, create_ledger


@pytest.fixture(scope="session")
async def ledger(server_url: str) -> AsyncIterator[LedgerWriter]:
    connection = await asyncpg.connect(await new_database(server_url))
    await create_ledger(connection)
    yield LedgerWriter(connection)
    await connection.close()
