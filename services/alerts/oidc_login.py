"""Log in by the government's identity platform (OIDC authorization code flow with PKCE, RFC 7636)."""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt

from services.alerts.phone_token import BASE
from services.alerts.settings import AlertsSettings
from shared.errors import NotFound, Unauthorized
from shared.outbound import Outbound
from shared.runtime import Runtime
from shared.security.tokens import PlatformAway
from shared.settings import Settings
from shared.vocabulary.identity_number import holds_identity_number
from shared.web.outbound_transport import outbound_client

LOGIN_COOKIE = "fangpin_login"
_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_TIMEOUT = httpx.Timeout(10, connect=3)
_LEEWAY_SECONDS = 30
_TOKEN = re.compile(r"[A-Za-z0-9_-]*")


class LoginNotOffered(NotFound):
    code, title = "login_not_offered", "本系统没有接入统一身份认证登录"


class LoginRefused(Unauthorized):
    code, title = "login_refused", "统一身份认证登录没有成功，请重试"


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the officer is sent, and what his phone keeps meanwhile."""

    address: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Login:
    """Who came back from the platform, and by which message's link he had come."""

    officer_no: str
    token: str


def is_configured(settings: Settings) -> bool:
    """Whether the platform's login is offered."""
    return isinstance(settings, AlertsSettings) and bool(settings.oidc_client_id)


def begin_login(settings: Settings, *, token: str) -> Begun:
    """Send the officer to the platform; state, nonce, verifier and what our link says stay with his phone."""
    own = _own(settings)
    # A cookie holds no other signs, and no link of ours has them.
    token = token if _TOKEN.fullmatch(token) else ""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    asked = {
        "response_type": "code",
        "client_id": own.oidc_client_id,
        "redirect_uri": _return_address(own),
        "scope": "openid profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    return Begun(f"{own.oidc_authorize_url}?{urlencode(asked)}", "~".join((state, nonce, verifier, token)))


async def finish_login(runtime: Runtime, *, code: str, state: str, cookie: str | None) -> Login:
    """Exchange the code and read who it is; LoginRefused whatever is wrong, PlatformAway if nobody answers."""
    own = _own(runtime.settings)
    kept = (cookie or "").split("~")
    if len(kept) != 4 or not code or not hmac.compare_digest(kept[0].encode(), state.encode()):
        raise LoginRefused
    _, nonce, verifier, token = kept
    id_token = await _exchange(own, code, verifier)
    claims = await asyncio.to_thread(_claims, own, id_token, nonce, runtime.clock.now().timestamp())
    officer_no = str(claims.get("officer_no") or "")
    if not officer_no or holds_identity_number(officer_no) or "\x00" in officer_no:
        raise LoginRefused("统一身份认证没有给出干部工号，请联系县级管理员")
    return Login(officer_no, token)


def _own(settings: Settings) -> AlertsSettings:
    if not isinstance(settings, AlertsSettings) or not is_configured(settings):
        raise LoginNotOffered
    return settings


def _return_address(settings: AlertsSettings) -> str:
    return f"{settings.public_url}{BASE}/login/return"


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def _exchange(settings: AlertsSettings, code: str, verifier: str) -> str:
    assert settings.oidc_client_id
    assert settings.oidc_client_secret
    assert settings.oidc_token_url
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _return_address(settings),
        "code_verifier": verifier,
    }
    proof = httpx.BasicAuth(settings.oidc_client_id, settings.oidc_client_secret.get_secret_value())
    try:
        async with outbound_client(_platform(settings.oidc_token_url), _TIMEOUT) as http:
            answer = await http.post(settings.oidc_token_url, data=form, auth=proof)
        body = answer.json() if answer.status_code == 200 else {}
    except httpx.HTTPError as error:
        raise PlatformAway(headers={"Retry-After": "5"}) from error
    except ValueError as error:
        raise LoginRefused from error
    if not isinstance(body, dict) or not isinstance(body.get("id_token"), str):
        raise LoginRefused
    found: str = body["id_token"]
    return found


def _platform(address: str) -> Outbound:
    """The operator named the platform in the settings: it and nothing else, wherever it lies."""
    parts = urlsplit(address)
    return Outbound([f"{parts.hostname}:*"], _ANYWHERE, plain=parts.scheme == "http")


@lru_cache(maxsize=4)
def _keys_of(address: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(address, timeout=5)


def _claims(settings: AlertsSettings, id_token: str, nonce: str, now: float) -> dict[str, Any]:
    assert settings.oidc_jwks_url
    try:
        claims: dict[str, Any] = jwt.decode(
            id_token,
            _keys_of(settings.oidc_jwks_url).get_signing_key_from_jwt(id_token).key,
            algorithms=["RS256", "ES256", "EdDSA"],
            audience=settings.oidc_client_id,
            issuer=settings.oidc_issuer,
            # Times are checked by us, against the clock we were handed.
            options={
                "require": ["exp", "iat", "aud", "iss", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        in_time = now < float(claims["exp"]) and float(claims["iat"]) <= now + _LEEWAY_SECONDS
    except jwt.PyJWKClientConnectionError as error:
        raise PlatformAway(headers={"Retry-After": "5"}) from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise LoginRefused from error
    if not in_time or not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise LoginRefused
    return claims
