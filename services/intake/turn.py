"""A worker's turn on a feed: it goes on while nothing else waits.

What comes before a checkpoint is read once more behind it, so that a large file should not be given back for nothing.
"""

import time
from dataclasses import dataclass, field
from uuid import UUID

from services.intake import repository_held as held
from services.intake import repository_ingest as repository
from shared.db.scope import transaction
from shared.runtime import Runtime


@dataclass(slots=True)
class Turn:
    """How long work on one feed goes on; with no `slice_seconds`, a piece at a time."""

    runtime: Runtime
    feed_id: UUID
    slice_seconds: float
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.slice_seconds

    async def is_over(self) -> bool:
        """Whether to stop at this checkpoint: the worker is to stop, or the slice is used up and something waits."""
        if self.runtime.stopping.is_set():
            return True
        if time.monotonic() < self._until:
            return False
        self._until = time.monotonic() + self.slice_seconds
        return not self.slice_seconds or await self._something_waits()

    async def _something_waits(self) -> bool:
        async with transaction(self.runtime.worker_pool) as connection:
            return await repository.another_waits(
                connection, self.feed_id, self.runtime.clock.now()
            ) or await held.any_released(connection)
