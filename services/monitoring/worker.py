"""Monitoring's worker: relays messages, assesses households that are due, and lets time touch them."""

from datetime import timedelta

import httpx
from apscheduler.triggers.cron import CronTrigger

from services.monitoring.assess_when_quiet import assess_when_quiet
from services.monitoring.check_quality import check_due, check_ranges
from services.monitoring.compare_lists import compare_lists_due
from services.monitoring.compare_policies import compare_due
from services.monitoring.keep_retention import keep_retention
from services.monitoring.order_quality_run import check_nightly
from services.monitoring.pass_day import pass_day
from services.monitoring.propose_identity import sweep_identity
from services.monitoring.publish_policy import activate_published
from services.monitoring.refresh_figures import refresh_coverage, refresh_figures
from services.monitoring.rescreen import activate_policy, match_again
from services.monitoring.screen_ranges import screen_ranges
from services.monitoring.tell_counts import tell_counts
from shared.clock import SHANGHAI, Clock
from shared.messaging.tasks import RELAY, TIDY
from shared.security.seal_tick import seal_tick
from shared.settings import Settings
from shared.worker import Task, Tick, Worker

RETENTION = Tick("retention", keep_retention, CronTrigger(hour=3, minute=30, timezone=SHANGHAI))


def build_worker(
    settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
) -> Worker:
    """Everything below is idempotent, so any number of replicas may run it."""
    tasks = [
        # First, so that what it tells is sent.
        Task("counts", tell_counts, every=timedelta(milliseconds=500)),
        *RELAY,
        Task("assess", assess_when_quiet, heavy=True),
        Task("assess_ranges", screen_ranges, heavy=True),
        Task("activate", activate_policy, every=timedelta(minutes=5)),
        Task("pass_day", pass_day, every=timedelta(minutes=10)),
        Task("match", match_again, every=timedelta(seconds=30)),
        Task("identity", sweep_identity, every=timedelta(seconds=10), heavy=True),
        Task("policies", activate_published, every=timedelta(minutes=1)),
        Task("compare", compare_due, every=timedelta(seconds=5), heavy=True),
        Task("compare_lists", compare_lists_due, every=timedelta(minutes=1), heavy=True),
        Task("quality_nightly", check_nightly, every=timedelta(minutes=30)),
        Task("quality_ranges", check_ranges, every=timedelta(seconds=5), heavy=True),
        Task("quality", check_due, every=timedelta(seconds=5), heavy=True),
        # Last, so that what the others changed is counted.
        Task("dashboard", refresh_figures, every=timedelta(seconds=2)),
        Task("coverage", refresh_coverage, every=timedelta(seconds=60)),
    ]
    return Worker("monitoring", settings, tasks, [TIDY, RETENTION, seal_tick()], transport=transport, clock=clock)
