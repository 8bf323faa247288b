"""The watch: when ticks stop, an alarm goes out by mail and webhook, once; and once more when it is over."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from services.alerts.settings import AlertsSettings
from services.alerts.watch import watch
from shared.clock import SHANGHAI, FixedClock
from shared.runtime import Runtime
from tests.conftest import House
from tests.services.alerts.receiver import http_receiver, mail_receiver

Rows = Callable[..., Any]
FIRST = datetime(2026, 3, 17, 8, 30, tzinfo=SHANGHAI)
SECRET = b"0123456789abcdef0123456789abcdef"


def told_by(runtime: Runtime, **ways: Any) -> Runtime:
    """The same runtime with ways out for alarms."""
    return replace(runtime, settings=AlertsSettings(**{**runtime.settings.model_dump(), **ways}))


async def test_a_tick_that_stops_raises_one_alarm_and_says_when_it_is_over(
    alert: UUID, alerts_runtime: Runtime, clock: FixedClock, house: House, rows: Rows
) -> None:
    """Nobody runs the escalation: five minutes after the first is due the county's operators hear of it."""
    async with http_receiver() as hook, mail_receiver() as (mails, port):
        runtime = told_by(
            alerts_runtime,
            smtp_host="127.0.0.1",
            smtp_port=port,
            watch_mail_to=["ops@example.gov.cn", "chief@example.gov.cn"],
            watch_webhook_url=hook.url,
            watch_webhook_secret=f"whsec_{b64encode(SECRET).decode()}",
        )
        await house.run_worker("alerts", "escalate", "deliver")
        clock.at = FIRST - timedelta(minutes=1)
        await house.run_worker("alerts", "escalate")
        clock.at = FIRST + timedelta(minutes=5)
        assert await watch(runtime) == 0
        clock.at = FIRST + timedelta(minutes=6)
        assert await watch(runtime) == 1
        assert await watch(runtime) == 1
        (mail,) = mails.mails
        assert mail.rcpt_tos == ["ops@example.gov.cn", "chief@example.gov.cn"]
        (posted,) = hook.received
        assert hook.signed_by(SECRET)
        data = json.loads(posted.body)["data"]
        assert (data["title"], data["over"]) == ("【防贫监测】预警逐级督办停摆", False)
        assert "张建国" not in posted.body.decode()
        # The tick comes back.
        await house.run_worker("alerts", "escalate")
        assert await watch(runtime) == 0
        assert len(mails.mails) == 2
        over = json.loads(hook.received[1].body)["data"]
        assert (over["title"], over["over"]) == ("【防贫监测】预警逐级督办停摆已恢复", True)
        assert await watch(runtime) == 0
        assert len(hook.received) == 2
    (incident,) = await rows("watch_incident")
    assert incident["closed_at"] == clock.at


async def test_a_task_that_never_came_or_stopped_coming_is_found(
    alerts_runtime: Runtime, clock: FixedClock, house: House, rows: Rows
) -> None:
    assert await watch(alerts_runtime) == 0
    clock.at += timedelta(minutes=7)
    assert await watch(alerts_runtime) == 0
    clock.at += timedelta(seconds=1)
    assert await watch(alerts_runtime) == 1
    (incident,) = await rows("watch_incident")
    assert (incident["trouble"], incident["detail"]) == ("tasks_silent", "没有按时运行的任务：escalate。")
    await house.run_worker("alerts", "escalate")
    assert await watch(alerts_runtime) == 0


async def test_an_alarm_nobody_took_is_told_again(
    alert: UUID, alerts_runtime: Runtime, clock: FixedClock, house: House
) -> None:
    async with http_receiver("503 Busy", "200 OK") as hook:
        runtime = told_by(alerts_runtime, watch_webhook_url=hook.url)
        clock.at = FIRST + timedelta(minutes=6)
        for _ in range(3):
            await watch(runtime)
        assert len(hook.received) == 2


async def test_queues_that_stand_still_are_found(
    alert: UUID, alerts_runtime: Runtime, clock: FixedClock, house: House, admin: asyncpg.Connection, rows: Rows
) -> None:
    await admin.execute(
        "WITH o AS (INSERT INTO alerts.outlet (outlet_id) VALUES (gen_random_uuid()) RETURNING *)"
        " INSERT INTO alerts.endpoint (endpoint_id, outlet_id, channel, address, officer_no, division, division_hi,"
        " state, updated_at) SELECT gen_random_uuid(), outlet_id, 'console', 'x', 'G1', '130624100202',"
        " '130624100203', 'active', now() FROM o"
    )
    clock.at = FIRST
    await house.run_worker("alerts", "escalate")
    clock.at = FIRST + timedelta(minutes=10)
    assert await watch(alerts_runtime) == 1  # Only the task itself is late: it has its five minutes and two more.
    clock.at = FIRST + timedelta(minutes=11)
    await watch(alerts_runtime)
    assert "deliveries_stand_still" in {row["trouble"] for row in await rows("watch_incident")}
    await house.run_worker("alerts", "escalate", "deliver")
    assert await watch(alerts_runtime) == 0


async def test_an_alert_without_a_timer_is_found(
    alert: UUID, alerts_runtime: Runtime, clock: FixedClock, house: House, admin: asyncpg.Connection, rows: Rows
) -> None:
    await admin.execute("DELETE FROM alerts.alert_escalation")
    clock.at += timedelta(minutes=31)
    await house.run_worker("alerts", "escalate")
    assert await watch(alerts_runtime) == 1
    (incident,) = await rows("watch_incident")
    assert incident["trouble"] == "alerts_without_timer"


async def test_the_gauge_shows_it_at_a_scrape(alert: UUID, house: House, clock: FixedClock) -> None:
    """Also when the worker is dead: the process that serves requests looks itself."""
    clock.at = FIRST + timedelta(minutes=6)
    transport = httpx.ASGITransport(app=await house.app("alerts"))
    async with httpx.AsyncClient(transport=transport, base_url="http://alerts") as client:
        text = (await client.get("/metrics")).text
    assert 'fangpin_alerts_trouble{trouble="escalations_overdue"} 1.0' in text
    assert 'fangpin_alerts_trouble{trouble="outbox_stands_still"} 0.0' in text
