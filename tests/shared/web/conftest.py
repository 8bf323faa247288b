"""Services of the small house behind their edges: intake with routes of its own, and whoever takes subscriptions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI

from shared.contracts.envelope import Event
from shared.contracts.progress import ALERTS_PROGRESS, MONITORING_PROGRESS, Progress
from shared.runtime import Runtime
from shared.security.access import SCOPES, SCOPES_OF_ROLE
from shared.security.principal import Principal
from shared.settings import Settings
from shared.vocabulary.terms import Role
from shared.web.app import build_app
from shared.web.dependencies import ScopedConnection
from shared.web.events import events_router
from shared.web.routing import Router
from shared.web.subscriptions import subscriptions_router
from tests.shared.conftest import Open


@dataclass
class Edge:
    """The running service, HTTP to it, and who may call it."""

    runtime: Runtime
    app: FastAPI
    http: httpx.AsyncClient
    handled: list[Event] = field(default_factory=list)

    def bearer(self, role: str | None = None, division: str = "130624000000", **changed: Any) -> dict[str, str]:
        scopes = SCOPES_OF_ROLE[Role(role)] if role else frozenset(SCOPES)
        principal = Principal(
            changed.pop("subject", "tester"),
            "person" if role else "system",
            division,
            scopes,
            Role(role) if role else None,
            **changed,
        )
        token = self.app.state.issuer.issue(principal, now=self.runtime.clock.now(), lifetime=timedelta(minutes=5))
        return {"Authorization": f"Bearer {token}"}


def _places() -> Any:
    router = Router()

    @router.get("/intake/v1/places")
    async def places(connection: ScopedConnection) -> list[str]:
        return [row["division"] for row in await connection.fetch("SELECT division FROM place ORDER BY 1")]

    @router.post("/intake/v1/places/{division}")
    async def add(division: str, connection: ScopedConnection) -> str:
        await connection.execute("INSERT INTO place VALUES ($1, $2)", int(division[-6:]), division)
        return division

    return router


@asynccontextmanager
async def open_edge(service: str, open_small: Open, settings: Settings, *routers: APIRouter) -> AsyncIterator[Edge]:
    """A service of the small house that serves these routers."""
    app = build_app(
        service, title="small", settings=settings, runtime_factory=lambda: open_small(service), routers=routers
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{service}.test") as http:
            yield Edge(app.state.runtime, app, http)


@pytest.fixture
async def edge(open_small: Open, small_settings: Settings) -> AsyncIterator[Edge]:
    """Intake, which takes in messages of progress and keeps them in `handled`."""
    handled: list[Event] = []

    async def handle(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> list[str]:
        Progress.model_validate(event.data)
        await connection.execute("INSERT INTO job (job_id) VALUES ($1)", len(handled) + 1)
        handled.append(event)
        return ["relay"]

    events = events_router("intake", {MONITORING_PROGRESS: handle, ALERTS_PROGRESS: handle})
    async with open_edge("intake", open_small, small_settings, events, _places()) as opened:
        opened.handled = handled
        yield opened


@pytest.fixture
async def monitoring(open_small: Open, small_settings: Settings) -> AsyncIterator[Edge]:
    """Monitoring, to which systems outside may subscribe."""
    router = subscriptions_router("monitoring")
    async with open_edge("monitoring", open_small, small_settings, router) as opened:
        yield opened
