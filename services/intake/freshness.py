"""How fresh each data set is (数据新鲜度), and what is overdue by its cadence."""

from collections.abc import Iterable
from datetime import date, timedelta

import asyncpg

from services.intake import repository_feeds as repository
from services.intake.domain.feed_layout import FeedLayout
from services.intake.schemas import FreshnessItem
from shared.clock import SHANGHAI
from shared.security.principal import Principal


async def freshness(
    connection: asyncpg.Connection, caller: Principal, layouts: Iterable[FeedLayout], today: date
) -> list[FreshnessItem]:
    """For each data set of the caller's department, each division that sent any; what was never sent is overdue."""
    newest = await repository.newest_recorded(connection, caller.department)
    items = []
    for layout in layouts:
        if caller.department in (None, layout.department):
            rows = [row for row in newest if row["layout"] == layout.name]
            items += [_item(layout, row, today) for row in rows] or [_never(layout, caller.division)]
    return items


def _item(layout: FeedLayout, row: asyncpg.Record, today: date) -> FreshnessItem:
    """Data is as fresh as the day it reaches to; a file that came in time is due again a cadence later."""
    due_by = row["received_at"].astimezone(SHANGHAI).date() + timedelta(days=layout.overdue_after_days)
    return FreshnessItem(
        layout=layout.name,
        title=layout.title,
        department=layout.department,
        division=row["division"],
        newest_on=row["newest_on"] or row["snapshot_on"],
        received_at=row["received_at"],
        due_by=due_by,
        overdue=today > due_by,
    )


def _never(layout: FeedLayout, division: str) -> FreshnessItem:
    return FreshnessItem(
        layout=layout.name,
        title=layout.title,
        department=layout.department,
        division=division,
        newest_on=None,
        received_at=None,
        due_by=None,
        overdue=True,
    )
