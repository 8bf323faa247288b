"""What every way out of the system has in common."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.alerts.domain.delivery import SendOutcome


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent; `message_id` is the same over all tries. It never says anything about a person."""

    message_id: UUID
    kind: str
    title: str
    body: str
    link: str
    division: str
    place: str
    count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: an address or URL, and the secret that signs, if the channel has one."""

    address: str
    secret: bytes | None = field(default=None, repr=False)


class Channel(Protocol):
    """A way out. It raises nothing: whatever happens outside is a `SendOutcome`."""

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        """Try once, within about fifteen seconds."""
        ...
