"""Intake of the small house behind its edge: messages, subscriptions, tokens, health, and two routes of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.contracts.envelope import Event
from shared.contracts.progress import ALERTS_PROGRESS, MONITORING_PROGRESS, Progress
from shared.runtime import Runtime
from shared.security.access import SCOPES, SCOPES_OF_ROLE
from shared.security.principal import Principal
from shared.settings import Settings
from shared.vocabulary.terms import Role
from shared.web.app import build_app
from shared.web.dependencies import ScopedConnection, ScopedSession
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
    handled: list[Event]

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

    @router.get("/intake/v1/session-places")
    async def session_places(session: ScopedSession) -> list[str]:
        return list(await session.scalars(text("SELECT division FROM place ORDER BY 1")))

    @router.post("/intake/v1/places/{division}")
    async def add(division: str, connection: ScopedConnection) -> str:
        await connection.execute("INSERT INTO place VALUES ($1, $2)", int(division[-6:]), division)
        return division

    return router


@pytest.fixture
async def edge(open_small: Open, small_settings: Settings) -> AsyncIterator[Edge]:
    handled: list[Event] = []

    async def handle(connection: asyncpg.Connection, event: Event, runtime: Runtime) -> list[str]:
        Progress.model_validate(event.data)
        await connection.execute("INSERT INTO job (job_id) VALUES ($1)", len(handled) + 1)
        handled.append(event)
        return ["relay"]

    app = build_app(
        "intake",
        title="small",
        settings=small_settings,
        runtime_factory=lambda: open_small("intake"),
        routers=[
            events_router("intake", {MONITORING_PROGRESS: handle, ALERTS_PROGRESS: handle}),
            subscriptions_router("intake"),
            _places(),
        ],
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://intake.test") as http:
            yield Edge(app.state.runtime, app, http, handled)
