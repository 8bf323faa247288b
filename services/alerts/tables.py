"""The tables of schema `alerts`: the only definition of its storage.

Row-level security (see the migration): `alert` by living or registered division, everything about an alert through
`alert`, `inbox_item` by officer; `alert_subject` is for the worker alone.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.messaging.tables import (
    AuditColumns,
    IdempotencyColumns,
    InboxColumns,
    OutboxColumns,
    OutboxDeliveryColumns,
    SubscriptionColumns,
)
from shared.queue.tables import ClaimColumns

_MOMENT: Any = DateTime(timezone=True)
_DIVISION: Any = String(12, collation="C")
_TEXTS: Any = ARRAY(TEXT)
_UUIDS: Any = ARRAY(Uuid)
_JSON: Any = JSONB
_BYTES: Any = LargeBinary
_BIG: Any = BigInteger
_SMALL: Any = SmallInteger


def _row_number(name: str) -> Any:
    return Column(name, BigInteger, Identity(always=True), primary_key=True)


def _empty_texts() -> Any:
    return {"server_default": text("'{}'")}


class Officer(AlertsTable, table=True):
    """A person who may be on duty (干部); `division`..`division_hi` is the half-open range of his home post."""

    __tablename__ = "officer"

    officer_no: str = Field(primary_key=True, sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    phone: str | None = Field(default=None, sa_type=TEXT)
    email: str | None = Field(default=None, sa_type=TEXT)
    division: str = Field(sa_type=_DIVISION)
    division_hi: str = Field(sa_type=_DIVISION)
    active: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    updated_at: datetime = Field(sa_type=_MOMENT)


class Duty(AlertsTable, table=True):
    """A post held by an officer over a division, from `valid_from` until before `valid_to`."""

    __tablename__ = "duty"
    __table_args__ = (
        UniqueConstraint("officer_no", "role", "division", "valid_from"),
        Index(None, "division", "role"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="valid"),
        CheckConstraint(
            "role IN ('grid_worker','village_secretary','first_secretary','township_leader','county_admin')",
            name="role",
        ),
    )

    duty_id: int | None = Field(default=None, sa_column=_row_number("duty_id"))
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    role: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=_DIVISION)
    division_hi: str = Field(sa_type=_DIVISION)
    valid_from: date
    valid_to: date | None = None


class AlertSubject(AlertsTable, table=True):
    """What news was last seen of a subject; its row is the lock under which news of it is handled."""

    __tablename__ = "alert_subject"

    subject: str = Field(primary_key=True, sa_type=TEXT)
    facts_version: int = Field(sa_type=_BIG)
    report_ids: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())


class Alert(AlertsTable, table=True):
    """A warning about one household or one unmatched report; at most one per subject is not closed."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("ux_alert_open_subject", "subject", unique=True, postgresql_where=text("status <> 'closed'")),
        Index(None, "living_division", "alert_id"),
        Index(None, "registered_division", "alert_id"),
        Index(None, "subject"),
        Index(None, "household_no"),
        Index("ix_alert_ack_due", "ack_due_at", postgresql_where=text("status = 'open'")),
        Index("ix_alert_unrouted", "opened_at", postgresql_where=text("routed_at IS NULL AND status <> 'closed'")),
        CheckConstraint("status IN ('open','acknowledged','verifying','closed')", name="status"),
        CheckConstraint("severity IN ('red','orange','yellow','blue')", name="severity"),
        CheckConstraint(
            "outcome IN ('identify','need_met','already_monitored','no_risk','data_wrong','moved','deceased')",
            name="outcome",
        ),
        CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL) AND (status = 'closed') = (outcome IS NOT NULL)",
            name="closed_with_outcome",
        ),
    )

    alert_id: UUID = Field(primary_key=True)
    subject: str = Field(sa_type=TEXT)
    household_no: str | None = Field(default=None, sa_type=TEXT)
    living_division: str = Field(sa_type=_DIVISION)
    registered_division: str = Field(sa_type=_DIVISION)
    contact_name: str = Field(sa_type=TEXT)
    contact_phone: str | None = Field(default=None, sa_type=TEXT)
    severity: str | None = Field(default=None, sa_type=TEXT)
    recommendation: str | None = Field(default=None, sa_type=TEXT)
    listed_as: str | None = Field(default=None, sa_type=TEXT)
    causes: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())
    reason: str = Field(sa_type=TEXT)
    report_ids: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())
    facts_version: int = Field(sa_type=_BIG)
    policy_version: str = Field(sa_type=TEXT)
    acknowledge_hours: int = Field(sa_type=_SMALL)
    verify_days: int = Field(sa_type=_SMALL)
    status: str = Field(default="open", sa_type=TEXT, sa_column_kwargs={"server_default": text("'open'")})
    outcome: str | None = Field(default=None, sa_type=TEXT)
    follows: UUID | None = None
    opened_at: datetime = Field(sa_type=_MOMENT)
    opened_on: date
    ack_due_at: datetime = Field(sa_type=_MOMENT)
    verify_due_at: datetime = Field(sa_type=_MOMENT)
    routed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    acknowledged_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})


class AlertEvidence(AlertsTable, table=True):
    """Why a warning stands: a finding or a fact, each once (`digest`), with the message that brought it."""

    __tablename__ = "alert_evidence"
    __table_args__ = (
        UniqueConstraint("alert_id", "digest"),
        CheckConstraint("kind IN ('finding','fact')", name="kind"),
    )

    evidence_id: int | None = Field(default=None, sa_column=_row_number("evidence_id"))
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    event_id: UUID
    kind: str = Field(sa_type=TEXT)
    item: dict[str, Any] = Field(sa_type=_JSON)
    digest: str = Field(sa_type=TEXT)
    facts_version: int = Field(sa_type=_BIG)
    policy_version: str = Field(sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=_MOMENT)


class AlertLog(AlertsTable, table=True):
    """The timeline of an alert, append-only: who did what when."""

    __tablename__ = "alert_log"
    __table_args__ = (Index(None, "alert_id", "log_id"),)

    log_id: int | None = Field(default=None, sa_column=_row_number("log_id"))
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    at: datetime = Field(sa_type=_MOMENT)
    actor: str = Field(sa_type=TEXT)
    action: str = Field(sa_type=TEXT)
    status_before: str | None = Field(default=None, sa_type=TEXT)
    status_after: str = Field(sa_type=TEXT)
    detail: dict[str, Any] = Field(sa_type=_JSON)


class Assignment(AlertsTable, table=True):
    """A person who answers for an alert, and why; ended when it is handed over."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("ux_assignment_current", "alert_id", "officer_no", unique=True, postgresql_where=text("until IS NULL")),
        Index(None, "officer_no"),
        CheckConstraint("reach IN ('duty','fallthrough','copy','handed_over')", name="reach"),
    )

    assignment_id: int | None = Field(default=None, sa_column=_row_number("assignment_id"))
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    role: str = Field(sa_type=TEXT)
    level: int = Field(sa_type=_SMALL)
    reach: str = Field(sa_type=TEXT)
    since: datetime = Field(sa_type=_MOMENT)
    until: datetime | None = Field(default=None, sa_type=_MOMENT)


class Notification(AlertsTable, table=True):
    """A message that was sent, or withheld for a reason; once per `dedupe_key`.

    Without `recipient` it goes to an endpoint of a division, or to nobody. Without `alert_id` it is about the
    `division` or a `subject` whose warning did not open.

    Its push may be one with others' of the `group_key` (`carried_by` names the one that holds it), wait until
    `not_before`, or be a line of a digest (`carried_by`); `outcome` says what it came to, null as long as it waits.
    A message without a push of its own, the letter being all, has neither group nor outcome.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index(None, "alert_id"),
        Index(None, "division"),
        Index(
            "ix_notification_grouped", "group_key", postgresql_where=text("group_key IS NOT NULL AND outcome IS NULL")
        ),
        Index(
            "ix_notification_to_digest",
            "recipient",
            postgresql_where=text("decision IN ('digest','defer') AND outcome IS NULL"),
        ),
        Index("ix_notification_carried_by", "carried_by", postgresql_where=text("carried_by IS NOT NULL")),
        Index(
            "ix_notification_pushed",
            "recipient",
            "ended_at",
            postgresql_where=text("carried_by = notification_id"),
        ),
        CheckConstraint("decision IN ('send','suppress','defer','digest')", name="decision"),
        CheckConstraint("decision = 'send' OR reason IS NOT NULL", name="withheld_with_reason"),
        CheckConstraint("outcome IN ('sent','digested','cancelled')", name="outcome"),
        CheckConstraint(
            "(outcome IS NULL) = (ended_at IS NULL) AND (decision <> 'suppress' OR outcome IS NULL)", name="ended"
        ),
    )

    notification_id: UUID = Field(primary_key=True)
    dedupe_key: str = Field(sa_type=TEXT)
    alert_id: UUID | None = Field(default=None, foreign_key="alerts.alert.alert_id")
    subject: str | None = Field(default=None, sa_type=TEXT)
    division: str = Field(sa_type=_DIVISION)
    recipient: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    kind: str = Field(sa_type=TEXT)
    decision: str = Field(sa_type=TEXT)
    reason: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=_MOMENT)
    not_before: datetime | None = Field(default=None, sa_type=_MOMENT)
    group_key: str | None = Field(default=None, sa_type=TEXT)
    urgent: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    carried_by: UUID | None = None
    outcome: str | None = Field(default=None, sa_type=TEXT)
    ended_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class NotifyGroup(ClaimColumns, AlertsTable, table=True):
    """The pushes of one kind about one village to one person, or (without `recipient`) to the groups above it.

    `sent_set` is the digest of the alerts it was last told of, `sent_alerts` these.
    """

    __tablename__ = "notify_group"
    __table_args__ = (
        Index("ix_notify_group_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    group_key: str = Field(primary_key=True, sa_type=TEXT)
    recipient: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    division: str = Field(sa_type=_DIVISION)
    kind: str = Field(sa_type=TEXT)
    sent_set: str | None = Field(default=None, sa_type=TEXT)
    sent_alerts: list[UUID] = Field(sa_type=_UUIDS, sa_column_kwargs=_empty_texts())
    sent_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class DigestRun(AlertsTable, table=True):
    """One person's digest of one day (日汇总), once; without `notification_id` there was nothing to tell."""

    __tablename__ = "digest_run"

    recipient: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    day: date = Field(primary_key=True)
    made_at: datetime = Field(sa_type=_MOMENT)
    lines: dict[str, Any] = Field(sa_type=_JSON)
    notification_id: UUID | None = Field(default=None, foreign_key="alerts.notification.notification_id")


class MonthlySheet(AlertsTable, table=True):
    """One township's figures after one month's comparison (月度清单), once; `month` is its first day."""

    __tablename__ = "monthly_sheet"

    division: str = Field(primary_key=True, sa_type=_DIVISION)
    month: date = Field(primary_key=True)
    made_at: datetime = Field(sa_type=_MOMENT)
    figures: dict[str, Any] = Field(sa_type=_JSON)


class Endpoint(AlertsTable, table=True):
    """Where messages go besides the inbox: of one officer, or (without `officer_no`) of a division's group."""

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
        CheckConstraint("channel IN ('webhook','smtp','console')", name="channel"),
        CheckConstraint("state IN ('active','broken','disabled')", name="state"),
    )

    endpoint_id: UUID = Field(primary_key=True)
    channel: str = Field(sa_type=TEXT)
    address: str = Field(sa_type=TEXT)
    sealed_secret: bytes | None = Field(default=None, sa_type=_BYTES)
    officer_no: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    division: str = Field(sa_type=_DIVISION)
    division_hi: str = Field(sa_type=_DIVISION)
    state: str = Field(default="active", sa_type=TEXT, sa_column_kwargs={"server_default": text("'active'")})
    state_reason: str | None = Field(default=None, sa_type=TEXT)
    updated_at: datetime = Field(sa_type=_MOMENT)


class Delivery(ClaimColumns, AlertsTable, table=True):
    """One message on its way to one endpoint; its id is the message's id outside, the same over all tries."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("notification_id", "channel", "endpoint_id", name="uq_delivery_once"),
        Index("ix_delivery_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(None, "alert_id"),
        CheckConstraint("state IN ('due','delivered','dead','cancelled')", name="state"),
        CheckConstraint("(state = 'due') = (due_at IS NOT NULL)", name="due"),
    )

    delivery_id: UUID = Field(primary_key=True)
    notification_id: UUID = Field(foreign_key="alerts.notification.notification_id")
    alert_id: UUID | None = Field(default=None, foreign_key="alerts.alert.alert_id")
    channel: str = Field(sa_type=TEXT)
    endpoint_id: UUID = Field(foreign_key="alerts.endpoint.endpoint_id")
    message: dict[str, Any] = Field(sa_type=_JSON)
    state: str = Field(default="due", sa_type=TEXT, sa_column_kwargs={"server_default": text("'due'")})
    outcome: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=_MOMENT)
    give_up_at: datetime = Field(sa_type=_MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class DeliveryAttempt(AlertsTable, table=True):
    """One try to send, whatever it came to."""

    __tablename__ = "delivery_attempt"

    delivery_id: UUID = Field(primary_key=True, foreign_key="alerts.delivery.delivery_id")
    attempt: int = Field(primary_key=True, sa_type=Integer)
    at: datetime = Field(sa_type=_MOMENT)
    outcome: str = Field(sa_type=TEXT)
    code: int | None = None
    reason: str = Field(sa_type=TEXT)
    milliseconds: int


class InboxCounter(AlertsTable, table=True):
    """The last item number of an officer's inbox; its row lock makes numbers appear in their order."""

    __tablename__ = "inbox_counter"

    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    last_item_no: int = Field(sa_type=_BIG)


class InboxItem(AlertsTable, table=True):
    """One message in an officer's inbox; `item_no` has no gaps and is the id of the live stream's event."""

    __tablename__ = "inbox_item"
    __table_args__ = (
        UniqueConstraint("notification_id"),
        Index("ix_inbox_item_unread", "officer_no", "item_no", postgresql_where=text("read_at IS NULL")),
    )

    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    item_no: int = Field(primary_key=True, sa_type=_BIG)
    notification_id: UUID = Field(foreign_key="alerts.notification.notification_id")
    alert_id: UUID | None = None
    kind: str = Field(sa_type=TEXT)
    severity: str | None = Field(default=None, sa_type=TEXT)
    title: str = Field(sa_type=TEXT)
    body: str = Field(sa_type=TEXT)
    link: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=_MOMENT)
    read_at: datetime | None = Field(default=None, sa_type=_MOMENT)


class Verification(AlertsTable, table=True):
    """The answer that closed an alert; its id may be made by the client, so that it can be sent again."""

    __tablename__ = "verification"
    __table_args__ = (
        UniqueConstraint("alert_id"),
        CheckConstraint("method IN ('visit','call')", name="method"),
        CheckConstraint("num_nonnulls(method, contacted_by, contacted_on) IN (0, 3)", name="contact_whole"),
        CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes"),
    )

    verification_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    outcome: str = Field(sa_type=TEXT)
    causes: list[str] = Field(sa_type=_TEXTS, sa_column_kwargs=_empty_texts())
    method: str | None = Field(default=None, sa_type=TEXT)
    contacted_by: str | None = Field(default=None, sa_type=TEXT)
    contacted_on: date | None = None
    met: str | None = Field(default=None, sa_type=TEXT)
    minutes: int | None = Field(
        default=None, sa_type=SmallInteger, sa_column_kwargs={"comment": "of the visit or call, way included"}
    )
    helped_by: str | None = Field(default=None, sa_type=TEXT)
    note: str | None = Field(default=None, sa_type=TEXT)
    officer_no: str = Field(sa_type=TEXT)
    officer_role: str = Field(sa_type=TEXT)
    verified_at: datetime = Field(sa_type=_MOMENT)


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
