"""Monitoring's worker: relays messages, assesses households that are due, and lets time touch them."""

from datetime import timedelta

import httpx

from services.monitoring.assess_households import assess_due
from services.monitoring.rescreen import activate_policy, match_again, pass_day
from shared.clock import Clock
from shared.messaging.tasks import RELAY, TIDY
from shared.settings import Settings
from shared.worker import Task, Worker


def build_worker(
    settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
) -> Worker:
    """Everything below is idempotent, so any number of replicas may run it."""
    tasks = [
        *RELAY,
        Task("assess", assess_due, heavy=True),
        Task("activate", activate_policy, every=timedelta(minutes=5)),
        Task("pass_day", pass_day, every=timedelta(minutes=10)),
        Task("match", match_again, every=timedelta(seconds=30)),
    ]
    return Worker("monitoring", settings, tasks, [TIDY], transport=transport, clock=clock)
