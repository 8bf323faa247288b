"""The house in real processes: all in one, or a process per service and per worker; to be used, killed, restarted."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

import httpx
import psutil

from services.demo_token import demo_token
from shared.db.embedded import EmbeddedServer
from shared.settings import Settings
from tests.journeys.forked import Forked, fork_command

Mode = Literal["all_in_one", "separate"]
SERVICES = ("intake", "monitoring", "alerts")
# Only bounds: a busy machine is slow, not wrong.
START_SECONDS = 180
WAIT_SECONDS = 90


@contextmanager
def new_folder() -> Iterator[Path]:
    """A place for a house. Not below pytest's own: each start of a pytest locks the server's user out of that one."""
    place = Path(tempfile.mkdtemp(prefix="fangpin-house-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class Running:
    """A running house; `processes` are named as the commands that started them.

    `forked`: they are forked from a process that has imported everything, for tests that start them again and again.
    """

    mode: Mode
    data: Path
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes] | Forked] = field(default_factory=dict)
    server: EmbeddedServer | None = None
    log_level: str = "WARNING"
    forked: bool = False

    def start(self) -> None:
        names = SERVICES if self.mode == "separate" else ("all",)
        self.ports = {name: free_port() for name in names}
        if self.mode == "separate":
            self._prepare()
        for name in self.commands():
            self.launch(name)
        self.wait_ready()

    def _prepare(self) -> None:
        """In separate mode the database is somebody else's: here an embedded server that the test owns."""
        from services.up import _start
        from shared.security.keys import create_keys

        self.data.mkdir(parents=True, exist_ok=True)
        create_keys(self.data / "keys", demo=True)
        self.server = EmbeddedServer(self.data / "pg")
        _start(self.server)
        subprocess.run([*PYTHON, "migrate"], env=self.environment(), check=True, stdout=subprocess.DEVNULL)

    def commands(self) -> dict[str, list[str]]:
        """What is started, by name."""
        if self.mode == "all_in_one":
            options = ["--port", str(self.ports["all"]), "--data", str(self.data), "--households", "0"]
            return {"up": ["up", *options]}
        serve = {f"serve {name}": ["serve", name, "--port", str(self.ports[name])] for name in SERVICES}
        return serve | {f"work {name}": ["work", name] for name in SERVICES}

    def environment(self) -> dict[str, str]:
        told = {
            "DATA": str(self.data),
            "DEMO": "true",
            "LOG_LEVEL": self.log_level,
            "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1:*",
            # At night and on days off a push would wait; what is tested here goes at once.
            "FLOOD_CONTROL": "false",
        }
        if self.mode == "separate":
            assert self.server is not None
            told["DATABASE_URL"] = self.server.url
            told |= {f"{name.upper()}_URL": self.url(name) for name in SERVICES}
        return {**os.environ, **{f"FANGPIN_{name}": value for name, value in told.items()}}

    def launch(self, name: str) -> None:
        path, command = self.data.parent / f"{self.data.name}.log", self.commands()[name]
        if self.forked:
            self.processes[name] = fork_command(command, self.environment(), path)
            return
        with path.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*PYTHON, *command], env=self.environment(), stdout=log, stderr=log, start_new_session=True
            )

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports.get(service) or self.ports['all']}"

    def wait_ready(self) -> None:
        for service in self.ports:
            until(lambda service=service: self._ready(service), f"{service} is ready", START_SECONDS)

    def _ready(self, service: str) -> bool:
        try:
            return httpx.get(f"{self.url(service)}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def killable(self) -> list[str]:
        """The processes that may be killed: each of ours, and in one-port mode the child that does heavy work."""
        return [*self.processes, *(["child"] if self.mode == "all_in_one" else [])]

    def kill(self, name: str) -> None:
        """kill -9, then start again what nobody else starts again."""
        if name == "child":
            for child in self._children():
                child.kill()
            return
        process = self.processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.launch(name)

    def _children(self) -> list[psutil.Process]:
        try:
            found = psutil.Process(self.processes["up"].pid).children()
            return [child for child in found if "work" in child.cmdline()]
        except psutil.NoSuchProcess:
            return []

    def kill_database(self) -> None:
        """kill -9 the postmaster; the next start recovers from the write-ahead log."""
        pid = int((self.data / "pg" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        if self.server is not None:
            until(lambda: not _alive(pid), "the postmaster is gone")
            until(self._database_started, "the database is back")

    def _database_started(self) -> bool:
        assert self.server is not None
        try:
            self.server.start()
        except Exception:
            return False
        return True

    def stop(self) -> list[int]:
        """SIGTERM to all; the exit codes."""
        for process in self.processes.values():
            process.terminate()
        codes = [process.wait(40) for process in self.processes.values()]
        if self.server is not None:
            self.server.stop()
        return codes

    def token(self, role: str, division: str, **given: str | None) -> str:
        settings = Settings(data=self.data, demo=True)
        return demo_token(settings, role, division, lifetime=timedelta(hours=2), **given)  # type: ignore[arg-type]

    def bearer(self, role: str, division: str, **given: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(role, division, **given)}"}


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


PYTHON = [sys.executable, "-m", "services.cli"]


def until(holds: Callable[[], object], what: str, seconds: float = WAIT_SECONDS, every: float = 0.05) -> None:
    """Wait until something holds; AssertionError, saying what did not come, after that many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(every)
