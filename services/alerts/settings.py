"""What alerts is told from outside, besides what all services are told."""

from datetime import timedelta
from typing import Self

from pydantic import SecretStr, model_validator

from shared.settings import Settings


class AlertsSettings(Settings):
    """`give_up_after`: how long an undelivered message is tried. `stream_for`: how long one live stream lasts.

    A stream ends and is opened again by the client, so that a withdrawn right is noticed. The `oidc_` settings of a
    client let cadres log in on their phones by the identity platform; they go together, and with the common ones.
    """

    give_up_after: timedelta = timedelta(days=7)
    stream_for: timedelta = timedelta(minutes=10)

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
