"""The lean transport against real receivers on loopback: what it keeps, what it reads, what it refuses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network

import httpx
import pytest

from shared.outbound import Outbound
from shared.web.lean_transport import LeanTransport
from shared.web.outbound_transport import AddressNotAllowed

RULE = Outbound(["127.0.0.1:*", "inner.example:*"], plain=True)
PATIENCE = {"timeout": {"connect": 1.0, "read": 0.3, "write": 1.0, "pool": None}}
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def receiver(*answers: bytes, closes: bool = False) -> AsyncIterator[tuple[str, list[bytes], list[int]]]:
    """Answers each request with the next of `answers`, the last for ever; url, requests, connections."""
    said, heads, opened = list(answers), list[bytes](), list[int]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(1)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                heads.append(head + await reader.readexactly(length))
                writer.write(said.pop(0) if len(said) > 1 else said[0])
                await writer.drain()
                if closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?key=1", heads, opened
    finally:
        server.close()


def answer(body: bytes = b"", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def post(transport: LeanTransport, url: str, **headers: str) -> tuple[int, bytes]:
    sent = httpx.Request("POST", url, content=b"hello", headers=headers, extensions=PATIENCE)
    answered = await transport.handle_async_request(sent)
    try:
        return answered.status_code, await answered.aread()
    finally:
        await answered.aclose()


async def test_one_connection_serves_many_messages() -> None:
    async with receiver(answer(b"ok"), answer(b"")) as (url, heads, opened), LeanTransport(RULE) as transport:
        assert [await post(transport, url) for _ in range(3)] == [(200, b"ok"), (200, b""), (200, b"")]
        assert (len(heads), len(opened)) == (3, 1)
        assert heads[0].startswith(b"POST /hook?key=1 HTTP/1.1\r\nHost: 127.0.0.1:")
        assert heads[0].endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nt: 1\r\n\r\n", b"abc"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + answer(b"late"), b"late"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
async def test_bodies_that_end_by_themselves_leave_the_connection_open(said: bytes, body: bytes) -> None:
    async with receiver(said) as (url, _, opened), LeanTransport(RULE) as transport:
        assert [(await post(transport, url))[1] for _ in range(2)] == [body, body]
        assert len(opened) == 1


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"HTTP/1.0 200 OK\r\ncontent-length: 13\r\n\r\nuntil the end"]
)
async def test_a_body_that_ends_with_the_connection(said: bytes) -> None:
    async with receiver(said, closes=True) as (url, _, opened), LeanTransport(RULE) as transport:
        assert [await post(transport, url) for _ in range(2)] == [(200, b"until the end")] * 2
        assert len(opened) == 2


async def test_an_answer_that_was_not_read_closes_the_connection() -> None:
    async with receiver(answer(b"x" * 100_000)) as (url, _, opened), LeanTransport(RULE) as transport:
        for _ in range(2):
            sent = httpx.Request("POST", url, content=b"", extensions=PATIENCE)
            await (await transport.handle_async_request(sent)).aclose()
        assert len(opened) == 2


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (b"SSH-2.0-x\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", httpx.ReadTimeout),
        (b"HTTP/1.1 200", httpx.ReadTimeout),
    ],
)
async def test_what_is_no_answer_fails_by_name(said: bytes, failure: type[Exception]) -> None:
    async with receiver(said) as (url, _, _), LeanTransport(RULE) as transport:
        with pytest.raises(failure):
            await post(transport, url)


async def test_a_receiver_that_closes_early_or_is_not_there() -> None:
    short = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab"
    async with receiver(short, closes=True) as (url, _, _), LeanTransport(RULE) as transport:
        with pytest.raises(httpx.RemoteProtocolError):
            await post(transport, url)
    async with LeanTransport(RULE) as transport:
        with pytest.raises(httpx.ConnectError):
            await post(transport, url)


async def test_a_connection_that_the_receiver_closed_meanwhile_is_not_used_again() -> None:
    async with receiver(answer(b"ok"), closes=True) as (url, _, opened), LeanTransport(RULE) as transport:
        for _ in range(2):
            assert await post(transport, url) == (200, b"ok")
            await asyncio.sleep(0.05)
        assert len(opened) == 2


async def test_the_rule_is_asked_of_the_url_and_of_the_address() -> None:
    async def inner(host: str, port: int) -> list[str]:
        return ["10.0.0.1"]

    async with LeanTransport(RULE, inner) as transport:
        for url in ("http://elsewhere.example/", "http://user@127.0.0.1/", "http://inner.example:81/"):
            with pytest.raises(AddressNotAllowed):
                await post(transport, url)
    reached = Outbound(["inner.example:*"], [ip_network("127.0.0.0/8")], plain=True)

    async def loopback(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with receiver(answer(b"ok")) as (url, heads, _), LeanTransport(reached, loopback) as transport:
        assert await post(transport, url.replace("127.0.0.1", "inner.example")) == (200, b"ok")
        assert b"Host: inner.example:" in heads[0]


async def test_a_header_cannot_bring_another() -> None:
    async with receiver(answer()) as (url, heads, _), LeanTransport(RULE) as transport:
        with pytest.raises(httpx.LocalProtocolError):
            await post(transport, url, x="a\r\ny: b")
        assert heads == []
