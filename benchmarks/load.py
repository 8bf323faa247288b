"""A load of HTTP requests that costs little: keep-alive connections, prepared bytes, no client library."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
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
    load = Load()
    started = time.perf_counter()
    host, port = parts.hostname or "", parts.port or 80
    await asyncio.gather(*(_connection(host, port, requests, load) for _ in range(connections)))
    load.seconds = time.perf_counter() - started
    return load


async def _connection(host: str, port: int, requests: Iterator[bytes], load: Load) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for request in requests:
        started = time.perf_counter()
        writer.write(request)
        status = await _answer(reader)
        load.took.append(time.perf_counter() - started)
        load.statuses[status] = load.statuses.get(status, 0) + 1
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    if length:
        await reader.readexactly(length)
    return int(lines[0].split()[1])
