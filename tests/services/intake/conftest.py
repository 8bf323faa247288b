"""What intake's tests share."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.services.intake.build import COUNTY, Department
from tests.services.intake.helped import Helped


@pytest.fixture
def department(intake_client: httpx.AsyncClient, house: Any, bearer: Callable[..., dict[str, str]]) -> Department:
    """A system that may send every data set of the county."""
    return Department(intake_client, house, bearer(), bearer("county_admin", COUNTY))


@pytest.fixture
def said(admin: Any) -> Callable[..., Any]:
    """The messages in the outbox that say something of somebody, oldest first: (type, payload, id)."""

    async def read() -> list[Any]:
        rows = await admin.fetch(
            "SELECT id, type, payload FROM intake.outbox"
            " WHERE payload::jsonb->'observations' IS DISTINCT FROM '[]'::jsonb ORDER BY id"
        )
        return [(row["type"], row["payload"], row["id"]) for row in rows]

    return read


@pytest.fixture
async def helped(client: httpx.AsyncClient, house: Any, bearer: Callable[..., dict[str, str]]) -> Helped:
    """A household on the roster, officers at their posts, all three services."""
    made = Helped(client, house, bearer)
    await made.people()
    return made
