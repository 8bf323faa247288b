"""What monitoring is told from outside, besides what all services are told."""

from pydantic import Field

from shared.settings import Settings


class MonitoringSettings(Settings):
    """`visit_minutes`: what a visit takes, way included, where fewer than `fewest_timed_visits` were timed in the
    last year; from that number on their median counts. `visit_capacity`: how many visits a month a county (six
    digits) can make; `usual_visit_capacity` where none is stated. `monthly_rescreen_day`, `quarterly_rescreen_day`:
    the day of every month, and of a quarter's first month, on which whole counties are assessed again.
    `comparison_day`: from which day of a month on its comparison of lists is made.
    """

    visit_minutes: int = Field(default=90, gt=0)
    fewest_timed_visits: int = Field(default=20, ge=1)
    visit_capacity: dict[str, int] = Field(default_factory=dict)
    usual_visit_capacity: int = Field(default=1000, ge=0)
    monthly_rescreen_day: int = Field(default=20, ge=1, le=28)
    quarterly_rescreen_day: int = Field(default=10, ge=1, le=28)
    comparison_day: int = Field(default=20, ge=1, le=28)
