"""The console: one line per message, for a demo and for whoever watches the process."""

import sys
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO

from services.alerts.channels.channel import Message, Target
from services.alerts.channels.word_message import wording
from services.alerts.domain.delivery import OutcomeClass, SendOutcome


@dataclass(slots=True)
class ConsoleChannel:
    """Prints; the address is only a name for the reader."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        line = f"[预警 alert] {wording('console', message)} {message.link}"
        print(line.replace("\n", " "), file=self.stream, flush=True)
        return SendOutcome(OutcomeClass.OK)
