"""DingTalk group robot (钉钉群机器人), signed (加签): 20 messages a minute, then ten minutes of nothing."""

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote_plus

from services.alerts.channels.channel import Message, Target
from services.alerts.channels.post_once import Way
from services.alerts.channels.robot import Robot
from services.alerts.domain.delivery import OutcomeClass, SendOutcome
from services.alerts.domain.supplier_answer import CodeTable

# 410100 and 130101 too many messages; 310000 signature, keyword or network refused; 300001, 400101, 400102 and
# 400106 no such robot, or it is stopped; 400013 the group is dissolved; 40035 and 430101-430104 the message itself.
CODES = CodeTable(
    ok={"0"},
    limited={"410100", "130101"},
    fix={
        "310000",
        "300001",
        "300005",
        "400101",
        "400102",
        "400106",
        "40035",
        "430101",
        "430102",
        "430103",
        "430104",
    },
    gone={"400013"},
    block=timedelta(minutes=10),
)
_ROBOT = Robot("dingtalk", CODES)


@dataclass(frozen=True, slots=True)
class DingtalkChannel:
    """Says it in a group; success is errcode 0."""

    way: Way

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        if target.secret is None:
            return SendOutcome(OutcomeClass.FIX, reason="no secret")
        stamp = str(int(now.timestamp() * 1000))
        signed = {"timestamp": stamp, "sign": signature(target.secret, stamp)}
        return await _ROBOT.say(self.way, message, target, now=now, signed=signed)


def signature(secret: bytes, stamp: str) -> str:
    """The signature of a moment (milliseconds), ready for an address."""
    signed = hmac.digest(secret, stamp.encode() + b"\n" + secret, "sha256")
    return quote_plus(base64.b64encode(signed))
