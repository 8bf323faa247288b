"""A village with its cadres, and monitoring's voice."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.alerts.import_officers import import_officers
from services.alerts.settings import AlertsSettings
from shared.clock import SHANGHAI, FixedClock
from shared.contracts.envelope import Event
from shared.contracts.monitoring import RISK_CHANGED
from shared.db.pool import to_json
from shared.db.scope import scoped
from shared.messaging.signing import sign
from shared.runtime import Runtime
from shared.security.principal import Principal
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk

MONDAY = datetime(2026, 3, 16, 10, 0, tzinfo=SHANGHAI)
ADMIN = Principal("admin", "person", COUNTY, officer_no="C1")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def officer(officer_no: str, role: str, division: str, **extra: str) -> dict[str, str | None]:
    return {"officer_no": officer_no, "name": f"干部{officer_no}", "role": role, "division": division, **extra}


Enlist = Callable[..., Awaitable[None]]
Tell = Callable[..., Awaitable[httpx.Response]]
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
async def enlist(alerts_runtime: Runtime) -> Enlist:
    """Put officers on duty from the test's day on: enlist(("G1", "grid_worker", VILLAGE), ...)."""

    async def put(*posts: tuple[str, str, str], **extra: str) -> None:
        clock = alerts_runtime.clock
        async with scoped(alerts_runtime.pool, COUNTY) as connection:
            lines = [officer(*post, **extra) for post in posts]
            await import_officers(connection, lines, ADMIN, now=clock.now(), today=clock.today())

    return put


@pytest.fixture
async def cadres(enlist: Enlist) -> None:
    """Every post of one village filled, and the other village's secretary."""
    await enlist(
        ("G1", "grid_worker", VILLAGE),
        ("S1", "village_secretary", VILLAGE),
        ("F1", "first_secretary", VILLAGE),
        ("T1", "township_leader", TOWNSHIP),
        ("C1", "county_admin", COUNTY),
        ("G2", "grid_worker", OTHER_VILLAGE),
        ("S2", "village_secretary", OTHER_VILLAGE),
    )


@pytest.fixture
def asked() -> dict[str, Any]:
    """What policy asks of answers, told with every risk; empty: what receivers take without being told."""
    return {}


@pytest.fixture
async def tell(alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, asked: dict[str, Any]) -> Tell:
    """Say something as monitoring, signed, through the door."""

    async def say(*items: dict[str, Any], event_id: UUID | None = None) -> httpx.Response:
        now = alerts_runtime.clock.now()
        told = [{"answer_terms": asked, **item} if asked else item for item in items]
        data = {"policy_version": "national-2026.1", "items": told}
        event = Event.make("fangpin/monitoring", RISK_CHANGED, None, data, now, id_=event_id)
        body = to_json(event.model_dump(mode="json", exclude_none=True)).encode()
        secret = alerts_runtime.keys.message_secret("monitoring", "alerts")
        headers = {"content-type": "application/cloudevents+json", **sign(secret, str(event.id), body, now)}
        return await alerts_client.post("/alerts/v1/events", content=body, headers=headers)

    return say


@pytest.fixture
async def alert(tell: Tell, cadres: None, admin: asyncpg.Connection) -> UUID:
    """One open orange alert in the village."""
    assert (await tell(risk())).status_code == 200
    found: UUID = await admin.fetchval("SELECT alert_id FROM alerts.alert")
    return found


@pytest.fixture
async def calm(alerts_runtime: Runtime, clock: FixedClock) -> AsyncIterator[None]:
    """Flood control as it is delivered, on a working Monday at ten."""
    told = alerts_runtime.settings
    assert isinstance(told, AlertsSettings)
    alerts_runtime.settings = told.model_copy(update={"flood_control": True})
    clock.at = MONDAY
    yield
    alerts_runtime.settings = told


@pytest.fixture
async def rows(admin: asyncpg.Connection) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """Look at a table as it is, whatever row-level security says."""

    async def of(table: str, where: str = "true", *args: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await admin.fetch(f"SELECT * FROM alerts.{table} WHERE {where}", *args)]

    return of


@pytest.fixture
def secretary(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    """The village secretary's login, good for half an hour."""
    return bearer("village_secretary", VILLAGE, officer_no="S1")


@pytest.fixture
def county(bearer: Bearer, alerts_client: httpx.AsyncClient) -> dict[str, str]:
    """The county administrator's login, good for half an hour."""
    return bearer("county_admin", COUNTY, officer_no="C1")


@pytest.fixture
async def phone(alerts_client: httpx.AsyncClient, county: dict[str, str]) -> None:
    """A way out of the village secretary's own."""
    await _endpoint(alerts_client, county, address="s1", officer_no="S1")


@pytest.fixture
async def robot(alerts_client: httpx.AsyncClient, county: dict[str, str]) -> None:
    """A robot of the township's group."""
    await _endpoint(alerts_client, county, address="group", division=TOWNSHIP)


async def _endpoint(client: httpx.AsyncClient, headers: dict[str, str], **owned: str) -> None:
    answer = await client.post("/alerts/v1/endpoints", json={"channel": "console", **owned}, headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def acknowledge(alerts_client: httpx.AsyncClient, bearer: Bearer) -> Callable[..., Awaitable[None]]:
    """Acknowledge as an officer of the village, its secretary unless told otherwise."""

    async def seen(alert_id: UUID, role: str = "village_secretary", officer_no: str = "S1") -> None:
        path, headers = f"/alerts/v1/alerts/{alert_id}/acknowledge", bearer(role, VILLAGE, officer_no=officer_no)
        answer = await alerts_client.post(path, json={}, headers=headers)
        assert answer.status_code == 200, answer.text

    return seen


@pytest.fixture
def put_days(alerts_client: httpx.AsyncClient, bearer: Bearer) -> Callable[..., Awaitable[httpx.Response]]:
    """Import the days of a year as the county: a list, or the bytes of a file."""

    async def put(year: int, source: str, days: Any) -> httpx.Response:
        url, headers = f"/alerts/v1/calendar/{year}?source={source}", bearer("county_admin", COUNTY, officer_no="C1")
        if isinstance(days, bytes):
            return await alerts_client.put(url, content=days, headers={**headers, "content-type": "text/csv"})
        return await alerts_client.put(url, json=days, headers=headers)

    return put
