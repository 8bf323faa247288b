"""Signing dialects of departments' interfaces (签名方式): one module each, one way to ask for them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from services.intake.dialects import bearer, exchange_hmac, gateway_hmac
from services.intake.domain.connector import Dialect


class Sign(Protocol):
    """Makes the headers that prove who asks; `at_ms` is the moment in milliseconds, `nonce` is used once."""

    def __call__(self, *, client_id: str, secret: str, at_ms: int, nonce: str) -> dict[str, str]: ...


SIGN: Mapping[Dialect, Sign] = MappingProxyType(
    {
        Dialect.BEARER: bearer.sign,
        Dialect.GATEWAY_HMAC: gateway_hmac.sign,
        Dialect.EXCHANGE_HMAC: exchange_hmac.sign,
    }
)
