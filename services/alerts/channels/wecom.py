"""WeCom group robot (企业微信群机器人): a key in the address, 20 messages a minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.alerts.channels.channel import Message, Target
from services.alerts.channels.post_once import Way
from services.alerts.channels.robot import Robot
from services.alerts.domain.delivery import SendOutcome
from services.alerts.domain.supplier_answer import CodeTable

# 45009 too many calls, 45033 too many at once; 93000 no such robot, 93008 not in the group, 40008, 40058 and 44004
# the message itself. What else may come (-1 busy) is tried again.
CODES = CodeTable(
    ok={"0"},
    limited={"45009", "45033"},
    fix={"93000", "93004", "93008", "40008", "40058", "44004", "48002"},
    block=timedelta(minutes=1),
)
_ROBOT = Robot("wecom", CODES)


@dataclass(frozen=True, slots=True)
class WecomChannel:
    """Says it in a group; success is errcode 0."""

    way: Way

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        return await _ROBOT.say(self.way, message, target, now=now)
