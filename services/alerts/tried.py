"""One claimed delivery, and one try to send it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.alerts.channels.channel import Message, Target
from services.alerts.domain.delivery import EndpointState, Inquiry, SendOutcome


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed delivery, with all that sending it needs; `waited`: it was uncertain before."""

    message: Message
    target: Target
    channel: str
    endpoint_id: UUID
    endpoint_state: EndpointState
    token: UUID
    attempt: int
    give_up_at: datetime
    is_urgent: bool
    is_uncertain: bool
    waited: bool

    @property
    def delivery_id(self) -> UUID:
        return self.message.message_id


@dataclass(frozen=True, slots=True)
class Try:
    """One try and what it came to; with `inquiry` nothing was sent, the supplier was asked."""

    job: Job
    outcome: SendOutcome
    milliseconds: int
    inquiry: Inquiry | None = None
