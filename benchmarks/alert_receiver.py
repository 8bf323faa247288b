"""A receiver of messages in a process of its own: it takes them, refuses them, or hangs, as it is told."""

import asyncio
import multiprocessing
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal, cast

import uvloop

Mode = Literal["ok", "500", "hang"]
_ANSWERS = {
    "ok": b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "500": b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
}


@dataclass
class Seen:
    """How often each message was taken, how many requests were refused or left hanging, when the last one came."""

    taken: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    last_at: float = 0.0


class Receiver:
    """A handle on the process; times are of the machine's monotonic clock, which processes share."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{self._pipe.recv()}/hook"

    def be(self, mode: Mode) -> None:
        self._pipe.send(mode)
        self._pipe.recv()

    def seen(self) -> Seen:
        self._pipe.send("seen")
        return cast(Seen, self._pipe.recv())

    def taken(self) -> int:
        """How many different messages have come."""
        self._pipe.send("count")
        return int(self._pipe.recv())

    def close(self) -> None:
        self._process.terminate()
        self._process.join()


def _serve(pipe: Connection) -> None:
    uvloop.run(_receive(pipe))


async def _receive(pipe: Connection) -> None:
    seen, told = Seen(), {"mode": "ok"}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Door(seen, told), "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    while True:
        said = await loop.run_in_executor(None, pipe.recv)
        if said == "seen":
            pipe.send(seen)
        elif said == "count":
            pipe.send(len(seen.taken))
        else:
            told["mode"] = said
            pipe.send(True)


class _Door(asyncio.Protocol):
    def __init__(self, seen: Seen, told: dict[str, str]) -> None:
        self._seen, self._told, self._read = seen, told, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) > 0:
            head = bytes(self._read[:end]).lower()
            length = end + 4 + int(_header(head, b"content-length") or 0)
            if len(self._read) < length:
                return
            del self._read[:length]
            self._answer((_header(head, b"webhook-id") or b"").decode())

    def _answer(self, message_id: str) -> None:
        mode, self._seen.last_at = self._told["mode"], time.monotonic()
        if mode == "ok":
            self._seen.taken[message_id] += 1
        else:
            self._seen.rejected += 1
        if mode in _ANSWERS:
            self._transport.write(_ANSWERS[mode])


def _header(head: bytes, name: bytes) -> bytes | None:
    found = (line.partition(b":")[2].strip() for line in head.split(b"\r\n") if line.startswith(name + b":"))
    return next(found, None)
