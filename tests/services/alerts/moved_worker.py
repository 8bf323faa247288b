"""A worker of alerts as a real process, whose clock the test moves."""

import asyncio
import os
from ctypes import c_double
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from services.alerts.settings import AlertsSettings
from services.alerts.worker import build_worker
from shared.clock import SHANGHAI
from shared.logs import configure_logs


@dataclass(frozen=True, slots=True)
class MovedClock:
    """A clock that several processes read; its owner moves it for all of them at once."""

    seconds: c_double

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds.value, UTC)

    def today(self) -> date:
        return self.now().astimezone(SHANGHAI).date()


def work(settings: dict[str, Any], seconds: c_double, log: Path) -> None:
    """What the process does until it is killed: every task and tick of the worker."""
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(out, stream)
    configure_logs("WARNING")
    asyncio.run(build_worker(AlertsSettings(**settings), clock=MovedClock(seconds)).run())
