"""What tests of the relay share: the deliveries as they stand, time that passes, and a relay at work."""

from datetime import timedelta

import asyncpg

from shared.messaging.relay import relay_once
from shared.runtime import Runtime


async def deliveries(runtime: Runtime) -> list[asyncpg.Record]:
    return await runtime.worker_pool.fetch("SELECT * FROM outbox_delivery ORDER BY outbox_id, subscription_id")


def later(runtime: Runtime, **wait: float) -> None:
    runtime.clock.at += timedelta(**wait)  # type: ignore[attr-defined]


async def drain(runtime: Runtime) -> None:
    """Send until nothing is due."""
    while await relay_once(runtime):
        pass
