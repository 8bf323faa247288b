"""A county's roster never takes over the household of another county."""

from typing import Any

from shared.runtime import Runtime
from tests.services.monitoring.build import Home, deliver, rostered

NEIGHBOUR = "130625000000"
PREFECTURE = "130600000000"
THEIR_VILLAGE = "130625100201"


async def _division(runtime: Runtime, number: str) -> str | None:
    division: str | None = await runtime.worker_pool.fetchval(
        "SELECT registered_division FROM household WHERE household_no = $1", number
    )
    return division


async def test_a_neighbouring_county_cannot_claim_a_household(monitoring_runtime: Runtime, admin: Any) -> None:
    runtime = monitoring_runtime
    home = Home()
    await deliver(runtime, rostered(runtime.keys, home))
    theirs = (Home("F001", (1, 2), THEIR_VILLAGE), Home("N001", (7,), THEIR_VILLAGE))
    await deliver(runtime, rostered(runtime.keys, *theirs, on="2026-02-01", division=NEIGHBOUR))
    assert await _division(runtime, "F001") == home.division
    assert await _division(runtime, "N001") == THEIR_VILLAGE, "their own household is recorded"
    row = await admin.fetchrow("SELECT * FROM monitoring.audit_log WHERE action = 'roster.refuse'")
    assert (row["object"], row["result"], row["detail"]["division"]) == ("household:F001", "refused", NEIGHBOUR)


async def test_the_prefecture_that_answers_for_both_may_move_it(monitoring_runtime: Runtime) -> None:
    runtime = monitoring_runtime
    await deliver(runtime, rostered(runtime.keys, Home()))
    moved = Home("F001", (1, 2), THEIR_VILLAGE)
    await deliver(runtime, rostered(runtime.keys, moved, on="2026-02-01", division=PREFECTURE))
    assert await _division(runtime, "F001") == THEIR_VILLAGE
