"""The worker of alerts: it delivers, relays messages to the other services, routes what found nobody,
and tells what a silence held back once it ends."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.util import find_spec

import httpx
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from services.alerts.begin_escalations import begin_missing_escalations
from services.alerts.channels.channel import Channel
from services.alerts.channels.console import ConsoleChannel
from services.alerts.channels.dingtalk import DingtalkChannel
from services.alerts.channels.post_once import Way
from services.alerts.channels.sms import SmsChannel
from services.alerts.channels.smtp import SmtpChannel
from services.alerts.channels.webhook import WebhookChannel
from services.alerts.channels.wecom import WecomChannel
from services.alerts.deliver import deliver_due
from services.alerts.end_silences import end_silences
from services.alerts.escalate import escalate_due
from services.alerts.forget_phones import forget_phones
from services.alerts.group_notifications import tell_due_groups
from services.alerts.make_digests import make_digests
from services.alerts.make_monthly_sheets import make_monthly_sheets
from services.alerts.note_beat import beating
from services.alerts.notify_calendar import notify_missing_calendar
from services.alerts.open_from_rechecks import open_from_rechecks
from services.alerts.recompute_clocks import recompute_clocks
from services.alerts.remind_overdue import remind_overdue
from services.alerts.route_unrouted import route_unrouted
from services.alerts.sealed_tables import SEALED
from services.alerts.seed_calendar import seed_calendar
from services.alerts.settings import AlertsSettings
from services.alerts.settle_posts import settle_dated_posts
from services.alerts.watch import watch
from shared.clock import SHANGHAI, Clock
from shared.messaging.tasks import RELAY, TIDY
from shared.runtime import Runtime
from shared.security.seal_tick import seal_tick
from shared.settings import Settings
from shared.web.outbound_transport import OutboundTransport
from shared.worker import Task, Tick, Worker

_ESCALATE_EVERY = timedelta(minutes=1)
# httpx asks six times a request whether this package is there; where it is not, each time through all of sys.path.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]
_TIMEOUT = httpx.Timeout(10, connect=3)


def build_worker(
    settings: AlertsSettings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
) -> Worker:
    """Everything alerts does without being asked."""
    tasks = [
        *RELAY,
        Task("deliver", deliver),
        # Of its own, so that what works never waits for a receiver that hangs; woken with "deliver".
        Task("deliver_probe", deliver_probe),
        Task("group", tell_due_groups),
        Task("digest", make_digests, every=timedelta(minutes=1)),
        Task("sheet", make_monthly_sheets, every=timedelta(minutes=10)),
        Task("route", route_unrouted, every=timedelta(minutes=1)),
        Task("silences", end_silences, every=timedelta(seconds=10)),
        Task("escalate", beating("escalate", escalate_due, _ESCALATE_EVERY), every=_ESCALATE_EVERY),
        Task("begin_escalations", begin_missing_escalations, every=timedelta(minutes=10)),
        Task("seed_calendar", seed_calendar, every=timedelta(hours=6)),
        Task("recompute_clocks", recompute_clocks, every=timedelta(minutes=5)),
        Task("posts", settle_dated_posts, every=timedelta(hours=1)),
        Task("phones", forget_phones, every=timedelta(hours=1)),
        Task("overdue", remind_overdue, every=timedelta(minutes=1)),
        Task("rechecks", open_from_rechecks, every=timedelta(minutes=1)),
    ]
    ticks = [
        TIDY,
        seal_tick(*SEALED),
        Tick("notify_calendar", notify_missing_calendar, CronTrigger(hour=9, timezone=SHANGHAI)),
        Tick("watch", watch, IntervalTrigger(minutes=1)),
    ]
    return Worker("alerts", settings, tasks, ticks, transport=transport, clock=clock)


async def deliver(runtime: Runtime) -> int:
    """Deliver what is due through the channels that are configured."""
    async with _channels(runtime.settings) as channels:
        return await deliver_due(runtime, channels)


async def deliver_probe(runtime: Runtime) -> int:
    """Ask the receivers that are away, with one message each, whether they are back."""
    async with _channels(runtime.settings) as channels:
        return await deliver_due(runtime, channels, sick=True)


@asynccontextmanager
async def _channels(settings: Settings) -> AsyncIterator[Mapping[str, Channel]]:
    async with OutboundTransport(settings.webhooks, most_idle=64) as transport:
        way = Way(transport, _TIMEOUT)
        channels: dict[str, Channel] = {
            "console": ConsoleChannel(),
            "webhook": WebhookChannel(way),
            "wecom": WecomChannel(way),
            "dingtalk": DingtalkChannel(way),
            "sms": SmsChannel(way),
        }
        if settings.smtp_host:
            channels["smtp"] = SmtpChannel(settings)
        yield channels
