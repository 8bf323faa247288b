"""Notify the county of data that did not come (数据催报): once for each notice that intake opened."""

from collections.abc import Iterable

import asyncpg

from services.alerts.channels.inbox import Letter, put_in_inboxes
from services.alerts.domain.message import data_text
from services.alerts.letters_to_county import letters_to_county
from services.alerts.route_alert import WAKES
from shared.contracts.envelope import Event
from shared.contracts.intake import DataNotice
from shared.runtime import Runtime


async def notify_data(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> Iterable[str]:
    """Put an open notice into the inbox of each county administrator above it; a closed one says nothing more."""
    letters: list[Letter] = []
    for item in DataNotice.model_validate(event.data).items:
        if item.state == "open":
            key, text = f"notice:{item.notice_id}", data_text(item.title, item.detail)
            letters += await letters_to_county(connection, runtime, key=key, division=item.division, text=text)
    await put_in_inboxes(connection, letters, runtime.clock.now())
    return WAKES
