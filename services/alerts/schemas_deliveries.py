"""Bodies of answers about deliveries: tries, receipts, dead letters."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.alerts.domain.delivery import DeliveryState, EndpointState, OutcomeClass
from services.alerts.schemas import ChannelName


class DeliveryView(BaseModel):
    """A message on its way out, and what its last try came to; `officer_no` is null for a group."""

    delivery_id: UUID
    alert_id: UUID | None
    channel: ChannelName
    endpoint_id: UUID
    officer_no: str | None
    division: str
    state: DeliveryState
    attempts: int
    due_at: AwareDatetime | None
    created_at: AwareDatetime
    settled_at: AwareDatetime | None
    last_at: AwareDatetime | None
    last_outcome: OutcomeClass | None
    last_code: int | None
    last_reason: str | None


class AttemptView(BaseModel):
    """One try: what the protocol and the supplier said, and how long it took."""

    attempt: int
    at: AwareDatetime
    outcome: OutcomeClass
    code: int | None
    supplier_code: str | None
    reason: str
    milliseconds: int


class ReceiptView(BaseModel):
    """What the supplier reported afterwards, in its own word."""

    state: str
    arrived: bool
    at: AwareDatetime


class AttemptsView(BaseModel):
    """All that is known of one delivery."""

    delivery_id: UUID
    state: DeliveryState
    attempts: list[AttemptView]
    receipts: list[ReceiptView]


class Requeued(BaseModel):
    """A delivery that is tried again, under the same id."""

    delivery_id: UUID
    state: DeliveryState
    due_at: AwareDatetime


class DeadLetters(BaseModel):
    """Messages that wait dead for one endpoint, and why."""

    endpoint_id: UUID
    channel: ChannelName
    address: str
    officer_no: str | None
    division: str
    state: EndpointState
    state_reason: str | None
    letters: int
    oldest: AwareDatetime
    last_died: AwareDatetime | None
    last_outcome: OutcomeClass | None
    query: str = Field(examples=["/alerts/v1/deliveries?state=dead&endpoint_id=019cef38-c100-7000-8000-000000000000"])


class Revived(BaseModel):
    """How many dead letters are tried again; those of alerts that somebody has seen stay dead."""

    endpoint_id: UUID
    letters: int


class TestQueued(BaseModel):
    """A test message on its way; what it came to stands in the attempts of this delivery."""

    delivery_id: UUID
    attempts: str = Field(examples=["/alerts/v1/deliveries/019cef38-c100-7000-8000-000000000000/attempts"])
