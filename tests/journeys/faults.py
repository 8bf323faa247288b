"""Reports under way while processes are killed; what was acknowledged is counted at the end."""

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import asyncpg
import httpx

from shared.clock import SystemClock
from shared.db.embedded import running_url
from tests.journeys.running import Running
from tests.journeys.village import COUNTY, Family


@dataclass
class Receiver:
    """A subscriber outside: it keeps which report came under which message ids, and fails one request in ten."""

    chance: random.Random
    messages: dict[str, set[str]] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.take(self.headers["webhook-id"], body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def take(self, message_id: str, body: bytes) -> int:
        self.requests[message_id] += 1
        for item in json.loads(body)["data"]["items"]:
            for report_id in item.get("report_ids", []):
                self.messages.setdefault(report_id, set()).add(message_id)
        return 500 if self.chance.random() < 0.1 else 200

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Reporters:
    """Families that report one after the other, each under its own key, and try again until it is acknowledged."""

    running: Running
    families: list[Family]
    acknowledged: dict[str, str] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        headers = self.running.bearer("system", COUNTY)
        with httpx.Client(timeout=5) as client:
            for family in self.families:
                if self._stop.is_set():
                    return
                self._report(client, headers, family)
                time.sleep(0.02)

    def _report(self, client: httpx.Client, headers: dict[str, str], family: Family) -> None:
        body = family.report(SystemClock().today())
        key = {"Idempotency-Key": f"report-{family.serial}"}
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                url = f"{self.running.url('intake')}/intake/v1/self-reports"
                answer = client.post(url, json=body, headers={**headers, **key})
            except httpx.HTTPError:
                time.sleep(0.1)
                continue
            if answer.status_code == 202:
                self.acknowledged[answer.json()["id"]] = family.household_no
                return
            assert answer.status_code in {503, 409}, answer.text
            time.sleep(0.1)


@dataclass(frozen=True)
class Losses:
    """What the rounds did to what was acknowledged."""

    rounds: int
    acknowledged: int
    lost: int
    doubled_alerts: int
    repeated_same_id: int
    repeated_new_id: int
    killed: dict[str, int]


def subscribe(running: Running, receiver: Receiver, name: str) -> None:
    """Make `receiver` a subscriber to risk changes."""
    answer = httpx.post(
        f"{running.url('monitoring')}/monitoring/v1/subscriptions",
        headers=running.bearer("county_admin", COUNTY),
        json={"name": name, "url": receiver.url, "types": ["cn.fangpin.monitoring.risk_changed.v1"]},
    )
    assert answer.status_code == 201, answer.text


Break = Callable[[Running, random.Random], str]


def kill_one(running: Running, chance: random.Random) -> str:
    """kill -9 one process of the house, drawn by chance; its name."""
    victim = chance.choice(running.killable())
    running.kill(victim)
    return victim


def kill_postgresql(running: Running, _: random.Random) -> str:
    """kill -9 the database."""
    running.kill_database()
    running.wait_ready()
    return "postgresql"


def rounds_of(
    break_something: Break, running: Running, families: list[Family], rounds: int, seed: int, *, hurry: bool = False
) -> Losses:
    """Break something at random moments while families report; then let the house come to rest, and count.

    With `hurry`, what the house then would only wait for (the leases of the dead, the next try) is over at once.
    """
    chance, killed = random.Random(seed), Counter[str]()
    receiver, reporters = Receiver(random.Random(seed)), Reporters(running, families)
    try:
        subscribe(running, receiver, f"faults-{seed}")
        reporters.start()
        for _ in range(rounds):
            time.sleep(chance.uniform(0, 0.5))
            killed[break_something(running, chance)] += 1
            if chance.random() < 0.7:
                running.wait_ready()
        running.wait_ready()
        time.sleep(0.5)
        reporters.stop()
        if hurry:
            asyncio.run(_execute(running, END_LEASES))
        return _count(running, reporters, receiver, rounds, dict(killed), hurry=hurry)
    finally:
        receiver.close()


END_LEASES = """
DO $$ DECLARE queue regclass; BEGIN
    FOR queue IN SELECT a.attrelid::regclass FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE a.attname = 'lease_until' AND c.relkind = 'r' AND n.nspname IN ('intake', 'monitoring', 'alerts')
    LOOP
        EXECUTE format('UPDATE %s SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL', queue);
    END LOOP;
END $$
"""
TRY_NOW = ";".join(
    f"UPDATE {service}.outbox_delivery SET due_at = now() WHERE state = 'due' AND due_at > now()"
    for service in ("intake", "monitoring", "alerts")
)


async def _execute(running: Running, statement: str) -> None:
    connection = await asyncpg.connect(running_url(running.data / "pg"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _count(
    running: Running, reporters: Reporters, receiver: Receiver, rounds: int, killed: dict[str, int], *, hurry: bool
) -> Losses:
    """Wait until a dead worker's leases have run out and everybody was told; count what is missing or doubled."""
    end = time.monotonic() + 180
    missing = _missing(reporters, receiver, alerts := _alerts_by_household(running))
    while missing and time.monotonic() < end:
        if hurry:
            asyncio.run(_execute(running, TRY_NOW))
        time.sleep(1)
        missing = _missing(reporters, receiver, alerts := _alerts_by_household(running))
    return Losses(
        rounds=rounds,
        acknowledged=len(reporters.acknowledged),
        lost=missing,
        doubled_alerts=sum(count - 1 for count in alerts.values()),
        repeated_same_id=sum(count - 1 for count in receiver.requests.values()),
        repeated_new_id=sum(len(ids) - 1 for ids in receiver.messages.values()),
        killed=killed,
    )


def _missing(reporters: Reporters, receiver: Receiver, alerts: Counter[str]) -> int:
    """How many acknowledged reports have no alert, or did not reach the subscriber."""
    told = reporters.acknowledged.items()
    return sum(household not in alerts or report not in receiver.messages for report, household in told)


def _alerts_by_household(running: Running) -> Counter[str]:
    return Counter(item["household_no"] for item in all_alerts(running))


def all_alerts(running: Running) -> list[dict[str, Any]]:
    """Every alert of the county, page by page."""
    headers, items, cursor = running.bearer("county_admin", COUNTY), [], None
    while True:
        query = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        answer = httpx.get(f"{running.url('alerts')}/alerts/v1/alerts", params=query, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items
