"""Signed webhook (Standard Webhooks): constant id, fresh signature each try, no redirects, allowed hosts only."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from services.alerts.channels.channel import Message, Target
from services.alerts.channels.post_once import Answered, Request, Way, post_once
from services.alerts.channels.word_message import titled_text
from services.alerts.domain.delivery import OutcomeClass, SendOutcome
from shared.messaging.signing import sign

MESSAGE_TYPE = "cn.fangpin.alerts.message.v1"


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Posts to a system of the county's own; any 2xx means that it was taken."""

    way: Way

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        if target.secret is None:
            return SendOutcome(OutcomeClass.FIX, reason="no secret")
        body = payload(message)
        headers = {"content-type": "application/json", **sign(target.secret, str(message.message_id), body, now)}
        # The answer's body says nothing we use, so it is never read.
        answer = await post_once(self.way, Request("POST", target.address, body, headers, reads=False), now=now)
        return SendOutcome(OutcomeClass.OK, answer.status) if isinstance(answer, Answered) else answer


def payload(message: Message) -> bytes:
    """The body: type, time and data, without anything about a person."""
    said = titled_text("webhook", message)
    data = {
        "kind": message.kind,
        "title": said.title,
        "body": said.body,
        "link": message.link,
        "division": message.division,
        "place": message.place,
        "count": message.count,
    }
    text = {"type": MESSAGE_TYPE, "timestamp": message.created_at.astimezone(UTC).isoformat(), "data": data}
    return json.dumps(text, ensure_ascii=False, separators=(",", ":")).encode()
