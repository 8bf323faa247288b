"""The one way out: connects only to what the rule allows, at the very address that was looked at.

A name is resolved here, judged, and connected to by that address; were it resolved again by the library, it could be
another one by then. The host in the request and in the certificate stays the name.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import cache

import httpcore
import httpx

from shared.outbound import Outbound

Resolve = Callable[[str, int], Awaitable[list[str]]]


class AddressNotAllowed(httpx.ConnectError):
    """The URL is not listed, or its name stands only for inner addresses that are not allowed."""


async def resolve(host: str, port: int) -> list[str]:
    """The addresses a name stands for, each once, in the order of the system's preference."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as failure:
        raise httpcore.ConnectError(str(failure)) from failure
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def outbound_client(
    rule: Outbound, timeout: httpx.Timeout | None = None, *, most_idle: int = 20
) -> httpx.AsyncClient:
    """A client that asks only what the rule allows, follows nobody elsewhere and knows no proxy."""
    transport = OutboundTransport(rule, most_idle=most_idle)
    return httpx.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False, trust_env=False)


class OutboundTransport(httpx.AsyncHTTPTransport):
    """httpx's transport on connections that the rule allows."""

    def __init__(self, rule: Outbound, resolve: Resolve = resolve, *, most_idle: int = 20) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        self._rule = rule
        # httpx cannot be told how to connect; its pool, which is httpcore's, can.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=max(100, 2 * most_idle),
            max_keepalive_connections=most_idle,
            keepalive_expiry=5,
            network_backend=_Connect(rule, resolve),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        refused = self._rule.refusal(str(request.url))
        if refused is not None:
            raise AddressNotAllowed(refused, request=request)
        return await super().handle_async_request(request)


class _Connect(httpcore.AsyncNetworkBackend):
    def __init__(self, rule: Outbound, resolve: Resolve) -> None:
        self._rule, self._resolve, self._plain = rule, resolve, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  The signature is httpcore's.
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: httpcore.ConnectError | None = None
        for address in await self._allowed(host, port, timeout):
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as failed:
                failure = failed
        assert failure is not None, "there is an address, or it was refused"
        raise failure

    async def _allowed(self, host: str, port: int, patience: float | None) -> list[str]:
        try:
            async with asyncio.timeout(patience):
                addresses = await self._resolve(host, port)
        except TimeoutError as slow:
            raise httpcore.ConnectTimeout("name not resolved in time") from slow
        allowed = [address for address in addresses if self._rule.admits(host, address)]
        if not allowed:
            raise AddressNotAllowed("the name stands for an inner address")
        return allowed


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the authorities' certificates takes longer than a message."""
    return ssl.create_default_context()
