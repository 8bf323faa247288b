"""What many messages of a feed did is told in one."""

from services.monitoring.tell_counts import tell_counts
from shared.contracts.progress import MONITORING_PROGRESS
from shared.runtime import Runtime
from tests.services.monitoring.build import Home, deliver, rostered, settled, told


async def test_the_counts_of_a_feeds_messages_are_told_together_and_once(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    bills = [settled(runtime.keys, person, 100, record=f"S{person}", feed="m1") for person in (1, 2, 7)]
    await deliver(
        runtime, rostered(runtime.keys, Home()), *bills, settled(runtime.keys, 8, 100, record="S8", feed="m2")
    )
    for _ in range(2):
        assert await tell_counts(runtime) == 0
    said = [item for item in await told(runtime, MONITORING_PROGRESS) if item["feed_id"] in {"m1", "m2"}]
    assert [(item["feed_id"], item["stage"], item["counts"]) for item in said] == [
        ("m1", "matched", {"matched": 2, "unmatched": 1, "changed": 2}),
        ("m2", "unmatched", {"matched": 0, "unmatched": 1, "changed": 0}),
    ]
