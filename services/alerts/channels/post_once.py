"""Ask a supplier once: only where the operator allows, without redirects, within a time and a size as a whole."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx

from services.alerts.domain.delivery import OutcomeClass, SendOutcome
from shared.outbound import seconds_of
from shared.web.outbound_transport import AddressNotAllowed, OutboundTransport

# A receiver may answer slowly, but not hold a worker for ever by sending a byte a second.
WHOLE_SECONDS = 13.0
# A supplier's answer is a few hundred bytes; a page of a login portal is more.
MOST_BYTES = 64 * 1024
_SHORT = frozenset(map(str, range(4096)))
_DRAIN_SECONDS = 0.2
_BUSY_STATUSES = frozenset({408, 425})
_PLAIN = {"user-agent": "fangpin-alerts", "accept": "application/json", "accept-encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Way:
    """The way out, which asks only what its rule allows; httpx's client is passed by.

    What that does besides (cookies, log-ins, redirects) is not wanted here, and takes longer than the sending.
    """

    transport: OutboundTransport
    timeout: httpx.Timeout
    whole_seconds: float = WHOLE_SECONDS


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; a body is sent as it is. Only where `reads` is set is the answer's body read."""

    method: str
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] | None = None
    reads: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """A 2xx answer."""

    status: int
    body: bytes = b""


class AnswerTooLong(Exception):
    """The answer is longer than any supplier's."""


async def post_once(way: Way, request: Request, *, now: datetime) -> Answered | SendOutcome:
    """The answer if its status is 2xx; else what the failure comes to."""
    try:
        async with asyncio.timeout(way.whole_seconds):
            return await _ask(way, request, now)
    except AnswerTooLong:
        return SendOutcome(OutcomeClass.RETRY, reason="answer too long")
    except AddressNotAllowed as refusal:
        return SendOutcome(OutcomeClass.FIX, reason=str(refusal))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as failure:
        return SendOutcome(OutcomeClass.RETRY, reason=type(failure).__name__)


async def _ask(way: Way, request: Request, now: datetime) -> Answered | SendOutcome:
    async with _answer(way, request) as answer:
        if not answer.is_success:
            return of_status(answer.status_code, answer.headers.get("retry-after"), now)
        if request.reads:
            return Answered(answer.status_code, await _read(answer))
        await _drain(answer)
        return Answered(answer.status_code)


@asynccontextmanager
async def _answer(way: Way, request: Request) -> AsyncIterator[httpx.Response]:
    url = _url(request.url)
    if request.query:
        url = url.copy_merge_params(request.query)
    headers = {**_PLAIN, **request.headers}
    patience = {"timeout": way.timeout.as_dict()}
    sent = httpx.Request(request.method, url, content=request.body, headers=headers, extensions=patience)
    answer = await way.transport.handle_async_request(sent)
    try:
        yield answer
    finally:
        await answer.aclose()


# A receiver's address is read once, not with each message.
@lru_cache(maxsize=1024)
def _url(text: str) -> httpx.URL:
    return httpx.URL(text)


async def _read(answer: httpx.Response) -> bytes:
    body = b""
    async for part in answer.aiter_raw():
        body += part
        if len(body) > MOST_BYTES:
            raise AnswerTooLong
    return body


async def _drain(answer: httpx.Response) -> None:
    """Read a short body that nobody uses, so that the connection can be used again; it was taken in any case."""
    if answer.headers.get("content-length", "none") in _SHORT:
        with contextlib.suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await answer.aread()


def of_status(status: int, retry_after: str | None, now: datetime) -> SendOutcome:
    """What an HTTP status other than 2xx means; a redirect is a configuration to mend, never followed."""
    if status == httpx.codes.GONE:
        return SendOutcome(OutcomeClass.GONE, status, "receiver is gone")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return SendOutcome(OutcomeClass.LIMITED, status, "too many requests", seconds_of(retry_after, now))
    if status >= 500 or status in _BUSY_STATUSES:
        return SendOutcome(OutcomeClass.RETRY, status, "receiver is busy", seconds_of(retry_after, now))
    return SendOutcome(OutcomeClass.FIX, status, "receiver refused")


def read_json(answered: Answered) -> Any | SendOutcome:
    """The JSON of an answer; anything else, an HTML page of a portal say, is no success and is tried again."""
    try:
        return json.loads(answered.body)
    except (ValueError, RecursionError):
        return SendOutcome(OutcomeClass.RETRY, answered.status, "answer is not JSON")
