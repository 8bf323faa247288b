"""Processes forked from one that has imported everything: real ones, killed as any other, but ready in half a second.

A test that starts a house a hundred times proves what a kill does to its data; that the command starts from nothing
is proved where it is started once (tests/journeys/test_journey.py, test_up.py).
"""

import multiprocessing
import os
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

# Named here, not where they are used: what the fork server has imported is settled when it starts.
PRELOADED = [
    "services.up",
    *(f"services.{service}.{part}" for service in ("intake", "monitoring", "alerts") for part in ("app", "worker")),
    "tests.services.intake.test_ingest_killed",
]


def forkserver() -> ForkServerContext:
    """The one fork server of this process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


@dataclass(frozen=True)
class Forked:
    """A forked process, spoken to like a Popen."""

    process: ForkServerProcess

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def send_signal(self, number: int) -> None:
        if self.process.is_alive():
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.process.terminate()

    def wait(self, timeout: float | None = None) -> int:
        self.process.join(timeout)
        assert self.process.exitcode is not None, f"{self.pid} still runs after {timeout} s"
        return self.process.exitcode


def fork_command(arguments: list[str], environment: dict[str, str], log: Path) -> Forked:
    """Run `fangpin <arguments>` in a forked process."""
    process = forkserver().Process(target=_command, args=(arguments, environment, log))
    process.start()
    return Forked(process)


def _command(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    """What the forked process does: become what the command line would have started."""
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["fangpin", *arguments]
    from services.cli import main

    main()
