"""The whole house on one port: the three apps side by side, peers reached inside the process.

A service's code is imported when it is built: to import all three takes seconds and memory, which a process that runs
one service's worker shall not pay at every start.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import cast

import httpx
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Receive, Scope, Send

from services.alerts.settings import AlertsSettings
from services.intake.settings import IntakeSettings
from services.monitoring.settings import MonitoringSettings
from shared.clock import Clock
from shared.settings import Settings
from shared.web.health import check_ready, measure_all
from shared.web.problem import install_problem_handlers
from shared.worker import Worker

SERVICES: Mapping[str, type[Settings]] = {
    "intake": IntakeSettings,
    "monitoring": MonitoringSettings,
    "alerts": AlertsSettings,
}


def create_service(
    service: str,
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
) -> FastAPI:
    """The app of one service, from common settings and its own environment."""
    create = import_module(f"services.{service}.app").create_app
    return cast(FastAPI, create(_own(service, settings), transport=transport, clock=clock))


def create_worker(
    service: str,
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock | None = None,
) -> Worker:
    """The worker of one service."""
    build = import_module(f"services.{service}.worker").build_worker
    return cast(Worker, build(_own(service, settings), transport=transport, clock=clock))


def _own(service: str, settings: Settings) -> Settings:
    """A service's own settings: what it reads from the environment, under what the command line decided."""
    return SERVICES[service](**settings.model_dump(exclude_unset=True))


class AllInOne:
    """An ASGI app that hands each request to the service named by the first part of its path.

    The apps are not mounted: a mounted app would see its path cut, and its lifespan would not be run.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.transport = httpx.ASGITransport(app=self)
        self._clock = clock
        self.apps: dict[str, FastAPI] = {
            name: create_service(name, settings, transport=self.transport, clock=clock) for name in SERVICES
        }
        self._entrance = _entrance(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app_for(scope)(scope, receive, send)

    def _app_for(self, scope: Scope) -> ASGIApp:
        first = scope["path"].split("/", 2)[1] if scope["type"] == "http" else ""
        if first == "oauth2":
            return self.apps["intake"]
        return self.apps.get(first, self._entrance)

    def workers(self) -> Sequence[Worker]:
        """The workers of all services; they speak to their peers inside this process."""
        return [create_worker(name, self.settings, transport=self.transport, clock=self._clock) for name in SERVICES]


def _entrance(house: AllInOne) -> FastAPI:
    """What belongs to no single service: life, readiness, measures, and a page that says where things are."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for app in house.apps.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    app = FastAPI(title="fangpin 防贫", lifespan=lifespan, openapi_url=None)
    install_problem_handlers(app)

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "alive", "service": "all"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        for child in house.apps.values():
            await check_ready(child.state.runtime)
        return {"status": "ready", "service": "all"}

    @app.get("/metrics")
    async def metrics() -> Response:
        for child in house.apps.values():
            await measure_all(child)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/")
    async def where() -> PlainTextResponse:
        lines = [f"{house.settings.public_url}/{name}/openapi.json" for name in SERVICES]
        return PlainTextResponse("防贫 fangpin\n" + "\n".join(lines) + "\n")

    return app
