"""Refuse the households of a roster that belong to a county it does not answer for.

A roster may move a household within its own division only: whoever could name a neighbour's number would take
over the household with its whole history.
"""

import asyncpg

from services.monitoring import repository_rosters as rosters
from services.monitoring.announce import announce_progress
from shared.contracts.intake import HouseholdsRecorded
from shared.contracts.progress import FeedCounts, ProgressItem
from shared.runtime import Runtime
from shared.security.audit import audit
from shared.vocabulary.division import covers

BULK = 9


async def refuse_foreign(
    connection: asyncpg.Connection, told: HouseholdsRecorded, runtime: Runtime
) -> HouseholdsRecorded | None:
    """The roster without foreign households; None if nothing is left of it.

    Each refusal leaves an audit row, and counts as unmatched in the feed's report.
    """
    foreign = await _foreign(connection, told)
    if not foreign:
        return told
    now, detail = runtime.clock.now(), {"feed_id": told.feed_id, "division": told.division}
    for number in sorted(foreign):
        subject = f"household:{number}"
        await audit(connection, "monitoring", "roster.refuse", subject, now=now, result="refused", detail=detail)
    counts = FeedCounts(unmatched=len(foreign))
    item = ProgressItem(feed_id=told.feed_id, stage="matched", at=now, counts=counts)
    await announce_progress(connection, [item], now=now, priority=BULK)
    own = [household for household in told.households if household.household_no not in foreign]
    return told.model_copy(update={"households": own}) if own else None


async def _foreign(connection: asyncpg.Connection, told: HouseholdsRecorded) -> set[str]:
    known = await rosters.counties_of(connection, [household.household_no for household in told.households])
    return {row["household_no"] for row in known if not covers(told.division, row["county"].ljust(12, "0"))}
