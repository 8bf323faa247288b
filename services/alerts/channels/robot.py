"""A group robot (群机器人) takes a text message and says in its answer's `errcode` whether it took it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.alerts.channels.channel import Message, Target
from services.alerts.channels.post_once import Request, Way, post_once, read_json
from services.alerts.channels.word_message import robot_text
from services.alerts.domain.delivery import SendOutcome
from services.alerts.domain.supplier_answer import CodeTable, judge

_JSON = {"content-type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Robot:
    """A supplier's robot: the name of its channel, and what its codes mean."""

    channel: str
    codes: CodeTable

    async def say(
        self,
        way: Way,
        message: Message,
        target: Target,
        *,
        now: datetime,
        signed: Mapping[str, str] | None = None,
    ) -> SendOutcome:
        """Try once; `signed` is added to the address."""
        text = {"msgtype": "text", "text": {"content": robot_text(self.channel, message)}}
        body = json.dumps(text, ensure_ascii=False, separators=(",", ":")).encode()
        address = target.address + "".join(f"&{name}={value}" for name, value in (signed or {}).items())
        answer = await post_once(way, Request("POST", address, body, _JSON), now=now)
        if isinstance(answer, SendOutcome):
            return answer
        said = read_json(answer)
        return said if isinstance(said, SendOutcome) else judge(self.codes, said, code_at="errcode", status=200)
