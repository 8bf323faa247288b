"""The embedded server starts again after it was killed, whatever the killed one left behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.db.embedded import EmbeddedServer, EmbeddedServerMissing, running_url


@pytest.fixture
def server(tmp_path: Path) -> EmbeddedServer:
    """A server that never ran."""
    return EmbeddedServer(tmp_path)


@pytest.fixture
def zombie() -> Iterator[int]:
    """A process that ended, and whom nobody reaped yet."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    yield process.pid
    process.wait()


def left_behind(folder: Path, text: str) -> Path:
    file = folder / "postmaster.pid"
    file.write_text(text)
    return file


def test_a_killed_server_nobody_reaped_is_forgotten(server: EmbeddedServer, tmp_path: Path, zombie: int) -> None:
    file = left_behind(tmp_path, f"{zombie}\n{tmp_path}\n1773547200\n5432\n{tmp_path}\n\n  1  2\nready\n")
    server._forget_the_dead()
    assert not file.exists()


def test_a_server_that_is_no_more_is_forgotten(server: EmbeddedServer, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    file = left_behind(tmp_path, f"{process.pid}\n")
    server._forget_the_dead()
    assert not file.exists()


def test_a_power_cut_may_leave_an_empty_file(server: EmbeddedServer, tmp_path: Path) -> None:
    file = left_behind(tmp_path, "")
    server._forget_the_dead()
    assert not file.exists()


def test_a_server_that_runs_is_left_alone(server: EmbeddedServer, tmp_path: Path) -> None:
    file = left_behind(tmp_path, f"{os.getpid()}\n")
    server._forget_the_dead()
    assert file.exists()


def test_a_first_start_has_nothing_to_forget(server: EmbeddedServer) -> None:
    server._forget_the_dead()
    assert not server.is_running()


def test_where_no_server_runs_says_so(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerMissing):
        running_url(tmp_path)
    left_behind(tmp_path, "")
    with pytest.raises(EmbeddedServerMissing):
        running_url(tmp_path)
