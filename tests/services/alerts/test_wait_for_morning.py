"""A retry that would fall into the night waits for the morning; what is urgent does not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from services.alerts.group_notifications import tell_due_groups
from services.alerts.repository_deliveries import hasten_deliveries
from services.alerts.settings import AlertsSettings
from shared.clock import SHANGHAI, FixedClock
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.services.alerts.places import COUNTY, risk
from tests.services.alerts.receiver import http_receiver
from tests.services.alerts.test_deliver import deliver, subscribe

Rows = Callable[..., Any]
Tell = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("cadres", "calm")


async def failed_at(
    moment: datetime, item: dict[str, Any], runtime: Runtime, client: httpx.AsyncClient, bearer: Any, tell: Tell
) -> None:
    """A push that was told in time, and fails at `moment`."""
    clock = runtime.clock
    assert isinstance(clock, FixedClock)
    clock.at = moment - timedelta(minutes=1)
    async with http_receiver("500 Oops") as receiver:
        await subscribe(client, bearer("county_admin", COUNTY, officer_no="C1"), receiver.url)
        await tell(item)
        clock.at = moment - timedelta(seconds=10)
        await tell_due_groups(runtime)
        clock.at = moment
        assert await deliver(runtime) == 1


async def waits_until(rows: Rows) -> datetime:
    [delivery] = await rows("delivery")
    assert (delivery["state"], delivery["attempts"]) == ("due", 1)
    due: datetime = delivery["due_at"]
    return due


@pytest.mark.parametrize(
    ("moment", "morning"),
    [
        (datetime(2026, 3, 16, 20, 59, 58, tzinfo=SHANGHAI), datetime(2026, 3, 17, 7, 30, tzinfo=SHANGHAI)),
        (datetime(2026, 3, 20, 20, 59, 58, tzinfo=SHANGHAI), datetime(2026, 3, 23, 7, 30, tzinfo=SHANGHAI)),
    ],
)
async def test_it_waits_for_the_next_working_morning(
    moment: datetime,
    morning: datetime,
    alerts_runtime: Runtime,
    alerts_client: httpx.AsyncClient,
    bearer: Any,
    tell: Tell,
    rows: Rows,
    clock: FixedClock,
) -> None:
    await failed_at(moment, risk(), alerts_runtime, alerts_client, bearer, tell)
    assert await waits_until(rows) == morning
    [delivery] = await rows("delivery")
    # The receiver is back at night: only what is urgent goes at once.
    clock.at = moment + timedelta(minutes=30)
    async with transaction(alerts_runtime.worker_pool) as connection:
        await hasten_deliveries(connection, delivery["outlet_id"], clock.at, urgent_only=True)
    assert await waits_until(rows) == morning
    async with transaction(alerts_runtime.worker_pool) as connection:
        await hasten_deliveries(connection, delivery["outlet_id"], clock.at)
    assert await waits_until(rows) == clock.at


async def test_by_day_it_is_tried_after_seconds(
    alerts_runtime: Runtime, alerts_client: httpx.AsyncClient, bearer: Any, tell: Tell, rows: Rows
) -> None:
    noon = datetime(2026, 3, 16, 12, 0, tzinfo=SHANGHAI)
    await failed_at(noon, risk(), alerts_runtime, alerts_client, bearer, tell)
    assert await waits_until(rows) < noon + timedelta(seconds=10)


async def test_what_is_urgent_is_tried_at_night(
    alerts_runtime: Runtime, alerts_client: httpx.AsyncClient, bearer: Any, tell: Tell, rows: Rows
) -> None:
    night = datetime(2026, 3, 16, 23, 0, tzinfo=SHANGHAI)
    await failed_at(night, risk(severity="red"), alerts_runtime, alerts_client, bearer, tell)
    assert await waits_until(rows) < night + timedelta(seconds=10)


async def test_it_waits_no_longer_than_it_is_tried_at_all(
    alerts_runtime: Runtime, alerts_client: httpx.AsyncClient, bearer: Any, tell: Tell, rows: Rows
) -> None:
    settings = alerts_runtime.settings
    assert isinstance(settings, AlertsSettings)
    alerts_runtime.settings = settings.model_copy(update={"give_up_after": timedelta(hours=2)})
    evening = datetime(2026, 3, 16, 20, 59, 58, tzinfo=SHANGHAI)
    await failed_at(evening, risk(), alerts_runtime, alerts_client, bearer, tell)
    [delivery] = await rows("delivery")
    assert delivery["due_at"] == delivery["give_up_at"]
