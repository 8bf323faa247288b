"""The factory of intake's worker."""

import httpx
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from services.intake.ingest_feed import ingest_once
from services.intake.keep_report_files import keep_report_files
from services.intake.keep_retention import keep_retention
from services.intake.pull_feed import pull_once
from services.intake.settings import IntakeSettings
from services.intake.take_dropped import take_dropped
from services.intake.watch_freshness import watch_freshness
from shared.clock import SHANGHAI, Clock
from shared.messaging.tasks import RELAY, TIDY
from shared.security.seal_tick import seal_tick
from shared.worker import Task, Tick, Worker

FRESHNESS = Tick("freshness", watch_freshness, IntervalTrigger(minutes=30))
RETENTION = Tick("retention", keep_retention, CronTrigger(hour=3, timezone=SHANGHAI))
REPORT_FILES = Tick("report_files", keep_report_files, CronTrigger(minute=17, timezone=SHANGHAI))


def build_worker(
    settings: IntakeSettings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
) -> Worker:
    """Relay messages, those somebody waits for on a task of their own; take files in, in a process of their own."""
    tasks = [*RELAY, Task("ingest", ingest_once, heavy=True), Task("pull", pull_once), Task("drop", take_dropped)]
    ticks = [TIDY, RETENTION, REPORT_FILES, FRESHNESS, seal_tick()]
    return Worker("intake", settings, tasks, ticks, transport=transport, clock=clock)
