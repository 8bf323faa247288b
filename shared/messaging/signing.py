"""Standard Webhooks signatures (standardwebhooks.com), behind a wrapper that closes the library's traps."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.errors import Unauthorized

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class SignatureRefused(Unauthorized):
    """A message is unsigned, wrongly signed, or too old or new (five minutes)."""

    code, title = "signature_refused", "消息签名无效"


def sign(secret: bytes, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers that sign `body`; `now` must be aware."""
    # The library replaces the zone of what it is given instead of converting, so it must get UTC.
    moment = now.astimezone(UTC)
    signature = _webhook(secret).sign(message_id, moment, body.decode())
    return dict(zip(HEADERS, (message_id, str(int(moment.timestamp())), signature), strict=True))


def verify(secrets: Iterable[bytes], headers: Mapping[str, str], body: bytes) -> str:
    """The message id, if one of `secrets` signed this body; else SignatureRefused."""
    given = {name: headers.get(name, "") for name in HEADERS}
    for secret in secrets:
        # A malformed header raises whatever the library stumbles over: all of it means "not signed".
        try:
            _webhook(secret).verify(body.decode(), given)
        except (WebhookVerificationError, binascii.Error, ValueError, RuntimeError):
            continue
        return given["webhook-id"]
    raise SignatureRefused


def _webhook(secret: bytes) -> Webhook:
    if not secret:
        raise SignatureRefused("签名密钥为空")
    return Webhook(base64.b64encode(secret).decode())
