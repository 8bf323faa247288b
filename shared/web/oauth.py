"""POST /oauth2/token: client credentials for systems (RFC 6749 §4.4)."""

import base64
import binascii
import hashlib
import hmac
from datetime import timedelta
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Form, Request
from pydantic import BaseModel

from shared.errors import BadRequest, Unauthorized
from shared.runtime import Runtime
from shared.security.access import allowed_scopes
from shared.security.principal import Principal
from shared.security.tokens import TokenIssuer
from shared.web.dependencies import RuntimeDep
from shared.web.problem import problems


class ClientRefused(Unauthorized):
    code, title = "invalid_client", "客户端编号或密钥不正确"


class GrantRefused(BadRequest):
    code, title = "unsupported_grant_type", "不支持的授权类型"


class TokenAnswer(BaseModel):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme.
    expires_in: int
    scope: str


def hash_secret(client_id: str, secret: str) -> bytes:
    """How a client's secret is kept; secrets are 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(f"{client_id}\x00{secret}".encode()).digest()


router = APIRouter(tags=["access"])


@router.post("/oauth2/token", summary="换取系统令牌（client credentials）", responses=problems(401, 422))
async def issue_token(
    request: Request,
    runtime: RuntimeDep,
    grant_type: Annotated[str, Form(max_length=50, examples=["client_credentials"])],
    client_id: Annotated[str | None, Form(max_length=100)] = None,
    client_secret: Annotated[str | None, Form(max_length=200)] = None,
    scope: Annotated[str | None, Form(max_length=1000)] = None,
) -> TokenAnswer:
    """A short token for a system that proves itself by Basic authentication or by form fields."""
    if grant_type != "client_credentials":
        raise GrantRefused("grant_type 应为 client_credentials")
    name, secret = _basic(request) or (client_id or "", client_secret or "")
    client = await _authenticate(runtime, name, secret)
    return _answer(request.app.state.issuer, runtime, client, scope)


def _basic(request: Request) -> tuple[str, str] | None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise ClientRefused from None
    return name, secret


async def _authenticate(runtime: Runtime, client_id: str, secret: str) -> asyncpg.Record:
    if "\x00" in client_id:
        raise ClientRefused
    client = await runtime.directory_pool.fetchrow(
        "SELECT * FROM oauth_client WHERE client_id = $1 AND active", client_id
    )
    given = hash_secret(client_id, secret)
    known = client["secret_hashes"] if client is not None else [bytes(32)]
    # All are compared, whichever matches, and unknown clients too: the time must not tell them apart.
    matches = [hmac.compare_digest(given, one) for one in known]
    if client is None or True not in matches:
        raise ClientRefused(headers={"WWW-Authenticate": "Basic"})
    return client


def _answer(issuer: TokenIssuer, runtime: Runtime, client: asyncpg.Record, scope: str | None) -> TokenAnswer:
    held = frozenset(client["scopes"])
    scopes = allowed_scopes("system", None, held & frozenset(scope.split()) if scope else held)
    principal = Principal(
        subject=client["client_id"],
        kind="system",
        division=client["division"],
        scopes=scopes,
        name=client["name"],
        department=client["department"],
    )
    lifetime = timedelta(minutes=runtime.settings.token_minutes)
    token = issuer.issue(principal, now=runtime.clock.now(), lifetime=lifetime)
    return TokenAnswer(access_token=token, expires_in=int(lifetime.total_seconds()), scope=" ".join(sorted(scopes)))
