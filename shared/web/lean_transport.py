"""A transport for many small messages to few receivers: HTTP/1.1, one exchange at a time on a kept connection.

It does what `OutboundTransport` does (the same rule, asked at every connection) with a tenth of the work. What a
receiver says is read no further than its reader reads; a connection that was not read to its end is closed.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx

from shared.outbound import Outbound
from shared.web.outbound_transport import AddressNotAllowed, Resolve, addresses_of, resolve, tls

IDLE_SECONDS = 5.0
_HEAD_BYTES = 64 * 1024
_PIECE_BYTES = 16 * 1024
_MOST_RECEIVERS = 1024
_BREAKS = (b"\r", b"\n", b"\0")
Place = tuple[str, str, int]


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    place: Place
    idle_since: float = 0.0

    @property
    def is_usable(self) -> bool:
        """Whether a receiver that closes what is idle has left it open."""
        is_closed = self.reader.at_eof() or self.writer.is_closing()
        return not is_closed and time.monotonic() - self.idle_since < IDLE_SECONDS

    def close(self) -> None:
        self.writer.close()


@dataclass(slots=True)
class LeanTransport(httpx.AsyncBaseTransport):
    """Asks only what the rule allows, follows nobody, knows no proxy; `most_idle` connections are kept."""

    rule: Outbound
    resolve: Resolve = resolve
    most_idle: int = 64
    _idle: dict[Place, list[_Connection]] = field(default_factory=dict)
    _refusals: dict[tuple[str, bytes, bytes], str | None] = field(default_factory=dict)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        refused = self._refusal(request.url)
        if refused is not None:
            raise AddressNotAllowed(refused, request=request)
        patience = request.extensions.get("timeout", {})
        said = _said(request, await request.aread())
        connection = await self._connection(_place(request.url), patience.get("connect"))
        try:
            async with _within(patience.get("write"), httpx.WriteTimeout):
                connection.writer.write(said)
                await connection.writer.drain()
            async with _within(patience.get("read"), httpx.ReadTimeout):
                status, headers = await _head(connection.reader)
        except BaseException as failure:
            connection.close()
            if isinstance(failure, OSError) and not isinstance(failure, TimeoutError):
                raise httpx.ReadError(str(failure), request=request) from failure
            raise
        return httpx.Response(status, headers=headers, stream=_Body(self, connection, status, headers, patience))

    async def aclose(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def keep(self, connection: _Connection) -> None:
        """Take back a connection that was read to its end."""
        connection.idle_since = time.monotonic()
        if sum(map(len, self._idle.values())) < self.most_idle:
            self._idle.setdefault(connection.place, []).append(connection)
        else:
            connection.close()

    def _refusal(self, url: httpx.URL) -> str | None:
        """Why a receiver may not be asked; what the rule looks at is the same for all its messages."""
        asked = (url.scheme, url.userinfo, url.netloc)
        if asked not in self._refusals:
            if len(self._refusals) >= _MOST_RECEIVERS:
                self._refusals.clear()
            self._refusals[asked] = self.rule.refusal(str(url))
        return self._refusals[asked]

    async def _connection(self, place: Place, patience: float | None) -> _Connection:
        idle = self._idle.get(place, [])
        while idle:
            if (connection := idle.pop()).is_usable:
                return connection
            connection.close()
        return await self._connected(place, patience)

    async def _connected(self, place: Place, patience: float | None) -> _Connection:
        scheme, host, port = place
        try:
            addresses = await addresses_of(self.rule, self.resolve, host, port, patience)
        except httpcore.ConnectTimeout as slow:
            raise httpx.ConnectTimeout(str(slow)) from slow
        except httpcore.ConnectError as failed:
            raise httpx.ConnectError(str(failed)) from failed
        secure: dict[str, Any] = {"ssl": tls(), "server_hostname": host} if scheme == "https" else {}
        failure: Exception | None = None
        for address in addresses:
            try:
                async with _within(patience, httpx.ConnectTimeout):
                    opened = await asyncio.open_connection(address, port, limit=_HEAD_BYTES, **secure)
                return _Connection(*opened, place)
            except (OSError, ssl.SSLError) as failed:
                failure = failed
        raise httpx.ConnectError(str(failure)) from failure


class _Body(httpx.AsyncByteStream):
    """What follows the head; read to its end, the connection is used again."""

    def __init__(
        self,
        transport: LeanTransport,
        connection: _Connection,
        status: int,
        headers: list[tuple[bytes, bytes]],
        patience: dict[str, float | None],
    ) -> None:
        self._transport, self._connection, self._patience = transport, connection, patience
        told = dict(headers)
        self._is_chunked = b"chunked" in told.get(b"transfer-encoding", b"").lower()
        self._left = _length(status, told)
        self._keeps = b"close" not in told.get(b"connection", b"").lower()
        self._is_done = self._left == 0 and not self._is_chunked

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._is_done:
            return
        try:
            async for piece in self._chunks() if self._is_chunked else self._pieces():
                yield piece
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as failure:
            if isinstance(failure, TimeoutError):
                raise
            raise httpx.RemoteProtocolError(type(failure).__name__) from failure

    async def aclose(self) -> None:
        if self._is_done and self._keeps:
            self._transport.keep(self._connection)
        else:
            self._connection.close()
        self._is_done = self._keeps = False

    async def _pieces(self) -> AsyncIterator[bytes]:
        while self._left is None or self._left > 0:
            most = _PIECE_BYTES if self._left is None else min(self._left, _PIECE_BYTES)
            async with _within(self._patience.get("read"), httpx.ReadTimeout):
                piece = await self._connection.reader.read(most)
            if not piece:
                if self._left is not None:
                    raise httpx.RemoteProtocolError("answer ended early")
                return
            if self._left is not None:
                self._left -= len(piece)
            yield piece
        self._is_done = True

    async def _chunks(self) -> AsyncIterator[bytes]:
        reader = self._connection.reader
        while True:
            async with _within(self._patience.get("read"), httpx.ReadTimeout):
                left = int((await reader.readuntil(b"\r\n")).partition(b";")[0].strip(), 16)
            if left == 0:
                break
            while left > 0:
                async with _within(self._patience.get("read"), httpx.ReadTimeout):
                    piece = await reader.read(min(left, _PIECE_BYTES))
                if not piece:
                    raise httpx.RemoteProtocolError("answer ended early")
                left -= len(piece)
                yield piece
            async with _within(self._patience.get("read"), httpx.ReadTimeout):
                await reader.readexactly(2)
        async with _within(self._patience.get("read"), httpx.ReadTimeout):
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass
        self._is_done = True


@contextlib.asynccontextmanager
async def _within(seconds: float | None, failure: type[httpx.TimeoutException]) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as slow:
        raise failure("") from slow


def _place(url: httpx.URL) -> Place:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _said(request: httpx.Request, body: bytes) -> bytes:
    """The request as it goes over the wire."""
    lines = [f"{request.method} ".encode() + request.url.raw_path + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in request.headers.raw]
    if any(mark in line for line in lines for mark in _BREAKS):
        raise httpx.LocalProtocolError("a line break in a header")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def _head(reader: asyncio.StreamReader) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Status and headers of the answer; what only announces it (1xx) is passed over."""
    status = 100
    while 100 <= status < 200:
        try:
            first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        except asyncio.IncompleteReadError as ended:
            raise httpx.RemoteProtocolError("closed without an answer") from ended
        except asyncio.LimitOverrunError as long:
            raise httpx.RemoteProtocolError("head of the answer too long") from long
        version, _, rest = first.partition(b" ")
        if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
            raise httpx.RemoteProtocolError("answer is not HTTP/1.1")
        status = int(rest[:3])
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    if version == b"HTTP/1.0":
        headers.append((b"connection", b"close"))
    return status, headers


def _length(status: int, told: dict[bytes, bytes]) -> int | None:
    """How long the body is; None: until the receiver closes."""
    if status in {204, 304}:
        return 0
    length = told.get(b"content-length")
    if length is None:
        return None
    if not length.isdigit():
        raise httpx.RemoteProtocolError("content-length is no number")
    return int(length)
