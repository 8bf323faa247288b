"""What monitoring is told from outside, besides what all services are told."""

from pydantic import Field

from shared.settings import Settings


class MonitoringSettings(Settings):
    """`stale_after_days`: after how many days without news a data set no longer vouches that all is well."""

    stale_after_days: dict[str, int] = Field(
        default_factory=lambda: {"household_register": 400, "medical_settlement": 62, "disability_register": 62}
    )
