"""Take a message in once: its row and its effect share a transaction."""

import hashlib
from datetime import datetime, timedelta

import asyncpg
import orjson

from shared.contracts.envelope import Event
from shared.errors import Conflict, Unprocessable

KEPT = timedelta(days=35)


class MessageTooOld(Unprocessable):
    """The inbox row of such an old message may be gone, so a repeat could not be told from a first."""

    code, title = "message_too_old", "消息过旧"


class MessageChanged(Conflict):
    """The same message id came with another content."""

    code, title = "message_changed", "同一消息编号的内容不一致"


async def accept_once(connection: asyncpg.Connection, event: Event, now: datetime) -> bool:
    """Record the message; False if it was taken in before (its effect stands, nothing is to be done)."""
    if event.time < now - KEPT:
        raise MessageTooOld(f"消息产生于 {event.time:%Y-%m-%d}，超过 {KEPT.days} 天，不再接收")
    # The order of keys means nothing in JSON, and a sender that was restored may store them in another.
    digest = hashlib.sha256(orjson.dumps(event.data, option=orjson.OPT_SORT_KEYS)).digest()
    added = await connection.fetchval(
        """
        INSERT INTO inbox (source, event_id, type, digest, event_time, received_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        event.source,
        event.id,
        event.type,
        digest,
        event.time,
        now,
    )
    if added:
        return True
    known = await connection.fetchval(
        "SELECT digest FROM inbox WHERE source = $1 AND event_id = $2", event.source, event.id
    )
    if known != digest:
        raise MessageChanged
    return False
