"""Log in on a phone by the identity platform, which is a real server on loopback."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from services.alerts.settings import AlertsSettings
from shared.clock import FixedClock
from shared.runtime import Runtime
from tests.services.alerts.oidc_server import CLIENT, SECRET, Platform, platform
from tests.services.alerts.test_phone import BASE, link_for, opened
from tests.services.intake.build import number

Rows = Callable[..., Any]


@pytest.fixture
def identity(alerts_runtime: Runtime, clock: FixedClock) -> Iterator[Platform]:
    """The platform, at whose keyboard the village secretary sits."""
    settings = alerts_runtime.settings
    with platform(clock.at.timestamp(), officer_no="S1") as running:
        alerts_runtime.settings = settings.model_copy(
            update={
                "oidc_issuer": running.issuer,
                "oidc_jwks_url": f"{running.issuer}/jwks",
                "oidc_client_id": CLIENT,
                "oidc_client_secret": SecretStr(SECRET),
                "oidc_authorize_url": f"{running.issuer}/authorize",
                "oidc_token_url": f"{running.issuer}/token",
            }
        )
        yield running
        alerts_runtime.settings = settings


async def walk(client: httpx.AsyncClient, token: str = "") -> httpx.Response:
    """To the platform and back, as a browser goes; what the last address answers."""
    begun = await client.get(f"{BASE}/login", params={"t": token})
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient() as outside:
        agreed = await outside.get(begun.headers["location"])
    return await client.get(agreed.headers["location"])


async def test_the_platform_opens_the_alert_of_the_link(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, identity: Platform, rows: Rows
) -> None:
    token = await link_for(alerts_runtime, "S1", alert)
    assert f"/login?t={token}" in (await alerts_client.get(f"{BASE}/open", params={"t": token})).text
    back = await walk(alerts_client, token)
    assert (back.status_code, back.headers["location"]) == (303, f"{BASE}/a/{alert}")
    assert (await alerts_client.get(f"{BASE}/a/{alert}")).status_code == 200
    assert len(await rows("phone_token", "used_at IS NOT NULL")) == 1
    assert await rows("phone_pin") == []


async def test_without_a_link_it_opens_the_list_and_anothers_link_opens_nothing_more(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, identity: Platform
) -> None:
    for token in ("", await link_for(alerts_runtime, "G1", alert)):
        assert (await walk(alerts_client, token)).headers["location"] == f"{BASE}/"


async def test_a_code_and_a_state_are_good_once_and_for_one_phone(
    alerts_client: httpx.AsyncClient, alert: UUID, identity: Platform
) -> None:
    begun = await alerts_client.get(f"{BASE}/login")
    async with httpx.AsyncClient() as outside:
        back = (await outside.get(begun.headers["location"])).headers["location"]
    cookie = alerts_client.cookies.get("fangpin_login")
    alerts_client.cookies.clear()
    assert (await alerts_client.get(back)).status_code == 401, "another phone"
    headers = {"Cookie": f"fangpin_login={cookie}"}
    assert (await alerts_client.get(back.replace("state=", "state=x"), headers=headers)).status_code == 401
    assert (await alerts_client.get(back, headers=headers)).status_code == 303
    alerts_client.cookies.clear()
    assert (await alerts_client.get(back, headers=headers)).status_code == 401, "the code is used up"


@pytest.mark.parametrize(
    "claims",
    [
        {"officer_no": None},
        {"officer_no": "NOBODY"},
        {"officer_no": number(1)},
        {"aud": "another"},
        {"iss": "http://elsewhere"},
        {"nonce": "another"},
        {"exp": 0},
    ],
)
async def test_a_token_that_is_not_for_us_opens_nothing(
    alerts_client: httpx.AsyncClient, alert: UUID, identity: Platform, rows: Rows, claims: dict[str, Any]
) -> None:
    identity.claims |= claims
    back = await walk(alerts_client)
    assert (back.status_code, back.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert await rows("phone_session") == []


async def test_a_platform_that_is_away_is_said(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, identity: Platform
) -> None:
    away = {"oidc_token_url": "http://127.0.0.1:9/token"}
    alerts_runtime.settings = alerts_runtime.settings.model_copy(update=away)
    assert (await walk(alerts_client)).status_code == 503


async def test_a_phone_that_came_by_the_platform_sets_no_pin_later(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID, identity: Platform
) -> None:
    await walk(alerts_client)
    page = (await alerts_client.get(f"{BASE}/pin")).text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    assert (await alerts_client.post(f"{BASE}/pin", data={"csrf": csrf, "pin": "274916"})).status_code == 401
    token = await link_for(alerts_runtime, "G1", alert)
    assert (await opened(alerts_client, token)).status_code == 303


async def test_without_a_platform_nothing_is_offered(
    alerts_client: httpx.AsyncClient, alerts_runtime: Runtime, alert: UUID
) -> None:
    token = await link_for(alerts_runtime, "S1", alert)
    assert "统一身份认证" not in (await alerts_client.get(f"{BASE}/open", params={"t": token})).text
    for path in ("login", "login/return?code=x&state=x"):
        assert (await alerts_client.get(f"{BASE}/{path}")).status_code == 404


def test_the_settings_of_a_client_go_together() -> None:
    with pytest.raises(ValidationError, match="go together"):
        AlertsSettings(oidc_client_id="x")


@pytest.mark.parametrize("token", ["张", "a~b", "a;b", "%00"])
async def test_a_made_up_link_leads_to_the_platform_all_the_same(
    alerts_client: httpx.AsyncClient, alert: UUID, identity: Platform, token: str
) -> None:
    back = await walk(alerts_client, token)
    assert (back.status_code, back.headers.get("location")) == (303, f"{BASE}/")
