"""Somebody waits for the answer to a small feed (`Prefer: wait`, RFC 7240): asked for again until it is at an end."""

import asyncio
import re
import time
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.intake import repository_feeds as repository
from services.intake.domain.feed import FeedStatus
from shared.db.scope import scoped
from shared.runtime import Runtime
from shared.security.principal import Principal

DEFAULT_SECONDS = 10
MOST_SECONDS = 30
POLLS = (0.02, 0.03, 0.05, 0.1, 0.25)  # Seconds; the last goes on.
OPEN = frozenset({FeedStatus.RECEIVED, FeedStatus.READING, FeedStatus.RECORDING})

_WAIT = re.compile(r"\s*wait\s*(?:=\s*\"?([0-9]{1,5})\"?\s*)?", re.IGNORECASE | re.ASCII)


def seconds_preferred(prefer: Sequence[str]) -> int:
    """How long the client is ready to wait, by its Prefer headers; 0: not at all. What we do not know is ignored."""
    for part in ",".join(prefer).split(","):
        if match := _WAIT.fullmatch(part.split(";")[0]):
            return min(int(match[1]), MOST_SECONDS) if match[1] else DEFAULT_SECONDS
    return 0


async def feed_at_end(runtime: Runtime, caller: Principal, feed_id: UUID, *, seconds: int) -> asyncpg.Record | None:
    """The feed once nothing more happens to it by itself, or None after so many seconds.

    No connection is held between two looks.
    """
    until, polls = time.monotonic() + seconds, 0
    while True:
        async with scoped(runtime.pool, caller.division) as connection:
            row = await repository.feed_by_id(connection, feed_id, caller.department)
        if row is None or row["status"] not in OPEN:
            return row
        if time.monotonic() >= until:
            return None
        await asyncio.sleep(POLLS[min(polls, len(POLLS) - 1)])
        polls += 1
