"""How messages leave the house, and what came of each try."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, UniqueConstraint, text
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import BYTES, DIVISION, JSON, MOMENT, NUMBER, SMALL, TEXT
from shared.queue.tables import ClaimColumns


class Outlet(AlertsTable, table=True):
    """What may fail or be flooded as one (出口): a robot, a webhook, the SMS gateway of many phones, the mail relay.

    Breaker and tokens stand here so that all workers share them: `failures` in a row, nothing sent before
    `blocked_until`.
    """

    __tablename__ = "outlet"
    __table_args__ = (
        CheckConstraint("num_nonnulls(per_minute, burst) IN (0, 2)", name="rate_whole"),
        CheckConstraint("per_minute BETWEEN 1 AND 60000 AND burst BETWEEN 1 AND 60000", name="rate"),
    )

    outlet_id: UUID = Field(primary_key=True)
    per_minute: int | None = None
    burst: int | None = None
    tokens: float | None = Field(default=None, sa_type=NUMBER)
    tokens_at: datetime | None = Field(default=None, sa_type=MOMENT)
    failures: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    blocked_until: datetime | None = Field(default=None, sa_type=MOMENT)


class Endpoint(AlertsTable, table=True):
    """Where messages go besides the inbox: of one officer, or (without `officer_no`) of a division's group.

    What follows `?` in an address may be a key: it is sealed, and a digest stands in its place. Of an officer's
    endpoints the one with the lowest `rank` is tried first.
    """

    __tablename__ = "endpoint"
    __table_args__ = (
        UniqueConstraint(
            "channel",
            "address",
            "division",
            "officer_no",
            name="uq_endpoint_owner",
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "officer_no"),
        Index(None, "division"),
        CheckConstraint("channel IN ('webhook','smtp','console','wecom','dingtalk','sms')", name="channel"),
        CheckConstraint("state IN ('active','broken','disabled')", name="state"),
    )

    endpoint_id: UUID = Field(primary_key=True)
    channel: str = Field(sa_type=TEXT)
    address: str = Field(sa_type=TEXT)
    sealed_secret: bytes | None = Field(default=None, sa_type=BYTES)
    officer_no: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    division: str = Field(sa_type=DIVISION)
    division_hi: str = Field(sa_type=DIVISION)
    state: str = Field(default="active", sa_type=TEXT, sa_column_kwargs={"server_default": text("'active'")})
    state_reason: str | None = Field(default=None, sa_type=TEXT)
    updated_at: datetime = Field(sa_type=MOMENT)
    sealed_query: bytes | None = Field(default=None, sa_type=BYTES)
    rank: int = Field(default=50, sa_type=SMALL, sa_column_kwargs={"server_default": text("50")})
    outlet_id: UUID = Field(foreign_key="alerts.outlet.outlet_id")


class SmsGateway(AlertsTable, table=True):
    """The SMS supplier of a division and all below it that have none of their own; `mapping` says how it is asked.

    Its id is the id of its outlet too.
    """

    __tablename__ = "sms_gateway"
    __table_args__ = (UniqueConstraint("division"),)

    gateway_id: UUID = Field(primary_key=True, foreign_key="alerts.outlet.outlet_id")
    division: str = Field(sa_type=DIVISION)
    division_hi: str = Field(sa_type=DIVISION)
    name: str = Field(sa_type=TEXT)
    mapping: dict[str, Any] = Field(sa_type=JSON)
    sealed_secret: bytes | None = Field(default=None, sa_type=BYTES)
    sealed_receipt_secret: bytes | None = Field(default=None, sa_type=BYTES)
    updated_at: datetime = Field(sa_type=MOMENT)


class Delivery(ClaimColumns, AlertsTable, table=True):
    """One message on its way to one endpoint; its id is the message's id outside, the same over all tries.

    Without `alert_id` it is about several alerts, or none. `outlet_id` is its endpoint's; `supplier_id` is the
    supplier's name for it.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("notification_id", "channel", "endpoint_id", name="uq_delivery_once"),
        # Claimed outlet by outlet, so that a backlog that waits for one is never read for the others.
        Index("ix_delivery_waiting", "outlet_id", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_delivery_dead", "endpoint_id", postgresql_where=text("state = 'dead'")),
        Index("ix_delivery_supplier_id", "supplier_id", postgresql_where=text("supplier_id IS NOT NULL")),
        Index(None, "endpoint_id", "delivery_id"),
        Index(None, "alert_id"),
        CheckConstraint(
            "state IN ('due','uncertain','delivered','confirmed','dead','cancelled')",
            name="state",
        ),
        CheckConstraint("(state IN ('due','uncertain')) = (due_at IS NOT NULL)", name="due"),
    )

    delivery_id: UUID = Field(primary_key=True)
    notification_id: UUID = Field(foreign_key="alerts.notification.notification_id")
    alert_id: UUID | None = Field(default=None, foreign_key="alerts.alert.alert_id")
    channel: str = Field(sa_type=TEXT)
    endpoint_id: UUID = Field(foreign_key="alerts.endpoint.endpoint_id")
    outlet_id: UUID
    message: dict[str, Any] = Field(sa_type=JSON)
    state: str = Field(default="due", sa_type=TEXT, sa_column_kwargs={"server_default": text("'due'")})
    outcome: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=MOMENT)
    give_up_at: datetime = Field(sa_type=MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=MOMENT)
    supplier_id: str | None = Field(default=None, sa_type=TEXT)


class DeliveryAttempt(AlertsTable, table=True):
    """One try to send, whatever it came to."""

    __tablename__ = "delivery_attempt"

    delivery_id: UUID = Field(primary_key=True, foreign_key="alerts.delivery.delivery_id")
    attempt: int = Field(primary_key=True, sa_type=Integer)
    at: datetime = Field(sa_type=MOMENT)
    outcome: str = Field(sa_type=TEXT)
    code: int | None = None
    reason: str = Field(sa_type=TEXT)
    milliseconds: int
    supplier_code: str | None = Field(default=None, sa_type=TEXT)


class DeliveryReceipt(AlertsTable, table=True):
    """What a supplier reported of a message afterwards (回执); the same report again is the same row."""

    __tablename__ = "delivery_receipt"

    delivery_id: UUID = Field(primary_key=True, foreign_key="alerts.delivery.delivery_id")
    state: str = Field(primary_key=True, sa_type=TEXT)
    arrived: bool
    at: datetime = Field(sa_type=MOMENT)
