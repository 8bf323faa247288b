"""The worker of alerts: it delivers, relays messages to the other services, and routes what found nobody."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx

from services.alerts.channels.channel import Channel
from services.alerts.channels.console import ConsoleChannel
from services.alerts.channels.smtp import SmtpChannel
from services.alerts.channels.webhook import WebhookChannel
from services.alerts.deliver import deliver_due
from services.alerts.group_notifications import tell_due_groups
from services.alerts.make_digests import make_digests
from services.alerts.make_monthly_sheets import make_monthly_sheets
from services.alerts.route_unrouted import route_unrouted
from services.alerts.settings import AlertsSettings
from shared.clock import Clock
from shared.messaging.tasks import RELAY, TIDY
from shared.runtime import Runtime
from shared.settings import Settings
from shared.web.outbound_transport import outbound_client
from shared.worker import Task, Worker

_TIMEOUT = httpx.Timeout(10, connect=3)


def build_worker(
    settings: AlertsSettings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
) -> Worker:
    """Everything alerts does without being asked."""
    tasks = [
        *RELAY,
        Task("deliver", deliver),
        Task("group", tell_due_groups),
        Task("digest", make_digests, every=timedelta(minutes=1)),
        Task("sheet", make_monthly_sheets, every=timedelta(minutes=10)),
        Task("route", route_unrouted, every=timedelta(minutes=1)),
    ]
    return Worker("alerts", settings, tasks, [TIDY], transport=transport, clock=clock)


async def deliver(runtime: Runtime) -> int:
    """Deliver what is due through the channels that are configured."""
    async with _channels(runtime.settings) as channels:
        return await deliver_due(runtime, channels)


@asynccontextmanager
async def _channels(settings: Settings) -> AsyncIterator[Mapping[str, Channel]]:
    async with outbound_client(settings.webhooks, _TIMEOUT) as http:
        channels: dict[str, Channel] = {
            "console": ConsoleChannel(),
            "webhook": WebhookChannel(http, settings.webhooks),
        }
        if settings.smtp_host:
            channels["smtp"] = SmtpChannel(settings)
        yield channels
