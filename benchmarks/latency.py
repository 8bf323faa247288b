"""`fangpin bench latency`: from the 202 of a self-report to the inbox, while a large feed is ingested."""

import threading
import time

import httpx

from tests.journeys.running import Running
from tests.journeys.village import VILLAGE, Family

FAMILIES = [Family(10_000 + n, VILLAGE) for n in range(2_000)]
REPORTS_A_PHASE = 100
EVERY_SECONDS = 0.15


class Inbox:
    """Watches the live stream of the secretary; when the message about each household came."""

    def __init__(self, running: Running) -> None:
        self.came: dict[str, float] = {}
        self._headers = running.bearer("village_secretary", VILLAGE, officer_no=f"S-{VILLAGE}")
        self._url = f"{running.url('alerts')}/alerts/v1/inbox"
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        with httpx.Client(headers=self._headers, timeout=10) as client:
            cursor_seen: set[int] = set()
            while not self._halt.is_set():
                answer = client.get(self._url, params={"limit": 50})
                now = time.perf_counter()
                for item in answer.json()["items"]:
                    if item["item_id"] not in cursor_seen:
                        cursor_seen.add(item["item_id"])
                        self.came.setdefault(item["alert_id"], now)
                time.sleep(0.01)

    def stop(self) -> None:
        self._halt.set()
        self._thread.join()
