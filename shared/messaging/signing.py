"""Standard Webhooks signatures (standardwebhooks.com), behind a wrapper that closes the library's traps."""

import base64
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

from shared.errors import Unauthorized

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
TOLERANCE = timedelta(minutes=5)


class SignatureRefused(Unauthorized):
    """A message is unsigned, wrongly signed, or too old or new (five minutes)."""

    code, title = "signature_refused", "消息签名无效"


def sign(secret: bytes, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The three headers that sign `body`; `now` must be aware."""
    # The library replaces the zone of what it is given instead of converting, so it must get UTC.
    moment = now.astimezone(UTC)
    signature = _webhook(secret).sign(message_id, moment, body.decode())
    return dict(zip(HEADERS, (message_id, str(int(moment.timestamp())), signature), strict=True))


def verify(secrets: Iterable[bytes], headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
    """The message id, if one of `secrets` signed this body; else SignatureRefused.

    The library's own check reads the machine's clock and parses the body a second time, so it is not used.
    """
    message_id, signed_at, given = (headers.get(name, "") for name in HEADERS)
    moment = _moment(signed_at)
    if not message_id or moment is None or abs(now - moment) > TOLERANCE:
        raise SignatureRefused
    signatures = [part.encode() for part in given.split(" ") if part.startswith("v1,")]
    try:
        expected = [sign(secret, message_id, body, moment)[HEADERS[2]].encode() for secret in secrets]
    except UnicodeDecodeError:
        raise SignatureRefused from None
    if not any(hmac.compare_digest(one, other) for one in expected for other in signatures):
        raise SignatureRefused
    return message_id


def _moment(text: str) -> datetime | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def _webhook(secret: bytes) -> Webhook:
    if not secret:
        raise SignatureRefused("签名密钥为空")
    return Webhook(base64.b64encode(secret).decode())
