"""Messages in and out, and the log of who did what; the columns are those of every service."""

from sqlalchemy import Index, Sequence, text
from sqlmodel import Field

from shared.db.base import MonitoringTable
from shared.db.columns import BIG
from shared.messaging.tables import (
    AuditColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxDeliveryColumns,
    SubscriptionColumns,
)

CHANGE_NUMBERS: Sequence = Sequence("outbox_position_seq", metadata=MonitoringTable.metadata, schema="monitoring")


class Outbox(OutboxColumns, MonitoringTable, table=True):
    """Messages; those that other systems pull are numbered once they are committed."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("uq_outbox_position", "position", unique=True),
        Index(
            "ix_outbox_unnumbered",
            "id",
            postgresql_where=text("position IS NULL AND type = 'cn.fangpin.monitoring.risk_changed.v1'"),
        ),
    )

    position: int | None = Field(
        default=None,
        sa_type=BIG,
        sa_column_kwargs={"comment": "among the changes that are pulled; given after the commit"},
    )


class OutboxDelivery(OutboxDeliveryColumns, MonitoringTable, table=True):
    __tablename__ = "outbox_delivery"
    __table_args__ = (
        Index("ix_outbox_delivery_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )


class Subscription(SubscriptionColumns, MonitoringTable, table=True):
    __tablename__ = "subscription"


class Inbox(InboxColumns, MonitoringTable, table=True):
    __tablename__ = "inbox"


class IdempotencyKey(IdempotencyColumns, MonitoringTable, table=True):
    __tablename__ = "idempotency_key"


class AuditLog(AuditColumns, MonitoringTable, table=True):
    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_at", "at"),
        Index("ix_audit_log_object", "object", "at", postgresql_where=text("object LIKE 'household:%'")),
    )
