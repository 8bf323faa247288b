"""What alerts is told from outside, besides what all services are told."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from shared.settings import Settings, at_commas
from shared.vocabulary.terms import Severity


class AlertsSettings(Settings):
    """`give_up_after`: how long an undelivered message is tried. `stream_for`: how long one live stream lasts.

    A stream ends and is opened again by the client, so that a withdrawn right is noticed.
    """

    give_up_after: timedelta = timedelta(days=7)
    stream_for: timedelta = timedelta(minutes=10)

    second_officer_severities: Annotated[frozenset[Severity], NoDecode] = Field(
        default=frozenset({Severity.RED}), description="on which 'no risk' waits for a second officer; may be empty"
    )
    recheck_percent: float = Field(default=5, ge=0, le=100, description="of answers that identify nobody")
    recheck_working_days: int = Field(default=10, ge=1, le=60)
    burst_closings: int = Field(default=10, ge=2, le=1000, description="answers of one person listed together")
    burst_minutes: int = Field(default=15, ge=1, le=1440, description="within which they fall")
    task_working_days: int = Field(default=10, ge=1, le=120, description="for a department, each round")

    @field_validator("second_officer_severities", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return at_commas(value)
