"""Around every request: its ids, the body's limit, the log line, the measures, and headers no answer may miss."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooLarge
from shared.logs import log
from shared.trace import traced
from shared.vocabulary.identifiers import new_id
from shared.vocabulary.identity_number import holds_identity_number
from shared.web.metrics import REQUESTS, SECONDS
from shared.web.problem import problem_response, unexpected_response

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})


Headers = Mapping[bytes, bytes]


class BodyTooLarge(TooLarge):
    code, title = "body_too_large", "请求体超过上限"


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The ids of a request, for the log, the audit row and the messages it causes."""

    request_id: str
    traceparent: str


class Around:
    """Pure ASGI, since a wrapped response costs the hot path more than the database does."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        service: str,
        body_limit: int,
        body_limits: Mapping[str, int],
    ) -> None:
        self._app = app
        self._service = service
        self._limit = body_limit
        self._limits: Sequence[tuple[str, int]] = sorted(body_limits.items(), reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        context = _context(headers)
        scope.setdefault("state", {})["context"] = context
        started = time.perf_counter()
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _completed(message["headers"], context)
            await send(message)

        structlog.contextvars.bind_contextvars(
            request_id=context.request_id, trace=context.traceparent[3:35], service=self._service
        )
        try:
            with traced(context.traceparent):
                await self._answered(scope, headers, receive, answer)
        finally:
            self._note(scope, status, time.perf_counter() - started)
            structlog.contextvars.clear_contextvars()

    async def _answered(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        """Even our own mistake is answered here: with the ids, and without tearing down a caller in this process."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            if _has_body(headers):
                await self._limited(scope, headers, receive, watched)
            else:
                await self._app(scope, receive, watched)
        except Exception as error:
            if begun:
                raise
            await unexpected_response(scope["path"], error)(scope, receive, send)

    async def _limited(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        limit = next((n for prefix, n in self._limits if scope["path"].startswith(prefix)), self._limit)
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await _too_large(limit, scope)(scope, receive, send)
            return
        taken = 0
        begun = over = False

        async def counted() -> Message:
            nonlocal taken, over
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                over = True
                raise BodyTooLarge(_limit_text(limit))
            return message

        async def watched(message: Message) -> None:
            # Whatever the app makes of a body it could not read, the answer is ours.
            nonlocal begun
            if begun or not over:
                begun = True
                await send(message)

        try:
            await self._app(scope, counted, watched)
        except BodyTooLarge:
            if begun:
                raise
        if over and not begun:
            await _too_large(limit, scope)(scope, receive, send)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or scope.get("route_path") or "unmatched"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        counted, timed = _measures(self._service, method, route, status)
        counted.inc()
        timed.observe(seconds)
        if scope["path"] not in _QUIET:
            log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _too_large(limit: int, scope: Scope) -> ASGIApp:
    return problem_response(BodyTooLarge(_limit_text(limit)), scope["path"])


def _limit_text(limit: int) -> str:
    return f"请求体超过上限 {limit // 1024} KiB；请分批提交"


@lru_cache(maxsize=4096)
def _measures(service: str, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """What is counted of such requests; to look it up by its labels each time costs more than to count."""
    return REQUESTS.labels(service, method, route, status), SECONDS.labels(service, route)


def _has_body(headers: Headers) -> bool:
    """Whether a body may follow: without these two headers none can, in any version of HTTP that is served."""
    return b"content-length" in headers or b"transfer-encoding" in headers


def _context(headers: Headers) -> RequestContext:
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    trace = headers.get(b"traceparent", b"").decode("latin-1")
    made = new_id()
    return RequestContext(
        # It stands in the audit row as it came, so it must not be somebody's number.
        given if _REQUEST_ID.fullmatch(given) and not holds_identity_number(given) else str(made),
        trace if _TRACEPARENT.fullmatch(trace) else f"00-{made.hex}-{made.hex[16:]}-01",
    )


def _completed(headers: Iterable[tuple[bytes, bytes]], context: RequestContext) -> list[tuple[bytes, bytes]]:
    """An answer's headers, with those that no answer may miss."""
    given = list(headers)
    said = {name for name, _ in given}
    ours = [(b"x-request-id", context.request_id.encode()), *_ALWAYS]
    return given + [each for each in ours if each[0] not in said]
