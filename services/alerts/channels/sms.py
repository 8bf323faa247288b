"""SMS over an HTTP gateway (短信网关), each supplier described by a mapping of data; it costs money.

Our id goes with every try, so that a supplier may drop a repeat; what may have been sent already is asked for first.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from services.alerts.channels.channel import Message, Target
from services.alerts.channels.fill_template import TemplateRefused, fill, fill_json
from services.alerts.channels.post_once import Request, Way, post_once, read_json
from services.alerts.channels.word_message import sms_text
from services.alerts.domain.delivery import Inquiry, OutcomeClass, SendOutcome
from services.alerts.domain.supplier_answer import CodeTable, judge, text_at
from services.alerts.schemas_sms import AnswerIn, CallIn, InquiryIn, MappingIn
from shared.clock import SHANGHAI

_KINDS = {
    "json": "application/json; charset=utf-8",
    "form": "application/x-www-form-urlencoded; charset=utf-8",
    "base64_json": "text/plain; charset=utf-8",
}
# A gateway that is gone must be mended; the phones are still there.
_OF_GATEWAY = {OutcomeClass.GONE: OutcomeClass.FIX}


@dataclass(frozen=True, slots=True)
class SmsChannel:
    """Sends to a phone through the gateway of its place; success is what the mapping says."""

    way: Way

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        mapping = _mapping(target)
        if mapping is None:
            return SendOutcome(OutcomeClass.RETRY, reason="no gateway")
        try:
            request = request_of(mapping.send, values_of(message, target, mapping, now))
        except TemplateRefused:
            return SendOutcome(OutcomeClass.FIX, reason="mapping cannot be filled", of_supplier=True)
        answer = await post_once(self.way, request, now=now)
        if isinstance(answer, SendOutcome):
            # A status is about the gateway; about a number the supplier's own code speaks.
            return replace(answer, outcome=_OF_GATEWAY.get(answer.outcome, answer.outcome), of_supplier=True)
        said = read_json(answer)
        return said if isinstance(said, SendOutcome) else _judge(mapping.answer, said, answer.status)

    async def inquire(self, message: Message, target: Target, *, now: datetime) -> Inquiry:
        mapping = _mapping(target)
        if mapping is None or mapping.inquiry is None:
            return Inquiry.CANNOT_ASK
        try:
            request = request_of(mapping.inquiry, values_of(message, target, mapping, now))
        except TemplateRefused:
            return Inquiry.NO_ANSWER
        answer = await post_once(self.way, request, now=now)
        said = answer if isinstance(answer, SendOutcome) else read_json(answer)
        return Inquiry.NO_ANSWER if isinstance(said, SendOutcome) else _meaning(mapping.inquiry, said)


def _mapping(target: Target) -> MappingIn | None:
    return MappingIn.model_validate(target.gateway) if target.gateway is not None else None


def values_of(message: Message, target: Target, mapping: MappingIn, now: datetime) -> dict[str, object]:
    """What a mapping's texts are filled with: nothing about a household."""
    return filling(
        phone=target.address,
        text=sms_text(message, mapping.longest),
        link=message.link,
        place=message.place,
        count=message.count,
        id_=message.message_id,
        secret=(target.secret or b"").decode(),
        now=now,
    )


def filling(
    *, phone: str, text: str, link: str, place: str, count: int, id_: UUID, secret: str, now: datetime
) -> dict[str, object]:
    """The names a mapping may use."""
    return {
        "phone": phone,
        "text": text,
        "link": link,
        "place": place,
        "count": count,
        "id": str(id_),
        "secret": secret,
        "unix": int(now.timestamp()),
        "millis": int(now.timestamp() * 1000),
        "stamp": now.astimezone(SHANGHAI).strftime("%Y%m%d%H%M%S"),
    }


SAMPLE = filling(
    phone="19900000001",
    text="示例",
    link="https://example.gov.cn/",
    place="示例村",
    count=1,
    id_=UUID(int=0),
    secret="示例",  # noqa: S106
    now=datetime(2026, 1, 1, tzinfo=UTC),
)


def request_of(call: CallIn, values: Mapping[str, object]) -> Request:
    """The request of a mapping, filled. Raises TemplateRefused."""
    query = {pair.name: fill(pair.value, values) for pair in call.query}
    headers = {pair.name.lower(): _one_line(fill(pair.value, values)) for pair in call.headers}
    if call.method == "GET" or call.body is None:
        return Request(call.method, call.url, None, headers, query or None)
    body = _encoded(call.encoding, fill_json(call.body, values))
    return Request("POST", call.url, body, {"content-type": _KINDS[call.encoding], **headers}, query or None)


def _encoded(encoding: str, body: Any) -> bytes:
    if encoding == "form":
        if not isinstance(body, dict) or any(isinstance(value, dict | list) for value in body.values()):
            raise TemplateRefused("表单应为一层的 JSON 对象")
        return urlencode(body).encode()
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(text) if encoding == "base64_json" else text


def _one_line(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise TemplateRefused("请求头只能用可见的 ASCII 字符")
    return text


def _judge(answer: AnswerIn, said: Any, status: int) -> SendOutcome:
    table = CodeTable(
        ok=answer.ok,
        retry=answer.retry,
        limited=answer.limited,
        fix=[*answer.fix, *answer.bad_number],
        block=timedelta(seconds=answer.block_seconds),
        otherwise=OutcomeClass(answer.otherwise),
    )
    outcome = judge(table, said, code_at=answer.code_at, status=status, id_at=answer.id_at)
    is_address = outcome.outcome is not OutcomeClass.FIX or outcome.supplier_code in answer.bad_number
    return outcome if is_address else replace(outcome, of_supplier=True)


def _meaning(inquiry: InquiryIn, said: Any) -> Inquiry:
    state = text_at(said, inquiry.state_at)
    named = ((Inquiry.SENT, inquiry.sent), (Inquiry.FAILED, inquiry.failed), (Inquiry.UNKNOWN, inquiry.unknown))
    return next((meaning for meaning, states in named if state in states), Inquiry.NO_ANSWER)
