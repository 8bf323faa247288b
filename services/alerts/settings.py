"""What alerts is told from outside, besides what all services are told."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from shared.settings import Settings, at_commas


class AlertsSettings(Settings):
    """`give_up_after`: how long an undelivered message is tried. `stream_for`: how long one live stream lasts.

    A stream ends and is opened again by the client, so that a withdrawn right is noticed. `watch_...`: whom the watch
    tells that something stands still, by the mail relay and straight to a webhook, beside the queues.
    """

    give_up_after: timedelta = timedelta(days=7)
    stream_for: timedelta = timedelta(minutes=10)
    watch_mail_to: Annotated[list[str], NoDecode] = Field(default_factory=list)
    watch_webhook_url: str | None = None
    watch_webhook_secret: SecretStr | None = Field(default=None, description="signs as Standard Webhooks do")

    @field_validator("watch_mail_to", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return at_commas(value)
