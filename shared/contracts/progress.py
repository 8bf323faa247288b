"""How far a report or a feed got: said by monitoring and alerts, kept by intake."""

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.intake import Contract
from shared.vocabulary.terms import Outcome

MONITORING_PROGRESS = "cn.fangpin.monitoring.progress.v1"
ALERTS_PROGRESS = "cn.fangpin.alerts.progress.v1"

Stage = Literal["matched", "unmatched", "assessed", "routed", "delivered", "acknowledged", "verified"]


class FeedCounts(Contract):
    """What one message of a feed did in monitoring: observations matched, left unmatched, and changed."""

    matched: int = 0
    unmatched: int = 0
    changed: int = 0


class ProgressItem(Contract):
    """One step of one report, or the counts of one message of one feed.

    Of `verified`: the answer, and the number of the officer who gave it.
    """

    report_id: str | None = None
    feed_id: str | None = None
    stage: Stage
    at: AwareDatetime
    alert_id: str | None = None
    outcome: Outcome | None = None
    answered_by: str | None = None
    counts: FeedCounts | None = None


class Progress(Contract):
    items: list[ProgressItem] = Field(min_length=1, max_length=1000)
