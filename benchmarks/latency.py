"""`fangpin bench latency`: a self-report's time to its 202, and from there to the inbox, beside a large feed."""

import argparse
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.report import print_result
from shared.clock import SystemClock
from tests.journeys.running import Running, until
from tests.journeys.test_journey import load_village, send_feed
from tests.journeys.village import COUNTY, MEDICAL_HEADER, VILLAGE, Family, as_csv

REPORTS_A_PHASE = 150
EVERY_SECONDS = 0.1
FEED_FAMILIES = 2_000


class Inbox:
    """Listens to the secretary's live stream; when each message came."""

    def __init__(self, running: Running) -> None:
        self.came: dict[int, float] = {}
        self._headers = running.bearer("village_secretary", VILLAGE, officer_no=f"S-{VILLAGE}")
        self._url = f"{running.url('alerts')}/alerts/v1/inbox/stream"
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with httpx.stream("GET", self._url, headers=self._headers, timeout=None) as stream:
            for line in stream.iter_lines():
                if self._halt.is_set():
                    return
                if line.startswith("id:"):
                    self.came.setdefault(int(line[3:]), time.perf_counter())

    def stop(self) -> None:
        self._halt.set()  # The thread ends with the next line; the stream pings every few seconds.


def phase(running: Running, families: list[Family]) -> tuple[list[float], list[float]]:
    """Let the families report, one after the other; seconds until each 202, and from there to its message.

    Messages to one officer come in the order of the reports that caused them, so they are paired in order.
    """
    inbox = Inbox(running)
    before = _settled(inbox)
    posted: list[float] = []
    accepted: list[float] = []
    headers = running.bearer("system", COUNTY)
    with httpx.Client(timeout=10) as client:
        for family in families:
            posted.append(time.perf_counter())
            sent = client.post(
                f"{running.url('intake')}/intake/v1/self-reports",
                json=family.report(SystemClock().today()),
                headers={**headers, "Idempotency-Key": f"latency-{family.serial}"},
            )
            accepted.append(time.perf_counter())
            assert sent.status_code == 202, sent.text
            time.sleep(EVERY_SECONDS)
    until(lambda: len(inbox.came) - before >= len(families), "every report reached the inbox", 60)
    inbox.stop()
    came = sorted(list(inbox.came.values())[before:])
    waited = [left - began for began, left in zip(posted, accepted, strict=True)]
    return waited, [arrived - left for left, arrived in zip(accepted, came, strict=False)]


def _settled(inbox: Inbox) -> int:
    time.sleep(0.5)
    return len(inbox.came)


def big_feed(families: list[Family], rows: int) -> str:
    """Small bills, so that the feed is work for everybody and news to nobody."""
    day = SystemClock().today() - timedelta(days=40)
    bills = (families[n % len(families)].stay_row(day, 1 + n % 3, f"L{n}") for n in range(rows))
    return as_csv([MEDICAL_HEADER, *bills])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--mode", choices=["all_in_one", "separate"], default="all_in_one")
    given = parser.parse_args()
    found = []
    for _ in range(given.runs):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(given.mode, Path(folder) / "data", given.size))
    print_result({"name": "latency", "size": given.size, "runs": given.runs, "mode": given.mode, **_medians(found)})


def measure(mode: Any, data: Path, rows: int) -> dict[str, float]:
    data.mkdir()
    running = Running(mode, data)
    running.start()
    try:
        reporting = [Family(10_000 + n, VILLAGE) for n in range(2 * REPORTS_A_PHASE)]
        others = [Family(50_000 + n, VILLAGE) for n in range(FEED_FAMILIES)]
        load_village(running, [*reporting, *others])
        quiet_posts, quiet = phase(running, reporting[:REPORTS_A_PHASE])
        with ThreadPoolExecutor(1) as pool:
            day = SystemClock().today() - timedelta(days=40)
            started = time.perf_counter()
            feed = pool.submit(
                send_feed, running, "medical_settlement", big_feed(others, rows), f"{day:%Y-%m}", seconds=900
            )
            time.sleep(1)
            posts, loaded = phase(running, reporting[REPORTS_A_PHASE:])
            during = not feed.done()
            recorded = feed.result(timeout=600)
        memory = sum(psutil.Process(one.pid).memory_info().rss for one in running.processes.values())
        return {
            "ours": _quantile(loaded, 0.99),
            "p50_ms": _quantile(loaded, 0.5),
            "baseline": _quantile(quiet, 0.99),
            "baseline_p50_ms": _quantile(quiet, 0.5),
            "post_p99_ms": _quantile(posts, 0.99),
            "baseline_post_p99_ms": _quantile(quiet_posts, 0.99),
            "feed_still_running_at_the_end": float(during),
            "feed_rows": recorded["counts"]["read"],
            "feed_seconds": round(time.perf_counter() - started, 1),
            "peak_mib": round(memory / 2**20),
        }
    finally:
        running.stop()


def _quantile(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000, 1)


def _medians(found: list[dict[str, float]]) -> dict[str, Any]:
    merged: dict[str, Any] = {name: statistics.median(one[name] for one in found) for name in found[0]}
    merged["ratio"] = round(merged["ours"] / merged["baseline"], 2)
    merged["post_ratio"] = round(merged["post_p99_ms"] / merged["baseline_post_p99_ms"], 2)
    merged["unit"] = "ms, 202 to inbox, p99"
    return merged


if __name__ == "__main__":
    main()
