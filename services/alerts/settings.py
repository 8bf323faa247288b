"""What alerts is told from outside, besides what all services are told."""

from datetime import time, timedelta

from pydantic import Field, field_validator

from services.alerts.domain.work_time import Quiet
from shared.settings import Settings


class AlertsSettings(Settings):
    """`give_up_after`: how long an undelivered message is tried. `stream_for`: how long one live stream lasts.

    A stream ends and is opened again by the client, so that a withdrawn right is noticed.

    `flood_control`: whether pushes are grouped by village, deferred over nights and days off, limited and digested;
    without it each warning is pushed at once by itself. `group_wait` is how long a village's first warning waits for
    others, `group_interval` how long after a message the next one waits. `quiet_hours` is like 21:00-07:30 (empty:
    none), `pushes_a_day` the most that one person gets, urgent ones apart; at `digest_at` he gets the day's digest.
    """

    give_up_after: timedelta = timedelta(days=7)
    stream_for: timedelta = timedelta(minutes=10)
    flood_control: bool = True
    group_wait: timedelta = Field(default=timedelta(seconds=30), ge=timedelta(0), le=timedelta(hours=1))
    group_interval: timedelta = Field(default=timedelta(minutes=5), ge=timedelta(0), le=timedelta(days=1))
    quiet_hours: str = "21:00-07:30"
    pushes_a_day: int = Field(default=12, ge=1, le=1000)
    digest_at: time = time(20)

    @field_validator("quiet_hours")
    @classmethod
    def _is_a_span(cls, value: str) -> str:
        quiet_hours(value)
        return value

    @property
    def quiet(self) -> Quiet | None:
        return quiet_hours(self.quiet_hours)


def quiet_hours(text: str) -> Quiet | None:
    """The span a text like 21:00-07:30 means; None for an empty one. ValueError."""
    if not text.strip():
        return None
    start, _, end = text.partition("-")
    return Quiet(time.fromisoformat(start.strip()), time.fromisoformat(end.strip()))
