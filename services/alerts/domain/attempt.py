"""Tries to reach a household (联系不上): after three different days of them somebody a level up takes part."""

from collections.abc import Collection
from datetime import date

DAYS_BEFORE_GOING_UP = 3


def goes_up(days_before: Collection[date], day: date) -> bool:
    """Whether a try on `day`, after tries on `days_before`, takes the alert one level up.

    Every third different day does: several tries of one day are one.
    """
    tried = set(days_before)
    return day not in tried and (len(tried) + 1) % DAYS_BEFORE_GOING_UP == 0
