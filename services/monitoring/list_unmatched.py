"""List what was observed of people no roster lists yet, so that somebody looks for them."""

from typing import Any

import asyncpg

from services.monitoring import repository_readings as repository
from services.monitoring.schemas import UnmatchedView
from shared.web.page import Page, encode_cursor


async def list_unmatched(connection: asyncpg.Connection, *, after: int, limit: int) -> Page[UnmatchedView]:
    """A page of what waits in the caller's range, the oldest first."""
    rows = await repository.unmatched(connection, after, limit + 1)
    more = encode_cursor({"after": rows[limit - 1]["unmatched_id"]}) if len(rows) > limit else None
    return Page(items=[_view(row) for row in rows[:limit]], next_cursor=more)


def _view(row: dict[str, Any]) -> UnmatchedView:
    entry = row["entry"]
    return UnmatchedView(
        division=row["division"],
        department=entry["department"],
        data_set=row["data_set"],
        record=row["record_key"].partition("/")[2],
        kind=row["kind"],
        household_no=row["household_no"],
        occurred_on=entry["content"]["occurred_on"],
        received_at=row["received_at"],
    )
