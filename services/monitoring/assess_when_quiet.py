"""Assess what is due; while a feed speaks, not yet what it touches: its next message touches most of that again."""

import time
from dataclasses import dataclass
from datetime import timedelta

from services.monitoring import repository_households as households
from services.monitoring.assess_households import assess_due
from shared.db.scope import transaction
from shared.runtime import Runtime

# The longest that a feed's facts wait for an assessment because more of them are coming.
PATIENCE = timedelta(minutes=3)
# Between two messages of a feed there is a moment in which none is being taken.
QUIET_SECONDS = 1.0


@dataclass(slots=True)
class LastHeard:
    """When this process heard a feed speak last, by its monotonic clock."""

    heard_at: float = float("-inf")

    @property
    def is_recent(self) -> bool:
        return time.monotonic() - self.heard_at < QUIET_SECONDS


LAST = LastHeard()


async def assess_when_quiet(runtime: Runtime) -> int:
    """Assess what is due; whom a person waits for, and who was changed by hand, whatever else is going on."""
    async with transaction(runtime.worker_pool) as connection:
        if await households.a_feed_speaks(connection):
            LAST.heard_at = time.monotonic()
    return await assess_due(runtime, patience=PATIENCE if LAST.is_recent else None)
