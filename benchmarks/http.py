"""`fangpin bench http`: accepting a self-report against a bare FastAPI + asyncpg INSERT, same machine, same run."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import uvloop

from benchmarks.load import Load, request_bytes, send
from benchmarks.report import print_result
from shared.clock import SystemClock
from tests.journeys.running import Running, free_port, until
from tests.journeys.village import COUNTY, VILLAGE, Family

CONNECTIONS = 32


class BareApp:
    """The baseline as a process of its own, served the same way."""

    def __init__(self, database_url: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/bare"
        command = [
            sys.executable,
            "-m",
            "uvicorn",
            "benchmarks.bare_app:app",
            "--port",
            str(self.port),
            "--no-access-log",
            "--log-level",
            "warning",
        ]
        self._process = subprocess.Popen(command, env={**os.environ, "BARE_DATABASE_URL": database_url})
        until(self._listens, "the bare app listens", 20)

    def _listens(self) -> bool:
        import socket

        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def reports(url: str, count: int, first: int, headers: dict[str, str]) -> Iterator[bytes]:
    """Reports of different families, each with a key of its own."""
    day = SystemClock().today()
    for serial in range(first, first + count):
        family = Family(serial, VILLAGE)
        body = json.dumps(family.report(day), ensure_ascii=False).encode()
        yield request_bytes(url, body, {**headers, "Idempotency-Key": f"bench-{serial}"})


def measure(url: str, count: int, first: int, headers: dict[str, str]) -> Load:
    prepared = list(reports(url, count, first, headers))
    load = uvloop.run(send(url, iter(prepared), CONNECTIONS))
    assert set(load.statuses) == {202}, load.statuses
    return load


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print_result(compare(Path(folder) / "data", given.size, given.runs))


def compare(data: Path, size: int, runs: int) -> dict[str, object]:
    """Interleaved runs of both; requests per second, medians."""
    data.mkdir()
    running = Running("separate", data)
    running.start()
    # Only accepting is measured: the workers would take the second core from both.
    for service in ("intake", "monitoring", "alerts"):
        running.processes[f"work {service}"].terminate()
    assert running.server is not None
    bare = BareApp(running.server.url)
    try:
        headers = running.bearer("system", COUNTY)
        url = f"{running.url('intake')}/intake/v1/self-reports"
        measure(url, 500, 29_000, headers), measure(bare.url, 500, 29_000, {})
        ours, baseline = [], []
        for run in range(runs):
            baseline.append(measure(bare.url, size, run * size, {}))
            ours.append(measure(url, size, run * size, headers))
        memory = psutil.Process(running.processes["serve intake"].pid).memory_info().rss
        return _result(size, runs, ours, baseline, memory)
    finally:
        bare.stop()
        running.stop()


def _result(size: int, runs: int, ours: list[Load], baseline: list[Load], memory: int) -> dict[str, object]:
    mine = statistics.median(load.per_second for load in ours)
    bare = statistics.median(load.per_second for load in baseline)
    ratios = [a.per_second / b.per_second for a, b in zip(ours, baseline, strict=True)]
    return {
        "name": "http",
        "size": size,
        "runs": runs,
        "connections": CONNECTIONS,
        "ours": round(mine),
        "baseline": round(bare),
        "ratio": round(statistics.median(ratios), 3),
        "unit": "requests/s",
        "ours_p99_ms": round(statistics.median(load.quantile(0.99) for load in ours) * 1000, 1),
        "baseline_p99_ms": round(statistics.median(load.quantile(0.99) for load in baseline) * 1000, 1),
        "peak_mib": round(memory / 2**20),
    }


if __name__ == "__main__":
    main()
