"""Messages of one feed that say only what is new are taken in side by side; every other waits for its turn."""

import asyncio
from typing import Any

import pytest

from services.monitoring import repository_households as households
from shared.db.scope import transaction
from shared.runtime import Runtime
from tests.services.monitoring.build import Home, deliver, facts, number, observed, rostered, sent_at

PLACE = "130624", "medical_settlement"
WAITS = 0.5


def bill(runtime: Runtime, record: str, fen: int = 100) -> dict[str, Any]:
    return {
        "record": record,
        "person": runtime.keys.blind_index(number(1)).hex(),
        "kind": "expense.medical",
        "occurred_on": "2026-02-10",
        "compliant_fen": fen,
    }


async def speaking(runtime: Runtime) -> str | None:
    return await runtime.worker_pool.fetchval("SELECT speaking FROM feed_freshness WHERE data_set = $1", PLACE[1])


@pytest.mark.parametrize(
    ("record", "feed", "waits"),
    [("C", "medical-1", False), ("A", "medical-1", True), ("C", "medical-2", True)],
    ids=["new, of the same feed", "known already", "of another feed"],
)
async def test_only_what_is_new_and_of_the_same_feed_does_not_wait(
    monitoring_runtime: Runtime, record: str, feed: str, waits: bool
) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(no="F001", people=(1,))))
    for first in "AB":
        await deliver(runtime, observed([bill(runtime, first)], feed="medical-1"))
    assert await speaking(runtime) == observed([], feed="medical-1").data["feed_id"]
    told = observed([bill(runtime, record, 300)], feed=feed, sent=sent_at(9))
    async with transaction(runtime.worker_pool) as another:
        await households.share_data_set(another, *PLACE)  # As a message of the first feed would.
        taking = asyncio.create_task(deliver(runtime, told))
        done, _ = await asyncio.wait([taking], timeout=WAITS if waits else 10)
        assert bool(done) is not waits
    await taking
    amounts = {f["record_key"]: f["compliant_fen"] for f in await facts(runtime) if f["compliant_fen"]}
    assert amounts == {"130624/A": 100, "130624/B": 100, f"130624/{record}": 300}
    assert await speaking(runtime) == told.data["feed_id"]


async def test_what_was_not_said_of_a_message_that_waited_is_not_kept(monitoring_runtime: Runtime) -> None:
    """Many messages of two feeds at once, about the same records: the ledger is as if they came one by one."""
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home(no="F001", people=(1,))))
    one = [observed([bill(runtime, f"{i}-{j}") for j in range(3)], feed="one", sent=sent_at(3)) for i in range(6)]
    two = [observed([bill(runtime, f"{i}-{j}", 9) for j in range(3)], feed="two", sent=sent_at(4)) for i in range(6)]
    told = [event for pair in zip(one, two, strict=True) for event in pair]
    for at in range(0, len(told), 3):
        await asyncio.gather(*(deliver(runtime, event) for event in told[at : at + 3]))
    standing = [f for f in await facts(runtime) if f["compliant_fen"]]
    assert len(standing) == 18
    assert {f["compliant_fen"] for f in standing} == {9}
