"""The columns of the messaging tables; each service declares them in its own schema under the same names."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, TEXT
from sqlmodel import Field, SQLModel

from shared.queue.tables import ClaimColumns

_MOMENT: Any = DateTime(timezone=True)


class OutboxColumns(SQLModel):
    """A message, written in the transaction of its cause (column names as Debezium's outbox router reads them)."""

    id: UUID = Field(primary_key=True)
    aggregatetype: str
    aggregateid: str
    type: str
    payload: dict[str, Any] = Field(sa_type=JSON)  # As it was written: nobody looks into it on its way.
    traceparent: str | None = None
    created_at: datetime = Field(sa_type=_MOMENT)


class OutboxDeliveryColumns(ClaimColumns):
    """One message on its way to one subscriber."""

    outbox_id: UUID = Field(primary_key=True)
    subscription_id: UUID = Field(primary_key=True)
    state: str = Field(default="due", sa_column_kwargs={"server_default": text("'due'")})
    delivered_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    last_status: int | None = None
    last_error: str | None = None


class SubscriptionColumns(SQLModel):
    """Who gets which messages: an internal service is just a subscriber."""

    subscription_id: UUID = Field(primary_key=True)
    name: str = Field(unique=True)
    url: str
    types: list[str] = Field(sa_type=ARRAY(TEXT))
    secret: bytes = Field(sa_type=LargeBinary)
    active: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    division: str | None = None
    created_at: datetime = Field(sa_type=_MOMENT)
    failures: int = Field(
        default=0, sa_column_kwargs={"server_default": text("0"), "comment": "of a peer that is away, in a row"}
    )
    quiet_until: datetime | None = Field(
        default=None, sa_type=_MOMENT, sa_column_kwargs={"comment": "until then a peer that is away is left alone"}
    )


class InboxColumns(SQLModel):
    """A message taken in; (source, id) once for ever within the 35 days it is kept."""

    source: str = Field(primary_key=True)
    event_id: UUID = Field(primary_key=True)
    type: str
    digest: bytes = Field(sa_type=LargeBinary)
    event_time: datetime = Field(sa_type=_MOMENT)
    received_at: datetime = Field(sa_type=_MOMENT)


class IdempotencyColumns(SQLModel):
    """A request that had its effect: the same key and payload replay the answer."""

    client: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    status: int = Field(sa_type=SmallInteger)
    answer: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = Field(sa_type=_MOMENT)


class AuditColumns(SQLModel):
    """Who did what to which object, why, with what result; insert-only for the service."""

    audit_id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_type=_MOMENT)
    actor: str
    actor_kind: str
    action: str
    object: str
    purpose: str | None = None
    result: str
    request_id: str | None = None
    detail: dict[str, Any] = Field(sa_type=JSONB)
