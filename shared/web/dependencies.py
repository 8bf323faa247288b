"""What endpoints ask for: the caller, the running service, a transaction that sees the caller's rows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

import asyncpg
from fastapi import BackgroundTasks, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.db.scope import scoped
from shared.errors import Forbidden
from shared.runtime import Runtime
from shared.security.principal import Principal
from shared.security.tokens import TokenRefused, TokenVerifier
from shared.web.middleware import RequestContext

Wake = Callable[..., None]

_bearer = HTTPBearer(
    auto_error=False, scheme_name="token", description="系统令牌（POST /oauth2/token）或干部登录令牌"
)


class ScopeMissing(Forbidden):
    code, title = "scope_missing", "没有执行此操作的权限"


# All are coroutines: a plain function as a dependency costs a hop to a thread and back, on every request.
async def runtime_of(request: Request) -> Runtime:
    running: Runtime = request.app.state.runtime
    return running


async def context_of(request: Request) -> RequestContext:
    context: RequestContext = request.state.context
    return context


RuntimeDep = Annotated[Runtime, Depends(runtime_of)]
ContextDep = Annotated[RequestContext, Depends(context_of)]


async def _caller(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    if given is None:
        raise TokenRefused("请在 Authorization 头中提供令牌：Bearer <token>")
    verifier: TokenVerifier = request.app.state.verifier
    return await verifier.verify(given.credentials, now=request.app.state.runtime.clock.now())


Caller = Annotated[Principal, Depends(_caller)]


def require(*scopes: str) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency: the caller, who must hold one of the `scopes`."""

    async def allowed(caller: Caller) -> Principal:
        if caller.scopes.isdisjoint(scopes):
            raise ScopeMissing(f"此操作需要权限 {' 或 '.join(scopes)}")
        return caller

    return allowed


async def _connection(runtime: RuntimeDep, caller: Caller) -> AsyncIterator[asyncpg.Connection]:
    async with scoped(runtime.pool, caller.division, officer_no=caller.officer_no) as connection:
        yield connection


async def _after_commit(runtime: RuntimeDep, background: BackgroundTasks) -> Wake:
    async def wake(*names: str) -> None:
        runtime.waker.wake(*names)

    return lambda *names: background.add_task(wake, *names)


# Wakes queues once the answer is out, and so the transaction committed: a worker woken earlier would find nothing.
WakeDep = Annotated[Wake, Depends(_after_commit)]

# scope="function": the transaction commits before the answer leaves, so that what is acknowledged is durable.
ScopedConnection = Annotated[asyncpg.Connection, Depends(_connection, scope="function")]
