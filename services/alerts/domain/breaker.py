"""When an outlet is left alone (熔断与限速): after failures in a row, when its supplier says so, by its own rate.

Pure; the state stands in the outlet's row, so that all workers share it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import floor

from services.alerts.domain.delivery import OutcomeClass

# A receiver that fails so often in a row is away: the backlog waits, and one message asks whether it is back.
OPENS_AFTER = 3
PROBE_EVERY = timedelta(seconds=5)


class Breaker(StrEnum):
    """Closed: messages flow. Open: one probe every five seconds. Blocked: the supplier's limit; nothing at all."""

    CLOSED = "closed"
    OPEN = "open"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Health:
    """How an outlet has fared: tries failed in a row, and until when it is left alone."""

    failures: int = 0
    blocked_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.failures >= OPENS_AFTER

    def breaker(self, now: datetime) -> Breaker:
        """What an administrator reads."""
        if self.is_open:
            return Breaker.OPEN
        return Breaker.BLOCKED if self.blocked_until is not None and self.blocked_until > now else Breaker.CLOSED


@dataclass(frozen=True, slots=True)
class Felt:
    """What one try says of the outlet; `until` is set where the supplier keeps everybody out."""

    outcome: OutcomeClass
    until: datetime | None = None


def after_tries(health: Health, tries: Iterable[Felt], now: datetime) -> Health:
    """The health after some tries; one that worked closes the breaker."""
    felt = list(tries)
    failed = sum(one.outcome is OutcomeClass.RETRY for one in felt)
    worked = any(one.outcome is OutcomeClass.OK for one in felt)
    failures = 0 if worked else health.failures + failed
    until = max((one.until for one in felt if one.until is not None), default=None)
    if until is None and not worked:
        until = now + PROBE_EVERY if failed and failures >= OPENS_AFTER else health.blocked_until
    return Health(failures, until)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many messages an outlet takes: `per_minute` on average, `burst` at once; without a rate, any number.

    In no minute more than `per_minute + burst` are sent.
    """

    per_minute: int | None = None
    burst: int = 1


@dataclass(frozen=True, slots=True)
class Bucket:
    """The tokens of an outlet (令牌桶) as they were at a moment."""

    tokens: float
    at: datetime

    def refilled(self, rate: Rate, now: datetime) -> "Bucket":
        """The tokens now; a clock set back adds none."""
        assert rate.per_minute is not None, "asked only of outlets with a rate"
        minutes = max((now - self.at) / timedelta(minutes=1), 0.0)
        return Bucket(min(self.tokens + rate.per_minute * minutes, float(rate.burst)), max(now, self.at))

    def less(self, taken: int) -> "Bucket":
        return Bucket(self.tokens - taken, self.at)

    @property
    def allows(self) -> int:
        # A token that is short of whole by a rounding error is whole.
        return max(floor(self.tokens + 1e-9), 0)
