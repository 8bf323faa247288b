"""The factory all services' app factories call."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
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
) -> FastAPI:
    """One service's app: its routers under the shared edge.

    `body_limits`: bytes by path prefix. `in_front`: layers between the edge and the routers, innermost first.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with runtime_factory() as runtime:
            app.state.runtime = runtime
            app.state.issuer = TokenIssuer(runtime.keys.token_key, settings.issuer)
            app.state.verifier = TokenVerifier(runtime.keys.token_key, settings)
            yield

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
    install_health(app, service)
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
