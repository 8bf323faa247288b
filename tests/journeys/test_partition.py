"""Ten minutes without a way from monitoring to alerts: what waited drains once, in the order in which it was said."""

import dataclasses
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from services.monitoring.announce import announce_risks
from shared.contracts.monitoring import RiskItem
from shared.db.scope import transaction
from shared.messaging.relay import relay_once, relay_urgent
from shared.runtime import Runtime
from tests.conftest import House
from tests.services.alerts.conftest import cadres as cadres
from tests.services.alerts.conftest import enlist as enlist
from tests.services.alerts.places import risk

HOUSEHOLDS = 6
STEP = timedelta(seconds=20)
STEPS_OF_TEN_MINUTES = 30
# For so long a peer that is away is left alone, at most.
LONGEST_QUIET = timedelta(seconds=36)
# Of each household in turn.
SEVERITIES = ("orange", "red", "orange", "yellow", "orange")


@dataclass
class Way(httpx.AsyncBaseTransport):
    """The way to alerts: open, cut, or one on which answers get lost; it keeps which messages arrived."""

    inside: httpx.AsyncBaseTransport
    state: str = "open"
    broken: type[httpx.TransportError] = httpx.ConnectError
    tried: int = 0
    arrived: list[str] = field(default_factory=list)
    came: list[int] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.tried += 1
        if self.state == "cut":
            raise self.broken("no way")
        self.came.extend(item["facts_version"] for item in json.loads(request.content)["data"]["items"])
        answer = await self.inside.handle_async_request(request)
        self.arrived.append(json.loads(request.content)["id"])
        if self.state == "deaf":
            raise httpx.ReadError("the answer is lost")
        return answer


@dataclass
class Speaker:
    """Monitoring on one side of the way."""

    runtime: Runtime
    way: Way
    house: House
    said: int = 0

    async def say(self) -> None:
        """The next news: of one household; every seventh is of a person who asked."""
        self.said += 1
        household = self.said % HOUSEHOLDS + 1
        severity = SEVERITIES[self.said // HOUSEHOLDS % len(SEVERITIES)]
        reports = [f"r{self.said}"] if self.said % 7 == 0 else []
        item = RiskItem.model_validate(
            risk(household, facts_version=self.said, severity=severity, report_ids=reports)
        )
        async with transaction(self.runtime.worker_pool) as connection:
            await announce_risks(connection, [item], policy_version="test-1", now=self.runtime.clock.now())

    async def relay(self, after: timedelta) -> None:
        self.house.clock.at += after
        while await relay_urgent(self.runtime) + await relay_once(self.runtime):
            pass

    async def waiting(self) -> int:
        count: int = await self.runtime.worker_pool.fetchval(
            "SELECT count(*) FROM outbox_delivery WHERE state <> 'delivered'"
        )
        return count


@pytest.fixture
async def speaker(client: httpx.AsyncClient, house: House, monitoring_runtime: Runtime) -> AsyncIterator[Speaker]:
    way = Way(house.transport)
    async with httpx.AsyncClient(transport=way) as http:
        yield Speaker(dataclasses.replace(monitoring_runtime, http=http), way, house)


@pytest.mark.parametrize("broken", [httpx.ConnectError, httpx.ConnectTimeout])
async def test_ten_minutes_of_partition_drain_in_order_and_nothing_is_lost_or_doubled(
    speaker: Speaker, cadres: None, admin: asyncpg.Connection, broken: type[httpx.TransportError]
) -> None:
    way = speaker.way
    way.broken = broken
    way.state = "cut"
    for _ in range(STEPS_OF_TEN_MINUTES):
        await speaker.say()
        await speaker.relay(after=STEP)
    assert await speaker.waiting() == speaker.said
    assert way.arrived == []

    assert way.tried < 3 * STEPS_OF_TEN_MINUTES, "who is away is asked now and then, not for every message"

    way.state = "deaf"
    await speaker.relay(after=LONGEST_QUIET)
    assert way.arrived, "what arrives and is not answered comes again"
    way.state = "open"
    seconds = 0
    while await speaker.waiting():
        await speaker.relay(after=timedelta(seconds=1))
        seconds += 1
        assert seconds <= 60, "the backlog is gone within a minute"

    events = {str(row["id"]) for row in await admin.fetch("SELECT id FROM monitoring.outbox")}
    assert set(way.arrived) == events
    assert len(events) == speaker.said
    assert_said_in_order(way.came)
    await assert_the_newest_holds(admin, speaker.said)


def assert_said_in_order(came: list[int]) -> None:
    """What a person waits for goes first; of the rest each comes when all before it have come at least once."""
    first = list(dict.fromkeys(came))
    urgent, usual = ([n for n in first if (n % 7 == 0) is person_waits] for person_waits in (True, False))
    assert urgent == sorted(urgent)
    assert usual == sorted(usual)


async def assert_the_newest_holds(admin: asyncpg.Connection, said: int) -> None:
    """One alert of each household, of its newest facts and with every report; each thing told once."""
    alerts = {row["subject"]: row for row in await admin.fetch("SELECT * FROM alerts.alert")}
    assert len(alerts) == HOUSEHOLDS == len(await admin.fetch("SELECT DISTINCT subject FROM alerts.alert"))
    newest = {f"household:H{n % HOUSEHOLDS + 1}": n for n in range(1, said + 1)}
    assert {subject: row["facts_version"] for subject, row in alerts.items()} == newest
    reports = Counter(report for row in alerts.values() for report in row["report_ids"])
    assert reports == Counter(f"r{n}" for n in range(7, said + 1, 7))
    taken = await admin.fetch("SELECT event_id FROM alerts.inbox")
    assert len(taken) == said
    opened: list[Any] = await admin.fetch(
        "SELECT alert_id, officer_no FROM alerts.inbox_item WHERE kind = 'opened' GROUP BY 1, 2 HAVING count(*) > 1"
    )
    assert opened == []
    repeated: list[Any] = await admin.fetch(
        "SELECT detail ->> 'event_id' FROM alerts.alert_log WHERE actor = 'monitoring' GROUP BY 1 HAVING count(*) > 1"
    )
    assert repeated == [], "what came twice, since its answer was lost, did its work once"
