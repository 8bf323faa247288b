"""Delivering: a flood of warnings as one message a village, and a receiver that is away for twenty seconds."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.alert_house import A_REQUEST, VILLAGES, AlertHouse, load
from benchmarks.alert_receiver import Receiver
from tests.journeys.running import until

GROUP_WAIT_SECONDS = 30
AWAY_SECONDS = 20
PATIENCE_SECONDS = 240
_GROUPED = {"FLOOD_CONTROL": "true", "QUIET_HOURS": "", "GROUP_WAIT": f"PT{GROUP_WAIT_SECONDS}S"}


@contextmanager
def delivering(told: dict[str, str]) -> Iterator[tuple[AlertHouse, Receiver]]:
    """A house whose county has one webhook, and its receiver."""
    receiver = Receiver()
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as folder:
        house = AlertHouse("separate", Path(folder) / "data", told=told)
        house.start()
        try:
            house.furnish()
            house.put_webhook(receiver.url)
            yield house, receiver
        finally:
            house.stop()
            receiver.close()


def flood(size: int) -> dict[str, float]:
    """`size` events of 400 villages: when the last message was out, counted from the first event, and how many."""
    with delivering(_GROUPED) as (house, receiver):
        prepared = list(house.requests(0, size, A_REQUEST))
        started = time.monotonic()
        load(house.events_url, prepared, 4)
        accepted = time.monotonic() - started
        until(lambda: receiver.taken() >= VILLAGES, "each village was told", PATIENCE_SECONDS)
        time.sleep(5)
        seen = receiver.seen()
        return {
            "flood_accepted_s": accepted,
            "flood_out_s": seen.last_at - started,
            "flood_after_wait_s": seen.last_at - started - GROUP_WAIT_SECONDS,
            "flood_messages": len(seen.taken),
            "flood_repeated": sum(seen.taken.values()) - len(seen.taken),
            "flood_peak_mib": house.peak_mib(),
        }


def outage(size: int) -> dict[str, float]:
    """`size` events come while the receiver is away; once grouped by village as it is delivered, once each alone."""
    grouped = {**_GROUPED, "GROUP_WAIT": "PT2S"}
    return {
        **_outage(size, grouped, VILLAGES, "outage"),
        **_outage(size, {}, size, "outage_single"),
    }


def _outage(size: int, told: dict[str, str], messages: int, name: str) -> dict[str, float]:
    with delivering(told) as (house, receiver):
        prepared = list(house.requests(0, size, A_REQUEST))
        receiver.be("500")
        began = time.monotonic()
        load(house.events_url, prepared, 4)
        # Away for twenty seconds, and until all is queued.
        due = "SELECT count(*) FROM alerts.delivery"
        until(lambda: house.count(due) >= messages, "all is queued", PATIENCE_SECONDS, every=0.5)
        time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - began)))
        away, rejected = time.monotonic() - began, receiver.seen().rejected
        receiver.be("ok")
        back = time.monotonic()
        until(lambda: receiver.taken() >= messages, "the backlog is gone", PATIENCE_SECONDS, every=0.1)
        seen = receiver.seen()
        return {
            f"{name}_away_s": away,
            f"{name}_rejected_20s": rejected * AWAY_SECONDS / max(away, AWAY_SECONDS),
            f"{name}_backlog_gone_s": seen.last_at - back,
            f"{name}_messages": len(seen.taken),
            f"{name}_repeated": sum(seen.taken.values()) - len(seen.taken),
            f"{name}_peak_mib": house.peak_mib(),
        }
