"""Real receivers on loopback: HTTP that answers as told, SMTP that takes or refuses."""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def signature(self, secret: bytes) -> str:
        signed = f"{self.message_id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        return f"v1,{b64encode(hmac.digest(secret, signed, 'sha256')).decode()}"


def body_of(text: str, status: str = "200 OK") -> str:
    """An answer with a body, as a supplier gives it."""
    return f"{status}\r\ncontent-type: application/json\r\n\r\n{text}"


@dataclass
class HttpReceiver:
    """Answers each request with the next of `answers`, the last for ever.

    An answer is a status line with headers, and a body after an empty line. "hang" answers nothing, "reset" breaks
    the connection, "drip" sends a byte each tenth of a second, "flood" sends without an end. As long as `speaks` is
    not set, it takes requests and answers none.
    """

    answers: list[str] = field(default_factory=lambda: ["200 OK"])
    paths: list[str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    port: int = 0
    speaks: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.speaks.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=secret"

    def signed_by(self, secret: bytes) -> bool:
        """Whether all was signed with `secret`; worked out by hand, since the library asks the machine's clock."""
        return bool(self.received) and all(
            one.headers["webhook-signature"] == one.signature(secret) for one in self.received
        )

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            headers = {name.lower(): value for name, value in headers.items()}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.received.append(Received(headers, body))
            self.paths.append(head.split(" ", 2)[1])
            await self.speaks.wait()
            await self._answer(writer, self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, answer: str) -> None:
        if answer == "hang":
            await asyncio.sleep(3600)
        if answer == "reset":
            writer.transport.abort()
            return
        if answer in {"drip", "flood"}:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
            while True:
                writer.write(b" " if answer == "drip" else b" " * 65536)
                await writer.drain()
                await asyncio.sleep(0.1 if answer == "drip" else 0)
        head, _, body = answer.partition("\r\n\r\n")
        sent = body.encode()
        writer.write(f"HTTP/1.1 {head}\r\ncontent-length: {len(sent)}\r\nconnection: close\r\n\r\n".encode() + sent)
        await writer.drain()


@asynccontextmanager
async def http_receiver(*answers: str, port: int = 0) -> AsyncIterator[HttpReceiver]:
    receiver = HttpReceiver(list(answers) or ["200 OK"])
    tasks: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(receiver.handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class MailHandler:
    """Answers each mail with the next of `answers`, the last for ever."""

    answers: list[str]
    mails: list[Envelope] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails.append(envelope)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@asynccontextmanager
async def mail_receiver(*answers: str) -> AsyncIterator[tuple[MailHandler, int]]:
    handler = MailHandler(list(answers) or ["250 taken"])
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler), "127.0.0.1", 0)
    try:
        yield handler, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
