"""Two worker processes with every task on, one clock that jumps for both: each thing is done once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from shared.clock import FixedClock
from shared.settings import Settings
from tests.journeys.forked import forkserver
from tests.services.alerts.conftest import at
from tests.services.alerts.moved_worker import work
from tests.services.alerts.outlets import put
from tests.services.alerts.places import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, risk
from tests.services.alerts.receiver import HttpReceiver, http_receiver
from tests.services.alerts.test_killed import until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240), pytest.mark.usefixtures("cadres", "calm")]

Tell = Callable[..., Any]
WORKERS = 2
TASKS = "group,digest,sheet,route,silences,escalate,begin_escalations,recompute_clocks,deliver"


class Jump:
    """Moves the clock of the test and of the workers, wakes both workers at once, and lets them come to rest."""

    def __init__(self, clock: FixedClock, seconds: Any, admin: asyncpg.Connection) -> None:
        self.clock, self.seconds, self.admin = clock, seconds, admin

    async def to(self, text: str) -> None:
        self.clock.at = at(text)
        self.seconds.value = self.clock.at.timestamp()
        await self.wake()
        await until(self._is_quiet, f"all is done that is due at {text}")
        # Again, so that whatever might do it a second time gets to try.
        await self.wake()
        await asyncio.sleep(0.3)

    async def wake(self) -> None:
        await self.admin.execute("SELECT pg_notify('fangpin_alerts', $1)", TASKS)

    async def _is_quiet(self) -> bool:
        return not await self.admin.fetchval(DUE, self.clock.at)


# A digest is due for seven people at eight in the evening, a sheet in the morning after the comparison.
DUE = """
SELECT (SELECT count(*) FROM alerts.delivery WHERE due_at <= $1)
     + (SELECT count(*) FROM alerts.notify_group WHERE due_at <= $1)
     + (SELECT count(*) FROM alerts.alert_escalation WHERE next_step_at <= $1)
     + CASE WHEN ($1 AT TIME ZONE 'Asia/Shanghai')::time < '20:00' THEN 0 ELSE 7 -
       (SELECT count(*) FROM alerts.digest_run WHERE day = ($1 AT TIME ZONE 'Asia/Shanghai')::date) END
     + CASE WHEN $1 < '2026-03-23 00:00+08' THEN 0 ELSE 1 - (SELECT count(*) FROM alerts.monthly_sheet) END
"""


@pytest.fixture
async def jump(
    clock: FixedClock, admin: asyncpg.Connection, settings: Settings, tmp_path: Path
) -> AsyncIterator[Jump]:
    clock.at = at("2026-03-19T10:00")
    processes = forkserver()
    seconds = processes.RawValue("d", clock.at.timestamp())
    told = {**settings.model_dump(exclude_unset=True), "pool_size": 3}
    nobody = dict.fromkeys(("intake_url", "monitoring_url", "alerts_url"), "http://127.0.0.1:1")
    log = tmp_path / "log.txt"
    started = [processes.Process(target=work, args=({**told, **nobody}, seconds, log)) for _ in range(WORKERS)]
    for one in started:
        one.start()
    try:
        await until(lambda: _listening(admin), "both workers listen")
        yield Jump(clock, seconds, admin)
        assert all(one.is_alive() for one in started)
        # What keeps them apart is a lock that one of them skips, and not that one of them breaks.
        assert "worker.failed" not in log.read_text(), log.read_text()
    finally:
        for one in started:
            one.kill()
            one.join(20)


async def _listening(admin: asyncpg.Connection) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%alerts%'"
    return bool(await admin.fetchval(query) == WORKERS)


@pytest.fixture
async def receiver(alerts_client: httpx.AsyncClient, bearer: Callable[..., Any]) -> AsyncIterator[HttpReceiver]:
    """Where the secretary's and the township group's messages go."""
    async with http_receiver() as made:
        headers = bearer("county_admin", COUNTY, officer_no="C1")
        await put(alerts_client, headers, channel="webhook", address=made.url, officer_no="S1")
        await put(alerts_client, headers, channel="webhook", address=made.url, division=TOWNSHIP)
        yield made


async def test_no_double_message_step_digest_or_sheet(
    jump: Jump, receiver: HttpReceiver, tell: Tell, admin: asyncpg.Connection
) -> None:
    await tell(*(risk(n) for n in range(12)), *(risk(n, living_division=OTHER_VILLAGE) for n in range(12, 16)))
    await jump.to("2026-03-19T10:00:30")
    groups = await admin.fetch(
        "SELECT n.recipient, d.message ->> 'division' AS place, d.message ->> 'count' AS count"
        " FROM alerts.delivery d JOIN alerts.notification n USING (notification_id)"
    )
    assert sorted(((r["recipient"] or ""), r["place"], r["count"]) for r in groups) == [
        ("", VILLAGE, "12"),
        ("", OTHER_VILLAGE, "4"),
        ("S1", VILLAGE, "12"),
        ("S1", OTHER_VILLAGE, "4"),
    ]

    for moment in sorted((*EVENINGS, *MORNINGS)):
        await jump.to(moment)
    await one_of_each(admin)
    sent = Counter(one.message_id for one in receiver.received)
    assert set(sent.values()) == {1}
    assert set(sent) == {str(r["delivery_id"]) for r in await admin.fetch("SELECT delivery_id FROM alerts.delivery")}


# Three days with a digest; three steps; the month's sheet with the second of them.
EVENINGS = ("2026-03-19T20:00", "2026-03-20T20:00", "2026-03-24T20:00")
MORNINGS = ("2026-03-20T10:30", "2026-03-23T10:30", "2026-03-24T10:31")


async def one_of_each(admin: asyncpg.Connection) -> None:
    """Each step of each alert, each person's digest of a day, the month's sheet: once."""
    steps = await admin.fetch(
        "SELECT alert_id, detail ->> 'level' AS level, at FROM alerts.alert_log WHERE action = 'escalated'"
    )
    assert Counter(Counter((r["alert_id"], r["level"]) for r in steps).values()) == {1: 16 * 3}
    assert Counter(r["at"] for r in steps) == {at(moment): 16 for moment in MORNINGS}, "one step a scan"
    escalated = "SELECT alert_id, recipient FROM alerts.notification WHERE kind = 'escalation'"
    assert await doubles(admin, escalated) == []
    digests = "SELECT officer_no, created_at::date FROM alerts.inbox_item WHERE kind = 'digest'"
    assert await doubles(admin, digests) == []
    assert await admin.fetchval("SELECT count(*) FROM alerts.digest_run") == 3 * 7
    sheets = await admin.fetch("SELECT officer_no FROM alerts.inbox_item WHERE kind = 'monthly'")
    assert sorted(row["officer_no"] for row in sheets) == ["C1", "T1"]


async def doubles(admin: asyncpg.Connection, query: str) -> list[asyncpg.Record]:
    """What stands there more than once."""
    return await admin.fetch(f"SELECT x, count(*) FROM ({query}) x GROUP BY x HAVING count(*) > 1")
