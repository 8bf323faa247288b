"""`fangpin bench alerts`: how fast warnings are accepted for good, and how fast one is acknowledged among many.

--size events of as many households in 400 villages, signed as monitoring signs them, to the real process.
`accept_64`: 64 events a request over 4 connections; `accept_one`: one a request over 8; each answer means committed.
`ack`: requests of village secretaries one after another, with 1,000 alerts open and with all of them; the ratios are
of medians and of 99th percentiles. The workers are stopped while accepting is measured. `peak_mib` is the highest
resident memory of the process that answers.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from benchmarks.load import Load, request_bytes, send
from benchmarks.report import print_result
from shared.clock import SystemClock
from shared.contracts.envelope import Event
from shared.contracts.monitoring import RISK_CHANGED
from shared.messaging.signing import sign
from shared.security.keys import Keyring, load_keys
from tests.journeys.running import Running
from tests.services.alerts.places import risk

VILLAGES = 400
A_REQUEST = 64
FEW = 1000
ACKNOWLEDGED = 400
OFFICERS = """
INSERT INTO alerts.officer (officer_no, name, division, division_hi, updated_at)
SELECT 'V-' || v, '测试干部', v, rpad((v::bigint + 1)::text, 12, '0'), now() FROM unnest($1::text[]) AS v
"""
DUTIES = """
INSERT INTO alerts.duty (officer_no, role, division, division_hi, valid_from)
SELECT 'V-' || v, 'village_secretary', v, rpad((v::bigint + 1)::text, 12, '0'), date '2020-01-01'
FROM unnest($1::text[]) AS v
"""


def villages() -> list[str]:
    """Twenty townships of twenty villages."""
    return [f"130624{100 + t}{200 + v:03}" for t in range(20) for v in range(20)]


def item(number: int, today: str) -> dict[str, Any]:
    village = villages()[number % VILLAGES]
    return risk(number, living_division=village, registered_division=village, on=today)


def requests(keys: Keyring, url: str, first: int, count: int, size: int) -> Iterator[bytes]:
    """Messages of `size` new households each, signed, as they go over the wire."""
    clock = SystemClock()
    secret, now = keys.message_secret("monitoring", "alerts"), clock.now()
    for start in range(first, first + count, size):
        items = [item(n, clock.today().isoformat()) for n in range(start, min(start + size, first + count))]
        yield _message(url, secret, items, now)


def _message(url: str, secret: bytes, items: Sequence[dict[str, Any]], now: datetime) -> bytes:
    data = {"policy_version": "bench-1", "items": list(items)}
    event = Event.make("fangpin/monitoring", RISK_CHANGED, None, data, now)
    body = event.model_dump_json(exclude_none=True).encode()
    return request_bytes(url, body, sign(secret, str(event.id), body, now))


def load(url: str, prepared: Sequence[bytes], connections: int, status: int = 200) -> Load:
    found = uvloop.run(send(url, iter(prepared), connections))
    assert set(found.statuses) == {status}, found.statuses
    return found


async def _open_alerts(running: Running, limit: int) -> list[asyncpg.Record]:
    """Some open alerts, spread over the villages."""
    assert running.server is not None
    admin = await asyncpg.connect(running.server.url)
    try:
        return await admin.fetch(
            "SELECT alert_id, living_division FROM alerts.alert WHERE acknowledged_at IS NULL"
            " ORDER BY hashtext(alert_id::text) LIMIT $1",
            limit,
        )
    finally:
        await admin.close()


def acknowledge(running: Running) -> list[float]:
    """Seconds each of some acknowledgements took, one after another."""
    took: list[float] = []
    tokens: dict[str, dict[str, str]] = {}
    for alert in asyncio.run(_open_alerts(running, ACKNOWLEDGED)):
        place = alert["living_division"]
        if place not in tokens:
            tokens[place] = running.bearer("village_secretary", place, officer_no=f"V-{place}")
        url = f"{running.url('alerts')}/alerts/v1/alerts/{alert['alert_id']}/acknowledge"
        headers = {**tokens[place], "Idempotency-Key": f"bench-{alert['alert_id']}"}
        took += load(url, [request_bytes(url, b"{}", headers)], 1).took
    return took


async def _people(running: Running) -> None:
    assert running.server is not None
    admin = await asyncpg.connect(running.server.url)
    await admin.execute(OFFICERS, villages())
    await admin.execute(DUTIES, villages())
    await admin.close()


def measure(folder: Path, size: int) -> dict[str, Any]:
    running = Running("separate", folder / "data")
    running.start()
    for service in ("intake", "monitoring", "alerts"):
        running.processes[f"work {service}"].terminate()
    try:
        asyncio.run(_people(running))
        keys = load_keys(running.data / "keys", "monitoring", demo=True)
        url = f"{running.url('alerts')}/alerts/v1/events"
        singles = load(url, list(requests(keys, url, 0, FEW, 1)), 8)
        few = acknowledge(running)
        many = load(url, list(requests(keys, url, FEW, size - FEW, A_REQUEST)), 4)
        among = acknowledge(running)
        return {
            "accept_64": many.per_second * A_REQUEST,
            "accept_64_p99_ms": many.quantile(0.99) * 1000,
            "accept_one": singles.per_second,
            "accept_one_p99_ms": singles.quantile(0.99) * 1000,
            "ack_few_ms": statistics.median(few) * 1000,
            "ack_median_ratio": statistics.median(among) / statistics.median(few),
            "ack_p99_ratio": _p99(among) / _p99(few),
            "ack_p99_ms": _p99(among) * 1000,
            "peak_mib": _peak_mib(running),
        }
    finally:
        running.stop()


def _p99(took: Sequence[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)]


def _peak_mib(running: Running) -> float:
    status = Path(f"/proc/{running.processes['serve alerts'].pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = []
    for _ in range(given.runs):
        with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as folder:
            found.append(measure(Path(folder), given.size))
        print(json.dumps({name: round(value, 2) for name, value in found[-1].items()}), flush=True)
    middle = {name: round(statistics.median(one[name] for one in found), 2) for name in found[0]}
    print_result(
        {
            "name": "alerts",
            "size": given.size,
            "runs": given.runs,
            "ours": middle["accept_64"],
            "baseline": 5000,
            "ratio": round(middle["accept_64"] / 5000, 2),
            "unit": "events/s, committed",
            **middle,
        }
    )


if __name__ == "__main__":
    main()
