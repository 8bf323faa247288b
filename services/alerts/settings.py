"""What alerts is told from outside, besides what all services are told."""

from datetime import time, timedelta
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from services.alerts.domain.work_time import Quiet
from shared.settings import Settings, at_commas


class AlertsSettings(Settings):
    """`most_duties`: on how many posts one person may be. `most_grid_households`: how many households a grid has.

    `give_up_after`: how long an undelivered message is tried. `stream_for`: how long one live stream lasts.
    A stream ends and is opened again by the client, so that a withdrawn right is noticed. `watch_...`: whom the watch
    tells that something stands still, by the mail relay and straight to a webhook, beside the queues. The
    `oidc_` settings of a client let cadres log in on their phones by the identity platform; they go together, and
    with the common ones.

    `flood_control`: whether pushes are grouped by village, deferred over nights and days off, limited and digested;
    without it each warning is pushed at once by itself. `group_wait` is how long a village's first warning waits for
    others, `group_interval` how long after a message the next one waits. Red ones of a village wait for each
    other for `red_group_wait`, at any hour; by default not at all. `quiet_hours` is like 21:00-07:30 (empty:
    none), `pushes_a_day` the most that one person gets, urgent ones apart; at `digest_at` he gets the day's digest.
    """

    most_duties: int = 3
    most_grid_households: int = 100
    give_up_after: timedelta = timedelta(days=7)
    stream_for: timedelta = timedelta(minutes=10)
    watch_mail_to: Annotated[list[str], NoDecode] = Field(default_factory=list)
    watch_webhook_url: str | None = None
    watch_webhook_secret: SecretStr | None = Field(default=None, description="signs as Standard Webhooks do")

    @field_validator("watch_mail_to", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return at_commas(value)

    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_authorize_url: str | None = None
    oidc_token_url: str | None = None

    @model_validator(mode="after")
    def _oidc_login_is_whole(self) -> Self:
        given = [self.oidc_client_id, self.oidc_client_secret, self.oidc_authorize_url, self.oidc_token_url]
        if given != [None] * len(given) and (None in given or not self.oidc_issuer):
            raise ValueError(
                "FANGPIN_OIDC_CLIENT_ID, FANGPIN_OIDC_CLIENT_SECRET, FANGPIN_OIDC_AUTHORIZE_URL and "
                "FANGPIN_OIDC_TOKEN_URL go together, and with FANGPIN_OIDC_ISSUER"
            )
        return self

    burst_closings: int = Field(default=10, ge=2, le=1000, description="answers of one person listed together")
    burst_minutes: int = Field(default=15, ge=1, le=1440, description="within which they fall")

    overdue_superior_working_days: int = Field(
        default=2, ge=1, le=60, description="until the county's desk is told what is still overdue"
    )

    flood_control: bool = True
    group_wait: timedelta = Field(default=timedelta(seconds=30), ge=timedelta(0), le=timedelta(hours=1))
    group_interval: timedelta = Field(default=timedelta(minutes=5), ge=timedelta(0), le=timedelta(days=1))
    red_group_wait: timedelta = Field(default=timedelta(0), ge=timedelta(0), le=timedelta(minutes=5))
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
