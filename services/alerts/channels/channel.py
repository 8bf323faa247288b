"""What every way out of the system has in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from services.alerts.domain.delivery import Inquiry, SendOutcome


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent; `message_id` is the same over all tries. It never says anything about a person.

    Channels word it themselves, from `kind`, `count`, `place` and `link`; `title` and `body` are for our own lists.
    """

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
    """Where to: an address or URL, and the secret that signs, if the channel has one.

    `gateway` says how the supplier of the place wants to be asked (SMS).
    """

    address: str = field(repr=False)
    secret: bytes | None = field(default=None, repr=False)
    gateway: Mapping[str, Any] | None = field(default=None, repr=False)


class Channel(Protocol):
    """A way out. It raises nothing: whatever happens outside is a `SendOutcome`."""

    async def send(self, message: Message, target: Target, *, now: datetime) -> SendOutcome:
        """Try once, within about fifteen seconds."""
        ...


@runtime_checkable
class Inquiring(Channel, Protocol):
    """A way out whose supplier may be asked whether a message was sent: one that costs money."""

    async def inquire(self, message: Message, target: Target, *, now: datetime) -> Inquiry:
        """Ask once; raises nothing."""
        ...
