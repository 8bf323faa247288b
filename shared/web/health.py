"""Is it alive, is it ready, what does it measure."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.db.heads import head_of
from shared.errors import Unavailable
from shared.logs import log
from shared.runtime import Runtime
from shared.web.metrics import OUTBOX_AGE, OUTBOX_DEAD, OUTBOX_WAITING


class NotReady(Unavailable):
    code, title = "not_ready", "服务尚未就绪"


async def check_ready(runtime: Runtime) -> None:
    """The database answers within a second and is not older than this program; else NotReady."""
    try:
        async with asyncio.timeout(1):
            head = await runtime.pool.fetchval("SELECT version_num FROM alembic_version")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("not_ready", service=runtime.service, error=type(error).__name__, detail=str(error))
        raise NotReady("数据库没有在 1 秒内应答", headers={"Retry-After": "2"}) from None
    if head is None or head < head_of(runtime.service):
        raise NotReady(f"数据库结构版本 {head} 低于程序所需；请先运行 fangpin migrate")


def install_health(app: FastAPI, service: str, measures: Sequence[Callable[[Runtime], Awaitable[None]]] = ()) -> None:
    """Add /livez, /readyz and /metrics; `measures` are taken at each scrape."""
    app.state.measures = (measure_outbox, *measures)

    @app.get("/livez", tags=["operations"], summary="进程是否存活")
    async def livez() -> dict[str, str]:
        return {"status": "alive", "service": service}

    @app.get("/readyz", tags=["operations"], summary="是否可以接收请求")
    async def readyz() -> dict[str, str]:
        await check_ready(app.state.runtime)
        return {"status": "ready", "service": service}

    @app.get("/metrics", tags=["operations"], summary="Prometheus 指标", response_class=Response)
    async def metrics() -> Response:
        await measure_all(app)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def measure_all(app: FastAPI) -> None:
    """Set every gauge of one service."""
    for measure in app.state.measures:
        await measure(app.state.runtime)


async def measure_outbox(runtime: Runtime) -> None:
    row = await runtime.worker_pool.fetchrow(
        """
        SELECT count(*) FILTER (WHERE state = 'due') AS waiting, count(*) FILTER (WHERE state = 'dead') AS dead,
               coalesce(extract(epoch FROM $1 - min(due_at) FILTER (WHERE state = 'due')), 0)::float8 AS age
        FROM outbox_delivery WHERE state <> 'delivered'
        """,
        runtime.clock.now(),
    )
    assert row is not None
    OUTBOX_WAITING.labels(runtime.service).set(row["waiting"])
    OUTBOX_DEAD.labels(runtime.service).set(row["dead"])
    OUTBOX_AGE.labels(runtime.service).set(max(row["age"], 0))
