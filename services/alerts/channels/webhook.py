"""Signed webhook (Standard Webhooks): constant id, fresh signature each try, no redirects, allowed hosts only."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from services.alerts.channels.channel import Message, Target
from services.alerts.domain.delivery import OutcomeClass, SendOutcome
from shared.messaging.signing import sign
from shared.outbound import Outbound, seconds_of
from shared.web.outbound_transport import AddressNotAllowed

MESSAGE_TYPE = "cn.fangpin.alerts.message.v1"
_RETRY_STATUSES = frozenset({408, 425, 429})
# A receiver may answer slowly, but not hold a worker for ever by sending a byte a second.
_WHOLE_SECONDS = 13


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Posts through `http`, a client without redirects; what the `rule` refuses is not even tried."""

    http: httpx.AsyncClient
    rule: Outbound

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        refused = self.rule.refusal(target.address)
        if refused or target.secret is None:
            return SendOutcome(OutcomeClass.FIX, reason=refused or "no secret")
        body = payload(message)
        headers = sign(target.secret, str(message.message_id), body, now)
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                return await self._post(target.address, body, headers, now)
        except AddressNotAllowed as refusal:
            return SendOutcome(OutcomeClass.FIX, reason=str(refusal))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as failure:
            return SendOutcome(OutcomeClass.RETRY, reason=type(failure).__name__)

    async def _post(self, url: str, body: bytes, headers: dict[str, str], now: datetime) -> SendOutcome:
        headers = {"content-type": "application/json", "user-agent": "fangpin-alerts", **headers}
        # The answer's body says nothing we use, so it is never read.
        async with self.http.stream("POST", url, content=body, headers=headers) as answer:
            return of_status(answer.status_code, answer.headers.get("retry-after"), now)


def payload(message: Message) -> bytes:
    """The body: type, time and data, without anything about a person."""
    data = {
        "kind": message.kind,
        "title": message.title,
        "body": message.body,
        "link": message.link,
        "division": message.division,
        "place": message.place,
        "count": message.count,
    }
    text = {"type": MESSAGE_TYPE, "timestamp": message.created_at.astimezone(UTC).isoformat(), "data": data}
    return json.dumps(text, ensure_ascii=False, separators=(",", ":")).encode()


def of_status(status: int, retry_after: str | None, now: datetime) -> SendOutcome:
    """What an HTTP status means; a redirect is a configuration to mend, never followed."""
    if 200 <= status < 300:
        return SendOutcome(OutcomeClass.OK, status)
    if status == httpx.codes.GONE:
        return SendOutcome(OutcomeClass.GONE, status, "receiver is gone")
    if status >= 500 or status in _RETRY_STATUSES:
        return SendOutcome(OutcomeClass.RETRY, status, "receiver is busy", seconds_of(retry_after, now))
    return SendOutcome(OutcomeClass.FIX, status, "receiver refused")
