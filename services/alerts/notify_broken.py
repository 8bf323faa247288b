"""Notify the county that a way out is broken: messages to it wait dead until a person mends it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import asyncpg

from services.alerts import repository
from services.alerts.channels.inbox import put_in_inboxes
from services.alerts.domain.message import endpoint_text, supplier_text
from services.alerts.letters_to_county import letters_to_county
from shared.runtime import Runtime


async def notify_broken(connection: asyncpg.Connection, runtime: Runtime, endpoint_id: UUID) -> None:
    """Put one notice into the inbox of each county administrator above the endpoint's owner."""
    now = runtime.clock.now()
    endpoint = (await repository.endpoints_by_id(connection, [endpoint_id]))[endpoint_id]
    key, text = (
        f"endpoint:{endpoint_id}:{now.isoformat()}",
        endpoint_text(endpoint["channel"], endpoint["officer_no"]),
    )
    letters = await letters_to_county(connection, runtime, key=key, division=endpoint["division"], text=text)
    await put_in_inboxes(connection, letters, now)
    runtime.waker.wake("inbox")


async def notify_supplier(
    connection: asyncpg.Connection, runtime: Runtime, endpoint_ids: Collection[UUID], now: datetime
) -> None:
    """Tell the county, once a day, that the supplier behind these endpoints wants mending."""
    for endpoint in (await repository.endpoints_by_id(connection, endpoint_ids)).values():
        key, text = f"supplier:{endpoint['outlet_id']}:{runtime.clock.today()}", supplier_text(endpoint["channel"])
        letters = await letters_to_county(connection, runtime, key=key, division=endpoint["division"], text=text)
        await put_in_inboxes(connection, letters, now)
        if letters:
            runtime.waker.wake("inbox")
