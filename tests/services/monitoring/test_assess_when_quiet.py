"""While a feed speaks, what it touches waits for the rest of it; who calls, or was changed by hand, does not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from services.monitoring import assess_when_quiet as module
from services.monitoring import repository_households as households
from services.monitoring.assess_when_quiet import PATIENCE, assess_when_quiet
from shared.clock import FixedClock
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.services.monitoring.build import COUNTY, Home, assess_all, deliver, reported, rostered, settled

HOMES = [Home(no="Q001", people=(1,)), Home(no="Q002", people=(2,))]


@pytest.fixture
async def listed(monitoring_runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """Two households, assessed; nothing was heard yet, and nobody waits a second to be sure."""
    monkeypatch.setattr(module, "LAST", module.LastHeard())
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)
    await deliver(monitoring_runtime, rostered(monitoring_runtime.keys, *HOMES))
    await assess_all(monitoring_runtime)
    return monitoring_runtime


@asynccontextmanager
async def a_feed_speaking(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(module, "QUIET_SECONDS", 60.0)
    async with transaction(runtime.worker_pool) as connection:
        await households.lock_data_set(connection, COUNTY[:6], "another")
        yield
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.0)


async def due(runtime: Runtime) -> set[str]:
    rows = await runtime.worker_pool.fetch("SELECT household_no FROM household WHERE due_at IS NOT NULL")
    return {row["household_no"] for row in rows}


async def test_what_a_feed_touches_waits_until_it_is_quiet(listed: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await deliver(listed, settled(listed.keys, 1, 100))
    async with a_feed_speaking(listed, monkeypatch):
        assert await assess_when_quiet(listed) == 0
        assert await due(listed) == {"Q001"}
    assert await assess_when_quiet(listed) == 1
    assert await due(listed) == set()


async def test_between_two_messages_it_is_not_quiet_yet(listed: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await deliver(listed, settled(listed.keys, 1, 100))
    async with a_feed_speaking(listed, monkeypatch):
        assert await assess_when_quiet(listed) == 0
    monkeypatch.setattr(module, "QUIET_SECONDS", 60.0)
    assert await assess_when_quiet(listed) == 0
    assert await due(listed) == {"Q001"}


async def test_a_call_for_help_does_not_wait_for_a_feed(listed: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the feed touched the caller's household first."""
    fed = (settled(listed.keys, 1, 100), settled(listed.keys, 2, 100, record="S2"))
    await deliver(listed, *fed, reported(listed.keys, 1))
    async with a_feed_speaking(listed, monkeypatch):
        assert await assess_when_quiet(listed) == 1
        assert await due(listed) == {"Q002"}


async def test_who_was_changed_by_hand_does_not_wait_for_a_feed(
    listed: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [row["household_id"] for row in await listed.worker_pool.fetch("SELECT household_id FROM household")]
    async with transaction(listed.worker_pool) as connection:
        await households.mark_due(connection, ids[:1], now=listed.clock.now(), priority=5)
    async with a_feed_speaking(listed, monkeypatch):
        assert await assess_when_quiet(listed) == 1


@pytest.mark.parametrize(("waited", "assessed"), [(PATIENCE, 1), (PATIENCE - timedelta(seconds=1), 0)])
async def test_a_feed_without_end_holds_nobody_back_for_longer(
    listed: Runtime, monkeypatch: pytest.MonkeyPatch, waited: timedelta, assessed: int
) -> None:
    await deliver(listed, settled(listed.keys, 1, 100))
    due_at = await listed.worker_pool.fetchval("SELECT due_at FROM household WHERE due_at IS NOT NULL")
    later = replace(listed, clock=FixedClock(due_at + waited))
    async with a_feed_speaking(listed, monkeypatch):
        assert await assess_when_quiet(later) == assessed
