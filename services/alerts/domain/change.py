"""What news of a risk means for alerts (预警开启规则): open, extend, withhold or ignore."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from services.alerts.domain.alert import Status


class Change(StrEnum):
    """What is done with one item of news about a subject."""

    OPEN = "open"
    EXTEND = "extend"
    WITHHOLD = "withhold"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a subject before the news: the newest facts seen, and its open alert's status if any."""

    facts_version: int
    status: Status | None = None
    report_ids: frozenset[str] = frozenset()


def change_for(known: Known, *, facts_version: int, opens: bool, report_ids: Collection[str]) -> Change:
    """Decide what news does. Older facts are ignored.

    A report of a person is never ignored and never withheld, however old the facts beside it: somebody answers it.
    """
    has_new_report = bool(set(report_ids) - known.report_ids)
    if facts_version < known.facts_version and not has_new_report:
        return Change.IGNORE
    if known.status is not None:
        return Change.EXTEND
    return Change.OPEN if opens or has_new_report else Change.WITHHOLD
