"""`fangpin bench dashboard`: every figure of the dashboard over a socket, 16 connections, against the live query.

Each round asks for every board of the prefecture, its counties, some townships and villages, by readers of both
kinds. `ours` is the p99 in milliseconds with the answers kept; `moving_p99` while a changed village is counted again
every two seconds, so that answers above it are made anew each time; `first_p99` of answers asked for the first
time. `baseline` is one reader asking for one GROUP BY over the households of the prefecture.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import uvloop

from benchmarks.counted_households import COUNTIES, PREFECTURE, count_all, fill
from benchmarks.load import Load, send
from benchmarks.report import print_result
from services.monitoring.draw_boards import KINDS
from services.monitoring.refresh_figures import refresh_figures
from services.monitoring.settings import MonitoringSettings
from shared.runtime import open_runtime
from tests.journeys.running import Running

CONNECTIONS = 16
REQUESTS_A_RUN = 8_000
# Some ten counts of the worker long.
REQUESTS_WHILE_COUNTED = 40_000
LIVE = """
SELECT recommendation, listed_as, severity, last_outcome, left(living_division, 6) AS child, count(*),
       count(assessment_id)
FROM household LEFT JOIN standing USING (household_id)
WHERE living_division >= '130600000000' AND living_division < '130700000000'
GROUP BY GROUPING SETS ((), (recommendation), (listed_as), (severity), (last_outcome), (5))
"""


def get_bytes(url: str, headers: dict[str, str]) -> bytes:
    """One GET as it goes over the wire."""
    parts = urlsplit(url)
    lines = [f"GET {parts.path}?{parts.query} HTTP/1.1", f"host: {parts.netloc}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items())]).encode() + b"\r\n\r\n"


def questions(running: Running) -> list[bytes]:
    """Every board of every level, with rows and with figures only."""
    base = f"{running.url('monitoring')}/monitoring/v1/dashboard"
    places = [PREFECTURE, *(f"{county}000000" for county in COUNTIES)]
    places += [f"{county}{township}000" for county in COUNTIES[:2] for township in (100, 105, 110)]
    places += [f"{COUNTIES[0]}{100 + i}200" for i in range(3)]
    readers = [
        running.bearer("county_admin", PREFECTURE),
        running.bearer("system", PREFECTURE, scopes=["monitoring:figures"]),
    ]
    return [
        get_bytes(f"{base}/{board}?division={place}", reader)
        for board in KINDS
        for place in places
        for reader in readers
    ]


def measure(running: Running, asked: Iterator[bytes]) -> Load:
    load = uvloop.run(send(running.url("monitoring"), asked, CONNECTIONS))
    assert set(load.statuses) == {200}, load.statuses
    return load


async def live(url: str, times: int = 3) -> float:
    """The live query's milliseconds, one reader at a time."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "monitoring", "jit": "off"})
    took = []
    for _ in range(times):
        started = time.perf_counter()
        await connection.fetch(LIVE)
        took.append((time.perf_counter() - started) * 1000)
    await connection.close()
    return statistics.median(took)


async def prepare(url: str, households: int) -> float:
    """Fill the tables; the seconds it takes to count everything."""
    admin = await asyncpg.connect(url)
    await fill(admin, households)
    started = time.perf_counter()
    await count_all(admin)
    seconds = time.perf_counter() - started
    await admin.close()
    return seconds


VISITED = """
INSERT INTO verification (alert_id, subject, household_id, outcome, causes, verified_at, officer_role, facts_version,
    policy_version, indicators)
SELECT gen_random_uuid()::text, household_no, household_id, 'no_risk', '{}', now(), 'village_secretary', 1, 'bench',
       '{job_loss}'
FROM household WHERE living_division = $1 ORDER BY random() LIMIT 1
"""


async def touch(url: str) -> None:
    """In a village somebody is visited, and another one's severity changes; a worker finds the notes."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "monitoring"})
    await connection.execute(
        "UPDATE household SET severity = coalesce(severity, 0) % 4 + 1 WHERE household_no = 'B17'"
    )
    await connection.execute(VISITED, f"{COUNTIES[0]}100200")
    await connection.close()


@asynccontextmanager
async def counter(data: Path, url: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Counts what changed, as monitoring's worker does."""
    settings = MonitoringSettings(data=data, demo=True, database_url=url)
    async with open_runtime("monitoring", settings) as runtime:
        yield lambda: refresh_figures(runtime)


async def refreshed(data: Path, url: str, times: int = 5) -> float:
    """Milliseconds to count one village of 300 again."""
    took = []
    async with counter(data, url) as count:
        for _ in range(times):
            await touch(url)
            started = time.perf_counter()
            await count()
            took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


async def keep_counting(data: Path, url: str) -> None:
    """Change a village and count it again every two seconds, until the process is ended."""
    async with counter(data, url) as count:
        while True:
            await touch(url)
            await count()
            await asyncio.sleep(2)


def count_on(data: Path, url: str) -> None:
    asyncio.run(keep_counting(data, url))


def compare(data: Path, size: int, runs: int) -> dict[str, object]:
    data.mkdir()
    # As it is run: every request writes its line of the log.
    running = Running("separate", data, log_level="INFO")
    running.start()
    for name in [name for name in running.processes if name not in {"serve monitoring", "work monitoring"}]:
        running.processes[name].terminate()
    worker = running.processes["work monitoring"]
    assert running.server is not None
    url = running.server.url
    try:
        worker.terminate()
        rollup_seconds = asyncio.run(prepare(url, size))
        refresh_ms = asyncio.run(refreshed(data, url))
        asked = questions(running)
        first = measure(running, iter(asked))
        kept, baseline = [], []
        server = psutil.Process(running.processes["serve monitoring"].pid)
        before = sum(server.cpu_times()[:2])
        for _ in range(runs):
            baseline.append(asyncio.run(live(url)))
            kept.append(measure(running, islice(cycle(asked), REQUESTS_A_RUN)))
        cpu_seconds = sum(server.cpu_times()[:2]) - before
        moving = _while_moving(running, url, asked)
        memory = server.memory_info().rss
    finally:
        running.stop()
    ours, base = _ms([load.quantile(0.99) for load in kept]), statistics.median(baseline)
    return {
        "name": "dashboard",
        "size": size,
        "runs": runs,
        "connections": CONNECTIONS,
        "ours": ours,
        "baseline": round(base, 1),
        "ratio": round(ours / base, 4),
        "unit": "ms (p99; baseline: one live query alone)",
        "p50_ms": _ms([load.quantile(0.5) for load in kept]),
        "per_second": round(statistics.median(load.per_second for load in kept)),
        "cpu_ms_a_request": round(1000 * cpu_seconds / sum(len(load.took) for load in kept), 2),
        "first_p99_ms": _ms([first.quantile(0.99)]),
        "moving_p50_ms": _ms([moving.quantile(0.5)]),
        "moving_p99_ms": _ms([moving.quantile(0.99)]),
        "refresh_village_ms": round(refresh_ms, 1),
        "rollup_seconds": round(rollup_seconds, 1),
        "peak_mib": round(memory / 2**20),
    }


def _while_moving(running: Running, url: str, asked: list[bytes]) -> Load:
    """The load while another process counts a village again every two seconds.

    The whole worker would assess a million households meanwhile, which never were.
    """
    counting = multiprocessing.get_context("spawn").Process(target=count_on, args=(running.data, url))
    counting.start()
    try:
        time.sleep(3)
        return measure(running, islice(cycle(asked), REQUESTS_WHILE_COUNTED))
    finally:
        counting.terminate()
        counting.join()


def _ms(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as folder:
        print_result(compare(Path(folder) / "data", given.size, given.runs))


if __name__ == "__main__":
    main()
