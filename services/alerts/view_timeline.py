"""View the timeline of an alert (处置经过): all that was done, told, withheld and tried, in order, page by page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from services.alerts import repository_lists
from services.alerts.domain.timeline import words_of
from services.alerts.repository import Row
from services.alerts.repository_timeline import BEGINNING, After, events_of
from services.alerts.schemas_log import Event
from services.alerts.take_step import AlertUnknown
from services.alerts.view_alert import evidence_view
from shared.security.access import field_classes
from shared.security.principal import Principal
from shared.web.page import CursorRefused, Page, decode_cursor, encode_cursor

_RANKS = 10


async def view_timeline(
    connection: asyncpg.Connection, alert_id: UUID, caller: Principal, *, cursor: str | None, limit: int
) -> Page[Event]:
    """A page of events, oldest first; AlertUnknown if there is no such alert in the scope."""
    if await repository_lists.alert_by_id(connection, alert_id) is None:
        raise AlertUnknown
    rows = await events_of(connection, alert_id, _after(cursor), limit + 1)
    items = [_event(row, caller) for row in rows[:limit]]
    return Page(items=items, next_cursor=_cursor(rows[limit - 1]) if len(rows) > limit else None)


def _event(row: Row, caller: Principal) -> Event:
    said = dict(row["said"])
    if row["kind"] == "evidence":
        # What a piece of evidence says is shown as everywhere: by the caller's field classes.
        seen = evidence_view({**said, "recorded_at": row["at"]}, field_classes(caller))
        said = {"kind": seen.kind, "item": seen.item}
    words = words_of(row["kind"], row["actor"], said)
    return Event(at=row["at"], kind=row["kind"], actor=row["actor"], words=words, said=said)


def _cursor(row: Row) -> str:
    return encode_cursor({"at": row["at"].isoformat(), "rank": row["rank"], "key": row["key"]})


def _after(cursor: str | None) -> After:
    position = decode_cursor(cursor, at=str, rank=int, key=str)
    if position is None:
        return BEGINNING
    if not 0 <= position["rank"] < _RANKS:
        raise CursorRefused
    return After(_moment(position), position["rank"], position["key"])


def _moment(position: Mapping[str, str]) -> datetime:
    try:
        moment = datetime.fromisoformat(position["at"])
        if moment.tzinfo is None:
            raise CursorRefused
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CursorRefused from None
