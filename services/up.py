"""`fangpin up`: everything on this machine, and one run of the main job."""

import asyncio
import contextlib
import hashlib
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import asyncpg
import httpx
import typer

from services.all_in_one import AllInOne
from services.main_job import run_main_job
from services.processes import run, serve, work
from shared.db.embedded import DATABASE, EmbeddedServer
from shared.db.heads import SCHEMAS
from shared.db.key_check import remember_keys
from shared.db.migrate import create_roles, migrate
from shared.db.pool import plain_url, prepare_connection
from shared.errors import Unavailable
from shared.logs import configure_logs, log
from shared.regions.load import load_shipped_regions
from shared.security.keys import create_keys
from shared.settings import Settings

T = TypeVar("T")
Echo = Callable[[str], None]
REGION_DATA = Path(__file__).resolve().parent.parent / "shared" / "regions" / "data"


class NotStarted(Unavailable):
    code, title = "not_started", "启动失败"


def run_up(settings: Settings, *, households: int, seed: int, demo: bool) -> None:
    """Start the database, prepare it, start the house, run the main job, and stay until a signal."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "fangpin.log").open("a", encoding="utf-8") as stream:
        configure_logs(settings.log_level, stream)
        create_keys(settings.data / "keys", demo=demo)
        server = None if settings.database_url else EmbeddedServer(settings.data / "pg")
        try:
            run(lambda stop: _up(settings, server, households, seed, demo, stop))
        finally:
            if server is not None:
                server.stop()
            # The embedded server's library logs once more when Python ends, after this file is closed.
            logging.disable()
    _say("已停止 stopped")


async def _up(
    settings: Settings, server: EmbeddedServer | None, households: int, seed: int, demo: bool, stop: asyncio.Event
) -> None:
    started = time.monotonic()
    if server is not None:
        settings = settings.model_copy(update={"database_url": await asyncio.to_thread(_start, server)})
        _say("内置数据库已启动 database=embedded（仅本机套接字、信任认证，数据库角色在此不构成隔离）")
    await prepare_database(settings, echo=_say)
    async with _house(settings, server, stop) as house:
        if not stop.is_set():
            _say(f"服务已就绪 ready_seconds={time.monotonic() - started:.1f} url={settings.public_url}")
        if demo and households and not stop.is_set():
            await _until(stop, run_main_job(house, settings, households=households, seed=seed, echo=_say))
        if not stop.is_set():
            _say_where(settings)
            await stop.wait()
        _say("正在停止 stopping …")


def _start(server: EmbeddedServer) -> str:
    """Start the embedded server and make its database if it is new."""
    server.start()
    asyncio.run(_create_database(server.admin_url))
    return server.url


async def _create_database(admin_url: str) -> None:
    connection = await asyncpg.connect(plain_url(admin_url))
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


async def prepare_database(settings: Settings, *, echo: Echo) -> None:
    """Roles, schemas, places, key names: whatever is missing. Safe to run again."""
    for url in dict.fromkeys(settings.database_url_of(schema) for schema in SCHEMAS):
        try:
            await create_roles(url)
        except asyncpg.InsufficientPrivilegeError:
            echo("当前数据库用户不能创建角色，假定 deploy/roles.sql 已由管理员执行 roles=assumed")
    for schema in SCHEMAS:
        await migrate(settings.database_url_of(schema), [schema])
    loaded = await with_directory(settings, _load_places)
    if loaded:
        echo(f"行政区划已载入 regions={loaded}")
    await with_directory(settings, lambda connection: remember_keys(connection, settings.data / "keys"))


async def with_directory(settings: Settings, act: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Do something to the directory as its owner, in one transaction."""
    connection = await asyncpg.connect(
        plain_url(settings.database_url_of("directory")),
        server_settings={"search_path": "directory", "role": "fangpin_owner"},
    )
    try:
        await prepare_connection(connection)
        async with connection.transaction():
            return await act(connection)
    finally:
        await connection.close()


async def _load_places(connection: asyncpg.Connection) -> int:
    """Load the shipped places unless these very files are loaded already; how many rows."""
    digest = hashlib.sha256()
    for path in sorted(REGION_DATA.glob("*")):
        digest.update(path.read_bytes())
    mark = f"shipped {digest.hexdigest()[:16]}"
    if await connection.fetchval("SELECT obj_description('directory.region'::regclass)") == mark:
        return 0
    loaded = await load_shipped_regions(connection)
    await connection.execute(f"COMMENT ON TABLE region IS '{mark}'")
    return loaded.inserted + loaded.changed + loaded.unchanged


@asynccontextmanager
async def _house(settings: Settings, server: EmbeddedServer | None, stop: asyncio.Event) -> AsyncIterator[AllInOne]:
    """The three services, their light workers in this process, their heavy ones in children."""
    house = AllInOne(settings)
    workers = house.workers()
    light = [worker.only(lambda task: not task.heavy, ticks=True) for worker in workers]
    heavy = [worker.service for worker in workers if any(task.heavy for task in worker.tasks)]
    halt = asyncio.Event()
    tasks = [
        asyncio.create_task(serve(house, settings.host, settings.port, halt)),
        asyncio.create_task(work(light, halt)),
        *(asyncio.create_task(_child(settings, name, halt)) for name in heavy),
    ]
    if server is not None:
        tasks.append(asyncio.create_task(_watch(server, halt)))
    try:
        await _ready(settings, tasks, stop)
        yield house
    finally:
        halt.set()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ready(settings: Settings, tasks: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Wait until /readyz says yes; a task that ended early is the reason why it never will."""
    async with httpx.AsyncClient() as client:
        for _ in range(600):
            ended = next((task for task in tasks if task.done()), None)
            if ended is not None:
                raise NotStarted(f"端口 {settings.port} 可能已被占用；可用 --port 换一个") from ended.exception()
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"http://{settings.host}:{settings.port}/readyz")).status_code == 200:
                    return
            if stop.is_set():
                return
            await asyncio.sleep(0.1)
    raise NotStarted("一分钟内没有就绪；请查看数据目录中的 fangpin.log")


async def _child(settings: Settings, service: str, halt: asyncio.Event) -> None:
    """Keep one process alive that does the heavy tasks of a service; it ends with this one."""
    command = [sys.executable, "-m", "services.cli", "work", service, "--heavy", "--parent", str(os.getpid())]
    environment = {**os.environ, **_environment(settings)}
    log_file = settings.data / "fangpin.log"
    while not halt.is_set():
        with log_file.open("ab") as stream:
            child = await asyncio.create_subprocess_exec(*command, env=environment, stderr=stream, stdout=stream)
        ended = asyncio.create_task(child.wait())
        halted = asyncio.create_task(halt.wait())
        await asyncio.wait({ended, halted}, return_when=asyncio.FIRST_COMPLETED)
        halted.cancel()
        if ended.done():
            log.warning("up.child_ended", service=service, code=child.returncode)
            await asyncio.sleep(0.5)
            continue
        child.terminate()
        await ended


def _environment(settings: Settings) -> dict[str, str]:
    """What a child must be told to be of the same house."""
    told = {
        "DATA": settings.data,
        "DEMO": settings.demo,
        "DATABASE_URL": settings.database_url,
        "INTAKE_URL": settings.intake_url,
        "MONITORING_URL": settings.monitoring_url,
        "ALERTS_URL": settings.alerts_url,
        "PUBLIC_URL": settings.public_url,
    }
    return {f"FANGPIN_{name}": str(value) for name, value in told.items() if value is not None}


async def _watch(server: EmbeddedServer, halt: asyncio.Event) -> None:
    """Start the embedded server again if it died."""
    while not halt.is_set():
        if not await asyncio.to_thread(server.is_running):
            log.error("up.database_ended")
            try:
                await asyncio.to_thread(server.start)
            except Exception as error:
                log.error("up.database_not_started", error=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(halt.wait(), 1)


async def _until(stop: asyncio.Event, job: Awaitable[None]) -> None:
    """Await `job`, or leave it when the process shall stop."""
    working = asyncio.ensure_future(job)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        working.result()
        return
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


def _say(text: str) -> None:
    typer.echo(text)


def _say_where(settings: Settings) -> None:
    for name, what in (("intake", "数据采集"), ("monitoring", "监测评估"), ("alerts", "预警处置")):
        _say(f"  {what} {name}: {settings.public_url}/{name}/docs")
    _say(
        "获取令牌 token: ./manage token --role county_admin --division 130624000000"
        + (f" --data {settings.data}" if str(settings.data) != ".fangpin" else "")
    )
    _say("按 Ctrl-C 停止 press Ctrl-C to stop")
