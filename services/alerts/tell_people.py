"""Tell some people something about an alert, without making them answer for it."""

import asyncpg

from services.alerts import repository
from services.alerts.channels_in_use import channels_in_use
from services.alerts.dispatch import Desk, Dispatch, Told
from services.alerts.domain.duty import Listening
from services.alerts.draft import Draft
from services.alerts.notify_listeners import notify_listeners
from shared.vocabulary.division import lineage_of


async def tell_people(connection: asyncpg.Connection, dispatch: Dispatch, desk: Desk) -> None:
    """Put it into their inboxes and on their ways out. Call once a transaction: it takes the locks of inboxes."""
    told, draft = Told(dispatch, Listening(dispatch.only or (), ())), Draft()
    people = {listener.officer_no for listener in told.listening.listeners}
    above = lineage_of(dispatch.living)
    endpoints = await repository.endpoints_of(connection, people, above, channels_in_use(desk.settings))
    sending = await notify_listeners(connection, [told], endpoints, desk, draft)
    await sending.queue(connection, await draft.write(connection, desk.now), desk)
