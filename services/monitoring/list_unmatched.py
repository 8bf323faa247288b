"""List what was observed of people no roster lists yet, so that somebody looks for them."""

from datetime import datetime
from typing import Any

import asyncpg

from services.monitoring import repository_readings as repository
from services.monitoring.read_household import CONTACT
from services.monitoring.schemas import UnmatchedView
from shared.security.access import field_classes
from shared.security.masking import mask_name
from shared.security.principal import Principal
from shared.web.page import Page, next_cursor


async def list_unmatched(
    connection: asyncpg.Connection, caller: Principal, now: datetime, *, after: int, limit: int
) -> Page[UnmatchedView]:
    """A page of what waits in the caller's range, the oldest first."""
    rows = await repository.unmatched(connection, after, limit + 1)
    more = next_cursor(rows, limit, after="unmatched_id")
    return Page(items=[_view(row, CONTACT in field_classes(caller), now) for row in rows[:limit]], next_cursor=more)


def _view(row: dict[str, Any], sees_contact: bool, now: datetime) -> UnmatchedView:
    entry = row["entry"]
    name = entry.get("person_name")
    return UnmatchedView(
        unmatched_id=row["unmatched_id"],
        name=name if sees_contact or not name else mask_name(name),
        division=row["division"],
        department=entry["department"],
        data_set=row["data_set"],
        record=row["record_key"].partition("/")[2],
        kind=row["kind"],
        household_no=row["household_no"],
        occurred_on=entry["content"]["occurred_on"],
        received_at=row["received_at"],
        waiting_days=max((now - row["recorded_at"]).days, 0),
    )
