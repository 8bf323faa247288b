"""Ask a department's interface for all its pages, one after the other; no database connection is held meanwhile.

Nothing an interface does can hold a worker or fill it: a page has a time and a size, redirects are not followed, and
pages that do not end, or come again, end the fetch.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from services.intake.dialects import SIGN
from services.intake.domain.connector import AnsweredPage, AnswerUnreadable, AskedPage, Connector, answered, query_of
from shared.clock import Clock
from shared.outbound import seconds_of
from shared.vocabulary.identifiers import new_id
from shared.web.outbound_transport import AddressNotAllowed


class FetchFailed(Exception):
    """The interface did not answer as it should: a stable code, the reason, and whether trying soon may help."""

    def __init__(self, code: str, reason: str, *, soon: bool, retry_after: timedelta | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason, self.soon, self.retry_after = code, reason, soon, retry_after


@dataclass(frozen=True, slots=True)
class Fetch:
    """What to ask, with what secret, within what bounds."""

    http: httpx.AsyncClient
    connector: Connector
    secret: str
    period: str
    clock: Clock
    page_seconds: float
    page_bytes: int
    most_pages: int


async def fetch_pages(fetch: Fetch) -> AsyncIterator[AnsweredPage]:
    """The pages until the last one; raises FetchFailed."""
    asked, before = AskedPage(), b""
    for _ in range(fetch.most_pages):
        body = await _ask(fetch, asked)
        digest = hashlib.sha256(body).digest()
        page = _read(fetch.connector, asked, body)
        if digest == before and page.rows:
            raise FetchFailed("pages_repeat", f"第 {asked.number} 页与前一页完全相同，翻页参数可能不正确", soon=False)
        yield page
        if page.following is None:
            return
        asked, before = page.following, digest
    raise FetchFailed("pages_endless", f"超过 {fetch.most_pages} 页仍未结束", soon=False)


def _read(connector: Connector, asked: AskedPage, body: bytes) -> AnsweredPage:
    try:
        return answered(connector, asked, json.loads(body))
    except AnswerUnreadable as unreadable:
        raise FetchFailed("answer_unreadable", str(unreadable), soon=False) from None
    except (ValueError, RecursionError):
        raise FetchFailed("answer_unreadable", "应答不是有效的 JSON", soon=True) from None


async def _ask(fetch: Fetch, page: AskedPage) -> bytes:
    connector, now = fetch.connector, fetch.clock.now()
    headers = SIGN[connector.dialect](
        client_id=connector.client_id,
        secret=fetch.secret,
        at_ms=int(now.timestamp() * 1000),
        nonce=new_id().hex,
    )
    try:
        async with asyncio.timeout(fetch.page_seconds):
            return await _answer(fetch, query_of(connector, page, fetch.period), headers)
    except AddressNotAllowed:
        reason = "接口地址应为 https，主机和端口须列入 FANGPIN_CONNECTOR_ALLOWED_HOSTS，且不得指向未经许可的内部地址"
        raise FetchFailed("host_not_allowed", reason, soon=False) from None
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as failure:
        raise FetchFailed("unreachable", f"接口没有应答 ({type(failure).__name__})", soon=True) from None


async def _answer(fetch: Fetch, query: dict[str, str], headers: dict[str, str]) -> bytes:
    url, body = httpx.URL(fetch.connector.url).copy_merge_params(query), bytearray()
    async with fetch.http.stream("GET", url, headers={"accept": "application/json", **headers}) as answer:
        if answer.status_code != httpx.codes.OK:
            raise _refused(answer, fetch.clock.now())
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > fetch.page_bytes:
                raise FetchFailed("page_too_large", f"一页超过 {fetch.page_bytes} 字节，请减小每页条数", soon=False)
    return bytes(body)


def _refused(answer: httpx.Response, now: datetime) -> FetchFailed:
    status = answer.status_code
    if status in {401, 403}:
        return FetchFailed("not_authorised", f"接口拒绝了我们的签名或令牌 (HTTP {status})", soon=False)
    if status in {408, 425, 429} or status >= 500:
        wait = seconds_of(answer.headers.get("retry-after"), now)
        return FetchFailed("busy", f"接口暂时不可用 (HTTP {status})", soon=True, retry_after=wait)
    return FetchFailed("refused", f"接口拒绝了请求 (HTTP {status})；请核对地址和参数", soon=False)
