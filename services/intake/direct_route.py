"""The route of the hot path: described by its signature like any other, but called without FastAPI's dependencies.

Solving dependencies was a quarter of what accepting a self-report cost.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import ValidationError

from services.intake.schemas import SelfReportCreate
from shared.security.principal import Principal
from shared.security.tokens import TokenRefused
from shared.web.dependencies import ScopeMissing
from shared.web.routing import StrictRoute

Endpoint = Callable[[SelfReportCreate, Request, Principal], Awaitable[Response]]

SCOPE = "intake:reports:write"


class _Direct(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            caller = await _caller(request)
            return await endpoint(_body(await request.json()), request, caller)

        return handle


class DirectRoute(StrictRoute, _Direct):
    """StrictRoute's checks of the request come first; then the endpoint takes body, request and caller."""


async def _caller(request: Request) -> Principal:
    """The caller, who must hold the scope; the same answers as `shared.web.dependencies.require`."""
    scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
    if scheme.lower() != "bearer":
        raise TokenRefused("请在 Authorization 头中提供令牌：Bearer <token>")
    state = request.app.state
    caller: Principal = await state.verifier.verify(token, now=state.runtime.clock.now())
    if SCOPE not in caller.scopes:
        raise ScopeMissing(f"此操作需要权限 {SCOPE}")
    return caller


def _body(value: Any) -> SelfReportCreate:
    try:
        return SelfReportCreate.model_validate(value)
    except ValidationError as error:
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]) from None
