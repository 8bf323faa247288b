"""Tokens: our own (Ed25519) and those of the government's identity platform (OIDC)."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.errors import Unauthorized, Unavailable
from shared.security.access import SCOPES_OF_ROLE, allowed_scopes
from shared.security.principal import Principal
from shared.settings import Settings
from shared.vocabulary.division import parse_division
from shared.vocabulary.identity_number import holds_identity_number
from shared.vocabulary.terms import Role

AUDIENCE = "fangpin"
# PyJWT accepts tokens without expiry or audience unless told that they are required.
_REQUIRED = ["exp", "iat", "aud", "iss", "sub"]
_CACHE_LIMIT = 4096


class TokenRefused(Unauthorized):
    code, title = "token_refused", "令牌无效或已过期"

    def __init__(self, detail: str = "请重新获取令牌后再试") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


class PlatformAway(Unavailable):
    code, title = "identity_platform_unavailable", "身份认证平台暂时不可用"


class TokenIssuer:
    """Signs short tokens for systems, and for people in demo mode."""

    def __init__(self, key: Ed25519PrivateKey, issuer: str) -> None:
        self._key = key
        self._issuer = issuer

    def issue(self, principal: Principal, *, now: datetime, lifetime: timedelta) -> str:
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": principal.subject,
            "iat": now,
            "exp": now + lifetime,
            "kind": principal.kind,
            "division": principal.division,
            "scope": " ".join(sorted(principal.scopes)),
            "role": principal.role,
            "name": principal.name,
            "department": principal.department,
            "officer_no": principal.officer_no,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(present, self._key, algorithm="EdDSA", headers={"kid": "fangpin"})


class TokenVerifier:
    """Tells who a token names, or raises TokenRefused.

    A token found good is remembered until it expires: checking a signature costs more than a database round trip.
    """

    def __init__(self, key: Ed25519PrivateKey, settings: Settings) -> None:
        self._key = key.public_key()
        self._settings = settings
        self._oidc = jwt.PyJWKClient(settings.oidc_jwks_url, timeout=5) if settings.oidc_jwks_url else None
        self._known: dict[str, tuple[float, Principal]] = {}

    async def verify(self, token: str, *, now: datetime) -> Principal:
        known = self._known.get(token)
        if known is not None and known[0] > now.timestamp():
            return known[1]
        # The platform's keys may have to be fetched, which must not stop the event loop.
        claims = await asyncio.to_thread(self._claims, token, now) if self._oidc else self._claims(token, now)
        principal = principal_of(claims)
        self._remember(token, float(claims["exp"]), principal)
        return principal

    def _claims(self, token: str, now: datetime) -> dict[str, Any]:
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
            if self._oidc is not None and issuer == self._settings.oidc_issuer:
                claims = jwt.decode(
                    token,
                    self._oidc.get_signing_key_from_jwt(token).key,
                    algorithms=["RS256", "ES256", "EdDSA"],
                    audience=self._settings.oidc_audience,
                    issuer=issuer,
                    options=_options(),
                )
                # The platform knows people and their posts; what a post may do is ours to say. Systems come to us.
                claims |= {"kind": "person", "scope": _scopes_of_post(claims)}
            else:
                claims = jwt.decode(
                    token,
                    self._key,
                    algorithms=["EdDSA"],
                    audience=AUDIENCE,
                    issuer=self._settings.issuer,
                    options=_options(),
                )
        except jwt.PyJWKClientConnectionError as error:
            raise PlatformAway(headers={"Retry-After": "5"}) from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenRefused from error
        _check_times(claims, now.timestamp())
        return claims

    def _remember(self, token: str, expires: float, principal: Principal) -> None:
        if len(self._known) >= _CACHE_LIMIT:
            self._known.clear()
        self._known[token] = (expires, principal)


def _scopes_of_post(claims: dict[str, Any]) -> str:
    try:
        return " ".join(SCOPES_OF_ROLE[Role(claims["role"])])
    except (KeyError, ValueError, TypeError):
        return ""  # Without a post we know the token is refused, a few lines on.


def _options() -> Any:
    # Times are checked by us, against the clock we were handed.
    return {"require": _REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False}


def _check_times(claims: dict[str, Any], now: float, leeway: float = 30) -> None:
    try:
        # Said so that NaN, which compares false with everything, is refused too.
        good = float(claims["exp"]) > now and float(claims.get("nbf", 0)) <= now + leeway
        good = good and float(claims["iat"]) <= now + leeway
    except (TypeError, ValueError) as error:
        raise TokenRefused from error
    if not good:
        raise TokenRefused("令牌已过期或尚未生效，请重新获取")


def principal_of(claims: dict[str, Any]) -> Principal:
    """The principal that verified claims name; anything missing or strange is refused."""
    try:
        kind = claims.get("kind", "person")
        role = Role(claims["role"]) if claims.get("role") else None
        if kind not in ("person", "system") or (kind == "person" and role is None):
            raise TokenRefused("令牌缺少身份类别或角色")
        division = str(parse_division(str(claims["division"])))
        if any(holds_identity_number(str(claims.get(name, ""))) for name in ("sub", "officer_no", "name")):
            # They stand in clear in every audit row; the platform can be told to send its own number of the person.
            raise TokenRefused("令牌以身份证号标识人员；请在统一身份平台改用平台内部编号")
        asked = frozenset(str(claims.get("scope", "")).split())
    except (KeyError, ValueError) as error:
        raise TokenRefused("令牌缺少角色或行政区划范围") from error
    return Principal(
        subject=str(claims["sub"]),
        kind=kind,
        division=division,
        role=role,
        name=str(claims.get("name", "")),
        scopes=allowed_scopes(kind, role, asked),
        department=_text(claims, "department"),
        officer_no=_text(claims, "officer_no"),
    )


def _text(claims: dict[str, Any], name: str) -> str | None:
    return str(claims[name]) if claims.get(name) else None
