"""Bursts (集中办结): many answers of one person within minutes, or visits that cannot all have been made.

Listed for the township to look at in the order of time; nothing here counts or ranks persons.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from itertools import groupby
from uuid import UUID

CHINA = timezone(timedelta(hours=8))
FIRST_VISIT = time(6)


class BurstKind(StrEnum):
    """Why answers are listed."""

    CLOSINGS = "closings"
    VISITS = "visits"


@dataclass(frozen=True, slots=True)
class Closing:
    """One answer: whose, when, and of a visit its day, who went and the minutes it took."""

    alert_id: UUID
    officer_no: str
    at: datetime
    visited_by: str | None = None
    visited_on: date | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Burst:
    """Answers that belong together, in the order of time."""

    kind: BurstKind
    officer_no: str
    closings: tuple[Closing, ...]

    @property
    def began_at(self) -> datetime:
        return self.closings[0].at

    @property
    def ended_at(self) -> datetime:
        return self.closings[-1].at


def closing_bursts(closings: Iterable[Closing], *, fewest: int, within: timedelta) -> list[Burst]:
    """Runs of answers of one person in which every answer stands among `fewest` within a span of `within`."""
    return [
        Burst(BurstKind.CLOSINGS, officer_no, tuple(own[first:end]))
        for officer_no, own in _by_officer(closings)
        for first, end in _runs(own, fewest, within)
    ]


def _runs(own: Sequence[Closing], fewest: int, within: timedelta) -> list[tuple[int, int]]:
    """Where the runs begin and end: dense spans, joined where they share an answer."""
    runs: list[tuple[int, int]] = []
    for first in range(len(own) - fewest + 1):
        end = first + fewest
        if own[end - 1].at - own[first].at > within:
            continue
        if runs and first < runs[-1][1]:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((first, end))
    return runs


def visit_bursts(closings: Iterable[Closing]) -> list[Burst]:
    """Days on which the visits of one person, by the minutes stated, must overlap.

    Each lies between six in the morning of its day and its answer; taken in the order of the answers, one after the
    other, they fit or they do not. What fits is never listed, however unlikely.
    """
    visits = [one for one in closings if one.visited_by and one.visited_on and one.minutes]
    return [
        Burst(BurstKind.VISITS, visitor, tuple(own)) for visitor, day, own in _by_visit(visits) if _overlap(own, day)
    ]


def _overlap(own: Iterable[Closing], day: date) -> bool:
    ends = begins = datetime.combine(day, FIRST_VISIT, CHINA)
    for one in own:
        ends += timedelta(minutes=one.minutes or 0)
        if ends > min(one.at, begins + timedelta(days=1)):
            return True
    return False


def _by_officer(closings: Iterable[Closing]) -> list[tuple[str, list[Closing]]]:
    ordered = sorted(closings, key=lambda one: (one.officer_no, one.at))
    return [(officer_no, list(own)) for officer_no, own in groupby(ordered, key=lambda one: one.officer_no)]


def _by_visit(visits: Iterable[Closing]) -> list[tuple[str, date, list[Closing]]]:
    def visit(one: Closing) -> tuple[str, date]:
        assert one.visited_by is not None
        assert one.visited_on is not None
        return one.visited_by, one.visited_on

    ordered = sorted(visits, key=lambda one: (visit(one), one.at))
    return [(visitor, day, list(own)) for (visitor, day), own in groupby(ordered, key=visit)]
