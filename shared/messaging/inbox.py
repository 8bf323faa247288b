"""Take a message in once: its row and its effect share a transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

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


async def accept_new(connection: asyncpg.Connection, events: Sequence[Event], now: datetime) -> list[Event]:
    """Record messages, no two of them with the same id; those that were not taken in before, in the same order."""
    digests = {(event.source, event.id): _digest(event, now) for event in events}
    added = await connection.fetch(
        """
        INSERT INTO inbox (source, event_id, type, digest, event_time, received_at)
        SELECT *, $6 FROM unnest($1::text[], $2::uuid[], $3::text[], $4::bytea[], $5::timestamptz[]) AS n (source, id)
        ORDER BY source, id ON CONFLICT DO NOTHING RETURNING source, event_id
        """,
        *zip(*((e.source, e.id, e.type, digests[e.source, e.id], e.time) for e in events), strict=True),
        now,
    )
    new = {(row["source"], row["event_id"]) for row in added}
    await _compare(connection, {key: digest for key, digest in digests.items() if key not in new})
    return [event for event in events if (event.source, event.id) in new]


def _digest(event: Event, now: datetime) -> bytes:
    if event.time < now - KEPT:
        raise MessageTooOld(f"消息产生于 {event.time:%Y-%m-%d}，超过 {KEPT.days} 天，不再接收")
    # The order of keys means nothing in JSON, and a sender that was restored may store them in another.
    return hashlib.sha256(orjson.dumps(event.data, option=orjson.OPT_SORT_KEYS)).digest()


async def _compare(connection: asyncpg.Connection, digests: Mapping[tuple[str, UUID], bytes]) -> None:
    """What was taken in before must be what comes again."""
    for (source, event_id), digest in digests.items():
        known = await connection.fetchval(
            "SELECT digest FROM inbox WHERE source = $1 AND event_id = $2", source, event_id
        )
        if known != digest:
            raise MessageChanged
