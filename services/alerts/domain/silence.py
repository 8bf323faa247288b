"""A silence (静默): for a while, what matches it is not sent; the alert opens, and somebody answers for it.

It never holds back a person's own word (self-report, hotline call, appeal), what was handed to one person, or the
first message of a red alert.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.alerts.domain.alert_labels import YES
from services.alerts.domain.message import Kind
from services.alerts.domain.route import Labels, Matcher, values_of
from shared.vocabulary.division import covers
from shared.vocabulary.terms import Severity

LONGEST = timedelta(days=90)
# How long before it begins one may be set.
FARTHEST = timedelta(days=366)
_FIRST = frozenset({Kind.OPENED, Kind.RAISED})


@dataclass(frozen=True, slots=True)
class Silence:
    """Active from `starts_at` until before `ends_at`, over the alerts living in `division`."""

    silence_id: UUID
    division: str
    matchers: tuple[Matcher, ...]
    reason: str
    starts_at: datetime
    ends_at: datetime

    def covers(self, division: str, labels: Labels, now: datetime) -> bool:
        return (
            self.starts_at <= now < self.ends_at
            and covers(self.division, division)
            and all(matcher.matches(labels) for matcher in self.matchers)
        )


def silence_over(
    silences: Iterable[Silence], division: str, labels: Labels, *, kind: str, now: datetime
) -> Silence | None:
    """The silence that holds a message back; of several the last to end, so that its end is the end of all."""
    if not may_be_held_back(kind, labels):
        return None
    holding = [silence for silence in silences if silence.covers(division, labels, now)]
    return max(holding, key=lambda silence: (silence.ends_at, silence.silence_id), default=None)


def may_be_held_back(kind: str, labels: Labels) -> bool:
    """Whether a silence may hold back a message of this kind about an alert with these labels."""
    if kind in (Kind.REPORTED, Kind.HANDED_OVER):
        return False
    if YES in values_of(labels, "reported") or YES in values_of(labels, "appealed"):
        return False
    return not (kind in _FIRST and Severity.RED in values_of(labels, "severity"))


def is_selective(matchers: Sequence[Matcher]) -> bool:
    """Whether some matcher asks for something: else it would be silent about everything."""
    return any(not matcher.matches({}) for matcher in matchers)
