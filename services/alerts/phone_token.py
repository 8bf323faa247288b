"""The link of a message (一次性链接): a secret for one officer and one alert, used once, within a day.

Only its hash is kept. It is made when a message is sent, never when it is written down.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.alerts import repository_phone

LIFETIME = timedelta(hours=24)
BASE = "/alerts/m"


def secret_hash(secret: str) -> bytes:
    """How a secret of ours is kept; it is 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(secret.encode()).digest()


def token_link(public_url: str, token: str) -> str:
    """The address in a message. The secret stands in the query, which no log of ours keeps."""
    return f"{public_url}{BASE}/open?t={token}"


async def make_links(
    connection: asyncpg.Connection, messages: Mapping[UUID, tuple[str, UUID]], public_url: str, now: datetime
) -> dict[UUID, str]:
    """A new link for each message, which goes to one officer about one alert."""
    tokens = {message: secrets.token_urlsafe(32) for message in messages}
    await repository_phone.add_tokens(
        connection,
        [
            {
                "token_hash": secret_hash(tokens[message]),
                "officer_no": officer_no,
                "alert_id": alert_id,
                "made_at": now,
                "expires_at": now + LIFETIME,
            }
            for message, (officer_no, alert_id) in messages.items()
        ],
    )
    return {message: token_link(public_url, token) for message, token in tokens.items()}
