"""Whatever acts on several alerts takes them in one order: no two transactions wait for each other for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import combinations
from typing import Any

import asyncpg
import httpx
import pytest

from services.alerts.end_silences import end_silences
from services.alerts.group_notifications import tell_due_groups
from services.alerts.recompute_clocks import recompute_clocks
from shared.clock import FixedClock
from shared.runtime import Runtime
from tests.services.alerts.places import COUNTY, VILLAGE, risk

Rows = Callable[..., Any]
Bearer = Callable[..., dict[str, str]]
Doer = Callable[[], Awaitable[Any]]
REPORT = "01999999-0000-7000-8000-000000000001"


async def waiting(connection: asyncpg.Connection, many: int) -> None:
    """Until so many others stand in the queue for a lock."""
    while await connection.fetchval("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted") < many:
        await asyncio.sleep(0.01)


OF_H2 = "alerts.alert WHERE household_no = 'H2'"


async def both_at_once(connection: asyncpg.Connection, first: Doer, second: Doer, between: str = OF_H2) -> list[Any]:
    """Let both come as far as a row in the middle of their lists, and then go on."""
    async with connection.transaction():
        await connection.execute(f"SELECT FROM {between} FOR UPDATE")
        doing = []
        for number, act in enumerate((first, second), start=1):
            doing.append(asyncio.ensure_future(act()))
            await waiting(connection, number)
    return list(await asyncio.wait_for(asyncio.gather(*doing), timeout=20))


@pytest.fixture
async def doers(
    tell: Any,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    bearer: Bearer,
) -> dict[str, Doer]:
    """Whatever acts on several alerts, here on three: the later the subject, the older the alert."""

    def county() -> dict[str, str]:
        return bearer("county_admin", COUNTY, officer_no="C1")

    silence = {"match": "原因=因病", "reason": "集中走访", "ends_at": (clock.at + timedelta(hours=1)).isoformat()}
    assert (await alerts_client.post("/alerts/v1/silences", json=silence, headers=county())).status_code == 201
    for number in (3, 2, 1):
        clock.at += timedelta(seconds=1)
        await tell(risk(number, clocks={"acknowledge_hours": 24, "verify_days": 7, "verify_unit": "working_days"}))
    clock.at += timedelta(hours=1)
    holiday = [{"date": "2026-03-18", "kind": "holiday", "name": "县庆"}]
    put = await alerts_client.put("/alerts/v1/calendar/2026?source=county", json=holiday, headers=county())
    assert put.status_code == 200, put.text
    ids = [str(row["alert_id"]) for row in await rows("alert")]

    async def post(path: str, body: dict[str, Any]) -> int:
        return (await alerts_client.post(f"/alerts/v1/{path}", json=body, headers=county())).status_code

    async def news() -> int:
        return int((await tell(*(risk(n, facts_version=11, severity="red") for n in (1, 2, 3)))).status_code)

    async def officers() -> int:
        lines = [
            {
                "officer_no": f"N{n}",
                "name": f"干部N{n}",
                "role": "grid_worker",
                "division": VILLAGE,
                "household_no": f"H{n}",
            }
            for n in (1, 2, 3)
        ]
        return (await alerts_client.post("/alerts/v1/officers", json=lines, headers=county())).status_code

    return {
        "news": news,
        "acknowledge": lambda: post("alerts/acknowledge", {"alert_ids": ids}),
        "clocks": lambda: recompute_clocks(alerts_runtime),
        "silences": lambda: end_silences(alerts_runtime),
        "officers": officers,
    }


@pytest.mark.parametrize(
    ("one", "other"), [*combinations(("news", "acknowledge", "clocks", "silences", "officers"), 2)]
)
async def test_no_two_wait_for_each_other(
    doers: dict[str, Doer], admin: asyncpg.Connection, one: str, other: str
) -> None:
    results = await both_at_once(admin, doers[one], doers[other])
    assert all(result in (200, 1, 3, 4) for result in results), dict(zip((one, other), results, strict=True))


async def test_a_household_that_adopts_the_alert_of_its_report_takes_its_turn(
    tell: Any,
    cadres: None,
    rows: Rows,
    clock: FixedClock,
    alerts_client: httpx.AsyncClient,
    bearer: Bearer,
    admin: asyncpg.Connection,
) -> None:
    await tell(risk(1))
    clock.at += timedelta(seconds=1)
    await tell(risk(2))
    clock.at += timedelta(seconds=1)
    reported = {"report_ids": [REPORT], "reason": "hardship_report"}
    await tell(risk(9, subject=f"report:{REPORT}", household_no=None, facts_version=0, **reported))
    ids = [str(row["alert_id"]) for row in await rows("alert")]
    headers = bearer("county_admin", COUNTY, officer_no="C1")

    async def adopt() -> int:
        newer = (risk(number, facts_version=11) for number in (1, 2))
        return int((await tell(*newer, risk(9, facts_version=11, **reported))).status_code)

    async def acknowledge() -> int:
        path = "/alerts/v1/alerts/acknowledge"
        return (await alerts_client.post(path, json={"alert_ids": ids}, headers=headers)).status_code

    assert await both_at_once(admin, acknowledge, adopt) == [200, 200]
    assert await rows("alert", "household_no = 'H9' AND subject = 'household:H9' AND status = 'acknowledged'")


async def test_whoever_tells_a_group_takes_the_messages_as_they_are_cancelled(
    tell: Any,
    cadres: None,
    calm: None,
    rows: Rows,
    clock: FixedClock,
    alerts_client: httpx.AsyncClient,
    alerts_runtime: Runtime,
    bearer: Bearer,
    admin: asyncpg.Connection,
) -> None:
    headers = bearer("county_admin", COUNTY, officer_no="C1")
    body = {"channel": "console", "address": "s1", "officer_no": "S1"}
    await alerts_client.post("/alerts/v1/endpoints", json=body, headers=headers)
    await tell(*(risk(number) for number in (1, 2, 3)))
    # Told in another order than the alerts opened in.
    await admin.execute(
        "UPDATE alerts.notification n SET created_at = created_at - m.nth * interval '1 ms' FROM ("
        "SELECT notification_id, row_number() OVER (ORDER BY alert_id) AS nth FROM alerts.notification) m "
        "WHERE n.notification_id = m.notification_id"
    )
    ids = sorted(row["alert_id"] for row in await rows("alert"))
    clock.at += timedelta(minutes=1)

    async def acknowledge() -> int:
        path, asked = "/alerts/v1/alerts/acknowledge", {"alert_ids": [str(one) for one in reversed(ids)]}
        return (await alerts_client.post(path, json=asked, headers=headers)).status_code

    between = f"alerts.notification WHERE alert_id = '{ids[1]}' AND recipient = 'S1'"
    told = await both_at_once(admin, acknowledge, lambda: tell_due_groups(alerts_runtime), between)
    assert told == [200, 1]
