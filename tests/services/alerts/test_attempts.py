"""Tries in vain: who, when, how often; the alert stays open, and after three different days somebody above helps."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.clock import SHANGHAI
from tests.conftest import House
from tests.services.alerts.places import VILLAGE

Rows = Callable[..., Any]
OPENED = datetime(2026, 3, 15, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def attempt(
    alerts_client: httpx.AsyncClient, alert: UUID, bearer: Callable[..., dict[str, str]], house: House
) -> Callable[..., Any]:
    """Try on a day after the opening: attempt(days, ...)."""

    async def tried(days: int, **more: Any) -> httpx.Response:
        house.clock.at = OPENED + timedelta(days=days)
        headers = bearer("village_secretary", VILLAGE, officer_no="S1")
        body = {"method": "call", **more}
        return await alerts_client.post(f"/alerts/v1/alerts/{alert}/attempts", json=body, headers=headers)

    return tried


async def test_three_days_of_tries_reach_the_township(attempt: Callable[..., Any], rows: Rows) -> None:
    for day in (0, 1, 1):
        assert (await attempt(day)).json()["status"] == "verifying"
    assert {row["officer_no"] for row in await rows("assignment")} == {"G1", "S1"}
    await attempt(2)
    # The first secretary stands above the village secretary.
    assert {row["officer_no"] for row in await rows("assignment", "until IS NULL")} == {"G1", "S1", "F1"}
    assert [row["officer_no"] for row in await rows("inbox_item", "kind = 'unreached'")] == ["F1"]
    for day in (3, 4, 5):
        await attempt(day)
    assert {row["officer_no"] for row in await rows("inbox_item", "kind = 'unreached'")} == {"F1", "T1"}
    (found,) = await rows("alert")
    assert found["status"] == "verifying"
    assert [row["tried_on"].day for row in await rows("attempt")] == [15, 16, 16, 17, 18, 19, 20]


async def test_a_try_made_without_a_network_counts_for_its_own_day(attempt: Callable[..., Any], rows: Rows) -> None:
    late_evening = OPENED.replace(hour=23, minute=59)
    for tried_at in (late_evening, late_evening + timedelta(minutes=1)):
        assert (await attempt(3, tried_at=tried_at.isoformat())).status_code == 200
    assert [row["tried_on"].day for row in await rows("attempt")] == [15, 16]


@pytest.mark.parametrize("moment", [OPENED - timedelta(seconds=1), OPENED + timedelta(days=1, seconds=1)])
async def test_no_try_before_the_alert_or_in_the_future(attempt: Callable[..., Any], moment: datetime) -> None:
    answer = await attempt(1, tried_at=moment.isoformat())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "tried_at_out_of_time")


async def test_the_same_try_again_counts_once_and_another_under_its_id_is_refused(
    attempt: Callable[..., Any], rows: Rows
) -> None:
    step_id = str(uuid4())
    assert [(await attempt(0, id=step_id)).status_code for _ in range(3)] == [200, 200, 200]
    assert len(await rows("attempt")) == len(await rows("alert_log", "action = 'cannot_reach'")) == 1
    other = await attempt(0, id=step_id, note="敲门无人应")
    assert (other.status_code, other.json()["code"]) == (409, "step_id_taken")


async def test_an_acknowledgement_sent_again_changes_nothing_even_when_all_is_over(
    alerts_client: httpx.AsyncClient, alert: UUID, secretary: dict[str, str], rows: Rows
) -> None:
    path, body = f"/alerts/v1/alerts/{alert}/acknowledge", {"id": str(uuid4())}
    assert (await alerts_client.post(path, json=body, headers=secretary)).status_code == 200
    await alerts_client.post(f"/alerts/v1/alerts/{alert}/verification", json={"outcome": "moved"}, headers=secretary)
    again = await alerts_client.post(path, json=body, headers=secretary)
    assert (again.status_code, again.json()["status"]) == (200, "closed")
    assert len(await rows("alert_log", "action = 'acknowledge'")) == 1
    fresh = await alerts_client.post(path, json={"id": str(uuid4())}, headers=secretary)
    assert fresh.status_code == 409
