"""A night is quiet for tries again and for backlogs too, and nothing of them is lost by it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.alerts.group_notifications import tell_due_groups
from shared.clock import SHANGHAI, FixedClock
from shared.runtime import Runtime
from tests.services.alerts.outlets import deliver_all, put, queue_up
from tests.services.alerts.places import COUNTY, TOWNSHIP, risk
from tests.services.alerts.receiver import http_receiver

Rows = Callable[..., Any]
Tell = Callable[..., Any]
EVENING = datetime(2026, 3, 20, 20, 58, tzinfo=SHANGHAI)
NEXT_SLOT = datetime(2026, 3, 23, 7, 30, tzinfo=SHANGHAI)

pytestmark = pytest.mark.usefixtures("cadres", "calm")


@pytest.fixture
def headers(bearer: Callable[..., dict[str, str]], alerts_client: httpx.AsyncClient, calm: None) -> dict[str, str]:
    return bearer("county_admin", COUNTY, officer_no="C1")


async def test_a_try_again_waits_for_the_next_working_morning_and_an_urgent_one_does_not(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    tell: Tell,
    rows: Rows,
    clock: FixedClock,
) -> None:
    async with http_receiver("500 Oops", "200 OK") as receiver:
        await put(alerts_client, headers, channel="webhook", address=receiver.url, division=TOWNSHIP)
        clock.at = EVENING
        await tell(risk(1))
        clock.at += timedelta(seconds=31)
        await tell_due_groups(alerts_runtime)
        assert await deliver_all(alerts_runtime) == 1
        clock.at += timedelta(minutes=3)
        assert await deliver_all(alerts_runtime) == 0
        (delivery,) = await rows("delivery")
        assert (delivery["state"], delivery["due_at"], delivery["attempts"]) == ("due", NEXT_SLOT, 1)
        assert delivery["lease_token"] is None
        await tell(risk(2, severity="red"))
        assert await deliver_all(alerts_runtime) == 1
        clock.at = NEXT_SLOT - timedelta(seconds=1)
        assert await deliver_all(alerts_runtime) == 0
        clock.at = NEXT_SLOT
        assert await deliver_all(alerts_runtime) == 1
    assert len(receiver.received) == 3
    assert {row["state"] for row in await rows("delivery")} == {"delivered"}


async def test_a_backlog_takes_no_tokens_at_night_and_is_gone_in_the_morning(
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    headers: dict[str, str],
    admin: asyncpg.Connection,
    rows: Rows,
    clock: FixedClock,
) -> None:
    async with http_receiver() as receiver:
        made = await put(alerts_client, headers, channel="webhook", address=receiver.url, per_minute=60, burst=30)
        clock.at = EVENING
        await queue_up(admin, made["endpoint_id"], 20, alerts_runtime)
        clock.at += timedelta(hours=2)
        assert await deliver_all(alerts_runtime) == 0
        (outlet,) = await rows("outlet")
        assert outlet["tokens"] == 30
        clock.at = NEXT_SLOT
        assert await deliver_all(alerts_runtime) == 20
    assert len({one.message_id for one in receiver.received}) == 20
