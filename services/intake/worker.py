"""The factory of intake's worker."""

import httpx

from services.intake.ingest_feed import ingest_once
from services.intake.settings import IntakeSettings
from shared.clock import Clock
from shared.messaging.tasks import RELAY, TIDY
from shared.worker import Task, Worker


def build_worker(
    settings: IntakeSettings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
) -> Worker:
    """Relay messages, those somebody waits for on a task of their own; take files in, in a process of their own."""
    tasks = [*RELAY, Task("ingest", ingest_once, heavy=True)]
    return Worker("intake", settings, tasks, [TIDY], transport=transport, clock=clock)
