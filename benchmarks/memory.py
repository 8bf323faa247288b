"""Private memory of this process and of every PostgreSQL backend, sampled while something runs."""

import threading
from pathlib import Path
from types import TracebackType

import psutil

EVERY_SECONDS = 0.2


class PeakMemory:
    """The highest sum seen, in MiB: what is private to each process, so without shared buffers."""

    def __init__(self, postmaster: int) -> None:
        self.postmaster = psutil.Process(postmaster)
        self.mib = 0.0
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._halt.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._halt.wait(EVERY_SECONDS):
            processes = [psutil.Process(), *self.postmaster.children(recursive=True)]
            self.mib = max(self.mib, sum(_private(each.pid) for each in processes) / 2**20)


def _private(pid: int) -> int:
    """Bytes only this process maps; a process that ended meanwhile has none."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))
