"""A department's interface on loopback, answering over real HTTP as the test tells it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What is sent back: a status line and a body, or (`body` null) the connection hangs."""

    body: bytes | None
    status: str = "200 OK"
    headers: str = ""


def page(rows: list[Any], **more: Any) -> Answer:
    return Answer(json.dumps({"data": {"list": rows}, **more}, ensure_ascii=False).encode())


@dataclass
class Interface:
    """Answers each request by `answer`; keeps what was asked."""

    answer: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/settlements"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            query = dict(parse_qsl(urlsplit(head[0].split()[1]).query))
            asked = Asked(query, {name.lower(): value for name, value in headers.items()})
            self.asked.append(asked)
            answer = self.answer(asked)
            if answer.body is None:
                await asyncio.sleep(3600)
                return
            writer.write(
                f"HTTP/1.1 {answer.status}\r\ncontent-length: {len(answer.body)}\r\n{answer.headers}"
                "connection: close\r\n\r\n".encode()
                + answer.body
            )
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def interface(answer: Callable[[Asked], Answer]) -> AsyncIterator[Interface]:
    one, tasks = Interface(answer), set[asyncio.Task[None]]()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(one.handle(reader, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        for task in tasks:
            task.cancel()
