"""What the tests of the whole house share."""

from collections.abc import Callable

import asyncpg
import httpx
import pytest

from tests.conftest import House
from tests.house.county import County, build


@pytest.fixture
async def county(
    client: httpx.AsyncClient, house: House, bearer: Callable[..., dict[str, str]], admin: asyncpg.Connection
) -> County:
    """A county with its neighbour, filled; everything in it anew for each test."""
    return await build(County(client, house, bearer, admin))
