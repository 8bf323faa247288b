"""Tell some people something about an alert, without making them answer for it."""

import asyncpg

from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.dispatch import Desk, Dispatch, Told
from services.alerts.domain.duty import Listening
from services.alerts.notify_listeners import notify_listeners


async def tell_people(connection: asyncpg.Connection, dispatch: Dispatch, desk: Desk) -> None:
    """Put it into their inboxes and on their ways out. Call once a transaction: it takes the locks of inboxes."""
    told = Told(dispatch, Listening(dispatch.only or (), ()))
    await put_in_inboxes(connection, await notify_listeners(connection, [told], desk), desk.now)
