"""Messages in and out, and the log of who did what; the columns are those of every service."""

from sqlalchemy import Index, text

from shared.db.base import AlertsTable
from shared.messaging.tables import (
    AuditColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxDeliveryColumns,
    SubscriptionColumns,
)


class Outbox(OutboxColumns, AlertsTable, table=True):
    __tablename__ = "outbox"


class OutboxDelivery(OutboxDeliveryColumns, AlertsTable, table=True):
    __tablename__ = "outbox_delivery"
    __table_args__ = (
        Index("ix_outbox_delivery_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )


class Subscription(SubscriptionColumns, AlertsTable, table=True):
    __tablename__ = "subscription"


class Inbox(InboxColumns, AlertsTable, table=True):
    __tablename__ = "inbox"


class IdempotencyKey(IdempotencyColumns, AlertsTable, table=True):
    __tablename__ = "idempotency_key"


class AuditLog(AuditColumns, AlertsTable, table=True):
    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "at"),)
