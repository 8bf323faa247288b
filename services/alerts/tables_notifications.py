"""What people are told, together or in digests, and what lies in their inboxes."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import BIG, DIVISION, EMPTY, JSON, MOMENT, TEXT, UUIDS
from shared.queue.tables import ClaimColumns


class Notification(AlertsTable, table=True):
    """A message that was sent, or withheld for a reason; once per `dedupe_key`.

    Without `recipient` it goes to an endpoint of a division, or to nobody. Without `alert_id` it is about the
    `division` or a `subject` whose warning did not open.

    Its push may be one with others' of the `group_key` (`carried_by` names the one that holds it), wait until
    `not_before`, or be a line of a digest (`carried_by`); `outcome` says what it came to, null as long as it waits.
    A message without a push of its own, the letter being all, has neither group nor outcome; `sent` is one that was
    handed to a delivery, which says itself whether it arrived.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index(None, "alert_id"),
        Index(None, "division"),
        Index("ix_notification_silenced", "silence_id", postgresql_where=text("silence_id IS NOT NULL")),
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
    division: str = Field(sa_type=DIVISION)
    recipient: str | None = Field(default=None, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    kind: str = Field(sa_type=TEXT)
    decision: str = Field(sa_type=TEXT)
    reason: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=MOMENT)
    silence_id: UUID | None = Field(default=None, foreign_key="alerts.silence.silence_id")
    not_before: datetime | None = Field(default=None, sa_type=MOMENT)
    group_key: str | None = Field(default=None, sa_type=TEXT)
    urgent: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    carried_by: UUID | None = None
    outcome: str | None = Field(default=None, sa_type=TEXT)
    ended_at: datetime | None = Field(default=None, sa_type=MOMENT)


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
    division: str = Field(sa_type=DIVISION)
    kind: str = Field(sa_type=TEXT)
    sent_set: str | None = Field(default=None, sa_type=TEXT)
    sent_alerts: list[UUID] = Field(sa_type=UUIDS, sa_column_kwargs=EMPTY)
    sent_at: datetime | None = Field(default=None, sa_type=MOMENT)


class DigestRun(AlertsTable, table=True):
    """One person's digest of one day (日汇总), once; without `notification_id` there was nothing to tell."""

    __tablename__ = "digest_run"

    recipient: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    day: date = Field(primary_key=True)
    made_at: datetime = Field(sa_type=MOMENT)
    lines: dict[str, Any] = Field(sa_type=JSON)
    notification_id: UUID | None = Field(default=None, foreign_key="alerts.notification.notification_id")


class MonthlySheet(AlertsTable, table=True):
    """One township's figures after one month's comparison (月度清单), once; `month` is its first day."""

    __tablename__ = "monthly_sheet"

    division: str = Field(primary_key=True, sa_type=DIVISION)
    month: date = Field(primary_key=True)
    made_at: datetime = Field(sa_type=MOMENT)
    figures: dict[str, Any] = Field(sa_type=JSON)


class InboxCounter(AlertsTable, table=True):
    """The last item number of an officer's inbox; its row lock makes numbers appear in their order."""

    __tablename__ = "inbox_counter"

    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    last_item_no: int = Field(sa_type=BIG)


class InboxItem(AlertsTable, table=True):
    """One message in an officer's inbox; `item_no` has no gaps and is the id of the live stream's event.

    `matter` with its id is what is asked of him: a department's task, ticket, consultation, a re-check.
    """

    __tablename__ = "inbox_item"
    __table_args__ = (
        UniqueConstraint("notification_id"),
        Index("ix_inbox_item_unread", "officer_no", "item_no", postgresql_where=text("read_at IS NULL")),
        CheckConstraint("matter IN ('task','ticket','consultation','recheck')", name="matter"),
        CheckConstraint("(matter IS NULL) = (matter_id IS NULL)", name="matter_with_id"),
    )

    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    item_no: int = Field(primary_key=True, sa_type=BIG)
    notification_id: UUID = Field(foreign_key="alerts.notification.notification_id")
    alert_id: UUID | None = None
    kind: str = Field(sa_type=TEXT)
    severity: str | None = Field(default=None, sa_type=TEXT)
    title: str = Field(sa_type=TEXT)
    body: str = Field(sa_type=TEXT)
    link: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=MOMENT)
    read_at: datetime | None = Field(default=None, sa_type=MOMENT)
    matter: str | None = Field(default=None, sa_type=TEXT)
    matter_id: UUID | None = None
