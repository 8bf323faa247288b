"""The factory all services' app factories call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from shared.runtime import Runtime
from shared.security.tokens import TokenIssuer, TokenVerifier
from shared.settings import Settings
from shared.web import oauth
from shared.web.events import MESSAGE_LIMIT_BYTES
from shared.web.health import install_health
from shared.web.middleware import Around
from shared.web.problem import install_problem_handlers

RuntimeFactory = Callable[[], AbstractAsyncContextManager[Runtime]]


def build_app(
    service: str,
    *,
    title: str,
    settings: Settings,
    runtime_factory: RuntimeFactory,
    routers: Sequence[APIRouter],
    body_limits: Mapping[str, int] | None = None,
    in_front: Sequence[Callable[[ASGIApp], ASGIApp]] = (),
    measures: Sequence[Callable[[Runtime], Awaitable[None]]] = (),
    beside: Sequence[Callable[[Runtime], Awaitable[None]]] = (),
) -> FastAPI:
    """One service's app: its routers under the shared edge.

    `body_limits`: bytes by path prefix. `in_front`: layers between the edge and the routers, innermost first.
    `measures` set gauges at a scrape; `beside` runs as long as the app does.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with runtime_factory() as runtime:
            app.state.runtime = runtime
            app.state.issuer = TokenIssuer(runtime.keys.token_key, settings.issuer)
            app.state.verifier = TokenVerifier(runtime.keys.token_key, settings)
            tasks = [asyncio.create_task(_run_beside(run, runtime)) for run in beside]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    app = FastAPI(
        title=title,
        version="1",
        lifespan=lifespan,
        openapi_url=f"/{service}/openapi.json",
        docs_url=f"/{service}/docs" if settings.demo else None,
        redoc_url=None,
    )
    limits = {f"/{service}/v1/events": MESSAGE_LIMIT_BYTES, **(body_limits or {})}
    install_problem_handlers(app)
    install_health(app, service, measures)
    for router in (oauth.router, *routers):
        app.include_router(router)
    for layer in in_front:
        app.add_middleware(layer)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.cors_origins, allow_methods=["GET"], allow_headers=["*"]
        )
    app.add_middleware(Around, service=service, body_limit=settings.body_limit_bytes, body_limits=limits)
    return app


async def _run_beside(run: Callable[[Runtime], Awaitable[None]], runtime: Runtime) -> None:
    await run(runtime)
