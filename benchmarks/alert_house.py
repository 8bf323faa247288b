"""What the measures of alerts have in common: a house of alerts alone, its village cadres, and monitoring's voice."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
import uvloop

from benchmarks.load import Load, request_bytes, send
from shared.clock import SystemClock
from shared.contracts.envelope import Event
from shared.contracts.monitoring import RISK_CHANGED
from shared.messaging.signing import sign
from shared.security.keys import load_keys
from tests.journeys.running import Running
from tests.services.alerts.places import COUNTY, risk

Answer = TypeVar("Answer")

VILLAGES = 400
A_REQUEST = 64
OFFICERS = """
INSERT INTO alerts.officer (officer_no, name, division, division_hi, updated_at)
SELECT 'V-' || v, '测试干部', v, rpad((v::bigint + 1)::text, 12, '0'), now() FROM unnest($1::text[]) AS v
"""
DUTIES = """
INSERT INTO alerts.duty (officer_no, role, division, division_hi, valid_from)
SELECT 'V-' || v, 'village_secretary', v, rpad((v::bigint + 1)::text, 12, '0'), date '2020-01-01'
FROM unnest($1::text[]) AS v
"""
# Whatever day it is measured on, it is worked.
WORKDAY = """
INSERT INTO alerts.work_calendar_day (region, region_hi, date, source, kind, name, written_at)
VALUES ($1, '130625000000', $2, 'county', 'workday', '测量日', now()), ($1, '130625000000', $2 + 1, 'county',
        'workday', '测量日', now())
"""


def villages() -> list[str]:
    """Twenty townships of twenty villages."""
    return [f"130624{100 + t}{200 + v:03}" for t in range(20) for v in range(20)]


@dataclass
class AlertHouse(Running):
    """The processes of alerts and nothing else; `told` are settings besides the usual."""

    told: dict[str, str] = field(default_factory=dict)

    def commands(self) -> dict[str, list[str]]:
        return {name: command for name, command in super().commands().items() if name.endswith(" alerts")}

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **{f"FANGPIN_{name}": value for name, value in self.told.items()}}

    def _ready(self, service: str) -> bool:
        return service != "alerts" or super()._ready(service)

    @property
    def events_url(self) -> str:
        return f"{self.url('alerts')}/alerts/v1/events"

    def ask(self, question: Callable[[asyncpg.Connection], Awaitable[Answer]]) -> Answer:
        """Ask the database, past all scopes."""
        return asyncio.run(self._ask(question))

    async def _ask(self, question: Callable[[asyncpg.Connection], Awaitable[Answer]]) -> Answer:
        assert self.server is not None
        admin = await asyncpg.connect(self.server.url)
        try:
            return await question(admin)
        finally:
            await admin.close()

    def count(self, sql: str, *args: Any) -> int:
        return int(self.ask(lambda admin: admin.fetchval(sql, *args)) or 0)

    def furnish(self) -> None:
        """A secretary in each village, and a working day."""

        async def put(admin: asyncpg.Connection) -> None:
            await admin.execute(OFFICERS, villages())
            await admin.execute(DUTIES, villages())
            await admin.execute(WORKDAY, COUNTY, SystemClock().today())

        self.ask(put)

    def put_webhook(self, url: str) -> None:
        """The county's own system hears of all its villages."""
        answer = httpx.post(
            f"{self.url('alerts')}/alerts/v1/endpoints",
            headers=self.bearer("county_admin", COUNTY),
            json={"channel": "webhook", "address": url, "division": COUNTY},
        )
        assert answer.status_code == 200, answer.text

    def without_workers(self) -> None:
        self.processes["work alerts"].terminate()

    def peak_mib(self) -> float:
        """The highest resident memory of a process of alerts, so far."""
        peaks = []
        for process in self.processes.values():
            status = Path(f"/proc/{process.pid}/status")
            if status.exists() and "VmHWM:" in (text := status.read_text()):
                peaks.append(int(text.split("VmHWM:")[1].split()[0]) / 1024)
        return max(peaks)

    def requests(self, first: int, count: int, size: int) -> Iterator[bytes]:
        """Messages of `size` new households each, signed as monitoring signs, as they go over the wire."""
        keys, clock = load_keys(self.data / "keys", "monitoring", demo=True), SystemClock()
        secret, now, today = keys.message_secret("monitoring", "alerts"), clock.now(), clock.today().isoformat()
        for start in range(first, first + count, size):
            items = [item(n, today) for n in range(start, min(start + size, first + count))]
            yield _message(self.events_url, secret, items, now)


def item(number: int, today: str) -> dict[str, Any]:
    village = villages()[number % VILLAGES]
    return risk(number, living_division=village, registered_division=village, on=today)


def _message(url: str, secret: bytes, items: Sequence[dict[str, Any]], now: datetime) -> bytes:
    data = {"policy_version": "bench-1", "items": list(items)}
    event = Event.make("fangpin/monitoring", RISK_CHANGED, None, data, now)
    body = event.model_dump_json(exclude_none=True).encode()
    return request_bytes(url, body, sign(secret, str(event.id), body, now))


def load(url: str, prepared: Sequence[bytes], connections: int, status: int = 200) -> Load:
    found = uvloop.run(send(url, iter(prepared), connections))
    assert set(found.statuses) == {status}, found.statuses
    return found
