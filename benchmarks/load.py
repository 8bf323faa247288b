"""A load of HTTP requests that costs little: keep-alive connections, prepared bytes, no client library."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit


@dataclass
class Load:
    """What came back: requests answered, by status, and how long each took (seconds)."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.took) / self.seconds

    def quantile(self, share: float) -> float:
        ordered = sorted(self.took)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def request_bytes(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    """One POST as it goes over the wire."""
    parts = urlsplit(url)
    lines = [
        f"POST {parts.path} HTTP/1.1",
        f"host: {parts.netloc}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def send(url: str, requests: Iterator[bytes], connections: int) -> Load:
    """Send all requests over that many connections, each waiting for its answer before its next request."""
    parts = urlsplit(url)
    load, loop = Load(), asyncio.get_running_loop()
    started = time.perf_counter()
    opened = [
        await loop.create_connection(lambda: _Connection(requests, load), parts.hostname, parts.port or 80)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.finished for _, connection in opened))
    load.seconds = time.perf_counter() - started
    return load


class _Connection(asyncio.Protocol):
    """One connection, without streams: what the sender costs would be measured as the server's."""

    def __init__(self, requests: Iterator[bytes], load: Load) -> None:
        self._requests, self._load = requests, load
        self._read = bytearray()
        self._length = 0
        self._started = 0.0
        self.finished = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._length and (end := self._read.find(b"\r\n\r\n")) > 0:
            self._length = end + 4 + _body_length(self._read[:end])
        if self._length and len(self._read) >= self._length:
            self._load.took.append(time.perf_counter() - self._started)
            status = int(self._read[9:12])
            self._load.statuses[status] = self._load.statuses.get(status, 0) + 1
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(error or ConnectionError("closed by the server before all was answered"))

    def _ask(self) -> None:
        self._read.clear()
        self._length = 0
        request = next(self._requests, None)
        if request is None:
            self.finished.set_result(None)
            self._transport.close()
            return
        self._started = time.perf_counter()
        self._transport.write(request)


def _body_length(head: bytearray) -> int:
    lines = bytes(head).lower().split(b"\r\n")
    return next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
