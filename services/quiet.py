"""How much work waits in the house, and waiting until none does."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.all_in_one import AllInOne

_OUTBOX = "SELECT count(*) FROM outbox_delivery WHERE state = 'due'"
_WAITING: Mapping[str, Mapping[str, str]] = {
    "intake": {"feeds": "SELECT count(*) FROM feed WHERE due_at IS NOT NULL", "messages": _OUTBOX},
    "monitoring": {"households": "SELECT count(*) FROM household WHERE due_at IS NOT NULL", "messages": _OUTBOX},
    "alerts": {"deliveries": "SELECT count(*) FROM delivery WHERE due_at IS NOT NULL", "messages": _OUTBOX},
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is still to be done: files, messages between services, households due, deliveries."""

    feeds: int = 0
    messages: int = 0
    households: int = 0
    deliveries: int = 0

    @property
    def total(self) -> int:
        return self.feeds + self.messages + self.households + self.deliveries


async def waiting(house: AllInOne) -> Waiting:
    counts = dict.fromkeys(("feeds", "messages", "households", "deliveries"), 0)
    for service, queries in _WAITING.items():
        pool = house.apps[service].state.runtime.worker_pool
        for name, query in queries.items():
            counts[name] += await pool.fetchval(query)
    return Waiting(**counts)


async def until_quiet(house: AllInOne, every_seconds: float = 0.1) -> None:
    """Return when nothing waits, seen twice: between two queues a message is in neither for a moment."""
    calm = 0
    while calm < 2:
        calm = calm + 1 if (await waiting(house)).total == 0 else 0
        await asyncio.sleep(every_seconds)
