"""Messages in and out, and the log of who did what; the columns are those of every service."""

from sqlalchemy import CheckConstraint, Index, text

from shared.db.base import IntakeTable
from shared.messaging.tables import (
    AuditColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxDeliveryColumns,
    SubscriptionColumns,
)


class Outbox(OutboxColumns, IntakeTable, table=True):
    __tablename__ = "outbox"


class OutboxDelivery(OutboxDeliveryColumns, IntakeTable, table=True):
    __tablename__ = "outbox_delivery"
    __table_args__ = (
        Index("ix_outbox_delivery_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        CheckConstraint("state IN ('due','delivered','dead')", name="state"),
    )


class Subscription(SubscriptionColumns, IntakeTable, table=True):
    __tablename__ = "subscription"


class Inbox(InboxColumns, IntakeTable, table=True):
    __tablename__ = "inbox"


class IdempotencyKey(IdempotencyColumns, IntakeTable, table=True):
    __tablename__ = "idempotency_key"


class AuditLog(AuditColumns, IntakeTable, table=True):
    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_object", "object", "at", postgresql_where=text("object LIKE 'report:%'")),)
