"""Accepting for good, and acknowledging among many; the workers are stopped while accepting is measured."""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from benchmarks.alert_house import A_REQUEST, AlertHouse, load
from benchmarks.load import request_bytes

FEW = 1000
SINGLES = 2000
ACKNOWLEDGED = 400


def accept(size: int) -> dict[str, float]:
    """`size` events, 64 a request over 4 connections; then 2,000 one a request over 8."""
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as folder:
        house = AlertHouse("separate", Path(folder) / "data")
        house.start()
        house.without_workers()
        try:
            house.furnish()
            load(house.events_url, list(house.requests(0, 50 * A_REQUEST, A_REQUEST)), 4)
            many = load(house.events_url, list(house.requests(10**7, size, A_REQUEST)), 4)
            singles = load(house.events_url, list(house.requests(2 * 10**7, SINGLES, 1)), 8)
            assert house.count("SELECT count(*) FROM alerts.alert") == 50 * A_REQUEST + size + SINGLES
            return {
                "accept_64": many.per_second * A_REQUEST * size / (A_REQUEST * len(many.took)),
                "accept_64_p99_ms": many.quantile(0.99) * 1000,
                "accept_one": singles.per_second,
                "accept_one_p99_ms": singles.quantile(0.99) * 1000,
                "accept_peak_mib": house.peak_mib(),
            }
        finally:
            house.stop()


def acknowledge(size: int) -> dict[str, float]:
    """Acknowledgements one after another, with 1,000 alerts open and with `size`."""
    with tempfile.TemporaryDirectory(prefix="fangpin-bench-") as folder:
        house = AlertHouse("separate", Path(folder) / "data")
        house.start()
        try:
            house.furnish()
            load(house.events_url, list(house.requests(0, FEW, A_REQUEST)), 4)
            few = _acknowledged(house)
            load(house.events_url, list(house.requests(FEW, size - FEW, A_REQUEST)), 4)
            house.ask(lambda admin: admin.execute("ANALYZE"))
            among = _acknowledged(house)
            return {
                "ack_few_ms": statistics.median(few) * 1000,
                "ack_few_p99_ms": _p99(few) * 1000,
                "ack_ms": statistics.median(among) * 1000,
                "ack_p99_ms": _p99(among) * 1000,
                "ack_median_ratio": statistics.median(among) / statistics.median(few),
                "ack_p99_ratio": _p99(among) / _p99(few),
                "ack_peak_mib": house.peak_mib(),
            }
        finally:
            house.stop()


async def _open_alerts(admin: asyncpg.Connection) -> list[asyncpg.Record]:
    """Some open alerts, spread over the villages."""
    return await admin.fetch(
        "SELECT alert_id, living_division FROM alerts.alert WHERE acknowledged_at IS NULL"
        " ORDER BY hashtext(alert_id::text) LIMIT $1",
        ACKNOWLEDGED,
    )


def _acknowledged(house: AlertHouse) -> list[float]:
    """Seconds each of some acknowledgements took."""
    took: list[float] = []
    tokens: dict[str, dict[str, str]] = {}
    for alert in house.ask(_open_alerts):
        place = alert["living_division"]
        if place not in tokens:
            tokens[place] = house.bearer("village_secretary", place, officer_no=f"V-{place}")
        url = f"{house.url('alerts')}/alerts/v1/alerts/{alert['alert_id']}/acknowledge"
        headers = {**tokens[place], "Idempotency-Key": f"bench-{alert['alert_id']}"}
        took += load(url, [request_bytes(url, b"{}", headers)], 1).took
    return took


def _p99(took: Sequence[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)]
