"""Notify the county of data that did not come (数据催报): once for each notice that intake opened."""

from collections.abc import Iterable

import asyncpg

from services.alerts import repository
from services.alerts.channels.inbox import Letter, put_in_inboxes
from services.alerts.domain.message import Kind, data_text
from services.alerts.route_alert import WAKES
from shared.contracts.envelope import Event
from shared.contracts.intake import DataNotice, DataNoticeItem
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.terms import Role


async def notify_data(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Put an open notice into the inbox of each county administrator above it; a closed one says nothing more."""
    items = [item for item in DataNotice.model_validate(event.data).items if item.state == "open"]
    now, letters = runtime.clock.now(), []
    for item in items:
        rows = await _notifications(connection, item, runtime)
        text = data_text(item.title, item.detail)
        letters += [
            Letter(row["recipient"], row["notification_id"], None, Kind.DATA_NOTICE, None, text, None) for row in rows
        ]
    await put_in_inboxes(connection, letters, now)
    return WAKES


async def _notifications(
    connection: asyncpg.Connection, item: DataNoticeItem, runtime: Runtime
) -> list[asyncpg.Record]:
    """The rows that are new, one for each administrator."""
    now = runtime.clock.now()
    posts = await repository.posts_at(connection, [item.division], runtime.clock.today())
    rows = [
        {
            "notification_id": new_id(now),
            "dedupe_key": f"notice:{item.notice_id}:{officer_no}",
            "alert_id": None,
            "subject": None,
            "division": item.division,
            "recipient": officer_no,
            "kind": Kind.DATA_NOTICE,
            "decision": "send",
            "reason": None,
            "created_at": now,
        }
        for officer_no in sorted({post.officer_no for post in posts if post.role is Role.COUNTY_ADMIN})
    ]
    return await repository.insert_rows(
        connection,
        "notification",
        rows,
        conflict="ON CONFLICT (dedupe_key) DO NOTHING",
        returning="notification_id, recipient",
    )
