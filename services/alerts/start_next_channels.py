"""Start the next channel of the same person (换渠道): when one ended without success, or an urgent message waits."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import asyncpg

from services.alerts import repository_deliveries as repository
from services.alerts.channels_in_use import channels_in_use
from services.alerts.settings import AlertsSettings
from shared.runtime import Runtime
from shared.vocabulary.identifiers import new_id


async def start_next_channels(
    connection: asyncpg.Connection, runtime: Runtime, delivery_ids: Collection[UUID]
) -> None:
    """Queue the same message for each person's next endpoint; who has none left is told by his inbox only.

    Only the newest delivery of a notification starts another, so that a long outage starts one channel, not all.
    """
    if not delivery_ids:
        return
    settings = runtime.settings
    assert isinstance(settings, AlertsSettings)
    found = await repository.next_channels(connection, delivery_ids, channels_in_use(settings))
    await repository.add_deliveries(connection, [_row(row, runtime) for row in found])
    if found:
        runtime.waker.wake("deliver")


def _row(before: asyncpg.Record, runtime: Runtime) -> dict[str, Any]:
    now = runtime.clock.now()
    return {
        "delivery_id": new_id(now),
        "notification_id": before["notification_id"],
        "alert_id": before["alert_id"],
        "channel": before["next_channel"],
        "endpoint_id": before["next_endpoint"],
        "outlet_id": before["next_outlet"],
        "message": before["message"],
        "state": "due",
        "due_at": now,
        "priority": before["priority"],
        "attempts": 0,
        "created_at": now,
        "give_up_at": max(before["give_up_at"], now),
    }
