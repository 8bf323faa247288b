"""Backlogs and endpoints for the tests of deliveries, written as they lie in the tables."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from services.alerts.channels.dingtalk import DingtalkChannel
from services.alerts.channels.post_once import Way
from services.alerts.channels.sms import SmsChannel
from services.alerts.channels.webhook import WebhookChannel
from services.alerts.channels.wecom import WecomChannel
from services.alerts.deliver import deliver_due
from shared.outbound import Outbound
from shared.runtime import Runtime
from shared.web.outbound_transport import OutboundTransport
from tests.services.alerts.places import COUNTY, TOWNSHIP, VILLAGE

Rows = Callable[..., Any]

QUEUE_UP = """
WITH made AS (
    INSERT INTO alerts.notification (notification_id, dedupe_key, division, recipient, kind, decision, created_at)
    SELECT gen_random_uuid(), $4 || n, $5, e.officer_no, 'opened', 'send', $3
    FROM generate_series(1, $2::int) n, alerts.endpoint e WHERE e.endpoint_id = $1
    RETURNING notification_id
)
INSERT INTO alerts.delivery (delivery_id, notification_id, channel, endpoint_id, outlet_id, message, state, due_at,
                             priority, created_at, give_up_at)
SELECT gen_random_uuid(), notification_id, e.channel, e.endpoint_id, e.outlet_id, $6, 'due', $3, $7, $3,
       $3 + interval '7 days'
FROM made, alerts.endpoint e WHERE e.endpoint_id = $1
"""
MESSAGE = {
    "kind": "opened",
    "title": "新预警待核实",
    "body": "x",
    "link": "http://house/x",
    "division": VILLAGE,
    "place": "青沿村",
    "count": 1,
}


async def queue_up(
    admin: asyncpg.Connection, endpoint_id: Any, number: int, runtime: Runtime, *, key: str = "m", priority: int = 5
) -> None:
    """So many deliveries due now for an endpoint."""
    now = runtime.clock.now()
    await admin.execute(QUEUE_UP, UUID(str(endpoint_id)), number, now, key, COUNTY, MESSAGE, priority)


async def put(client: httpx.AsyncClient, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    """Put an endpoint into use."""
    owner = {} if "officer_no" in body else {"division": TOWNSHIP}
    answer = await client.post("/alerts/v1/endpoints", json={**owner, **body}, headers=headers)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def deliver_all(runtime: Runtime, *, sick: bool = False, read: float = 30) -> int:
    """One turn of the worker over all channels, with a short patience."""
    async with OutboundTransport(Outbound(["127.0.0.1:*"], plain=True)) as transport:
        way = Way(transport, httpx.Timeout(read, connect=min(read, 10)))
        channels = {
            "webhook": WebhookChannel(way),
            "wecom": WecomChannel(way),
            "dingtalk": DingtalkChannel(way),
            "sms": SmsChannel(way),
        }
        return await deliver_due(runtime, channels, sick=sick)
