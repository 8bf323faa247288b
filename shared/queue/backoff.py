"""How long to wait before the next try."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta

RETRY_SCHEDULE = tuple(timedelta(seconds=s) for s in (5, 60, 300, 1800, 7200, 18000, 86400))


def delay(
    attempt: int, schedule: Sequence[timedelta] = RETRY_SCHEDULE, *, chance: Callable[[], float] = random.random
) -> timedelta:
    """The wait after the `attempt`-th failure (1 is the first): the schedule's step ± 20 %."""
    step = schedule[min(max(attempt, 1), len(schedule)) - 1]
    return step * (0.8 + 0.4 * chance())
