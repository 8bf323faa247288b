"""The PIN of a phone (手机口令): six digits that nobody guesses in five tries."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

LENGTH = 6
MOST_WRONG = 5
LOCKED_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong tries since the last right one or the last lock, and until when no try counts."""

    wrong: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until

    @property
    def left(self) -> int:
        return MOST_WRONG - self.wrong


def after_wrong(tries: Tries, now: datetime) -> Tries:
    """The tries after a wrong one: the fifth locks, and counting begins anew once the lock is over."""
    wrong = tries.wrong + 1
    if wrong >= MOST_WRONG:
        return Tries(0, now + LOCKED_FOR)
    return Tries(wrong, None)


def weakness(pin: str) -> str | None:
    """Why a PIN cannot be chosen; None: it can."""
    if len(pin) != LENGTH or not (pin.isascii() and pin.isdigit()):
        return f"口令应为 {LENGTH} 位数字"
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    if len(set(pin)) <= 2 or steps in ({1}, {-1}):
        return "口令太简单，请不要用相同、重复或连续的数字"
    return None
