"""Warnings, why they stand, and who answers for each."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import BIG, DIVISION, EMPTY, JSON, MOMENT, SMALL, TEXT, TEXTS, row_number


class AlertSubject(AlertsTable, table=True):
    """What news was last seen of a subject; its row is the lock under which news of it is handled."""

    __tablename__ = "alert_subject"

    subject: str = Field(primary_key=True, sa_type=TEXT)
    facts_version: int = Field(sa_type=BIG)
    report_ids: list[str] = Field(sa_type=TEXTS, sa_column_kwargs=EMPTY)


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
        CheckConstraint("status IN ('open','acknowledged','verifying','confirming','closed')", name="status"),
        CheckConstraint("severity IN ('red','orange','yellow','blue')", name="severity"),
        CheckConstraint(
            "outcome IN ('identify','need_met','already_monitored','no_risk','data_wrong','moved','deceased')",
            name="outcome",
        ),
        CheckConstraint(
            "acknowledge_unit IN ('hours','working_hours','days','working_days')", name="acknowledge_unit"
        ),
        CheckConstraint("verify_unit IN ('hours','working_hours','days','working_days')", name="verify_unit"),
        CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL) AND (status = 'closed') = (outcome IS NOT NULL)",
            name="closed_with_outcome",
        ),
    )

    alert_id: UUID = Field(primary_key=True)
    subject: str = Field(sa_type=TEXT)
    household_no: str | None = Field(default=None, sa_type=TEXT)
    living_division: str = Field(sa_type=DIVISION)
    registered_division: str = Field(sa_type=DIVISION)
    contact_name: str = Field(sa_type=TEXT)
    contact_phone: str | None = Field(default=None, sa_type=TEXT)
    severity: str | None = Field(default=None, sa_type=TEXT)
    recommendation: str | None = Field(default=None, sa_type=TEXT)
    listed_as: str | None = Field(default=None, sa_type=TEXT)
    causes: list[str] = Field(sa_type=TEXTS, sa_column_kwargs=EMPTY)
    reason: str = Field(sa_type=TEXT)
    report_ids: list[str] = Field(sa_type=TEXTS, sa_column_kwargs=EMPTY)
    facts_version: int = Field(sa_type=BIG)
    policy_version: str = Field(sa_type=TEXT)
    acknowledge_hours: int = Field(sa_type=SMALL)
    acknowledge_unit: str = Field(default="hours", sa_type=TEXT, sa_column_kwargs={"server_default": text("'hours'")})
    verify_days: int = Field(sa_type=SMALL)
    verify_unit: str = Field(default="days", sa_type=TEXT, sa_column_kwargs={"server_default": text("'days'")})
    ack_from: datetime | None = Field(default=None, sa_type=MOMENT)
    verify_from: datetime | None = Field(default=None, sa_type=MOMENT)
    second_officer_severities: list[str] = Field(
        sa_type=TEXTS, sa_column_kwargs={"server_default": text("'{red}'"), "comment": "of policy, as it was told"}
    )
    recheck_percent: int = Field(default=5, sa_type=SMALL, sa_column_kwargs={"server_default": text("5")})
    recheck_working_days: int = Field(default=10, sa_type=SMALL, sa_column_kwargs={"server_default": text("10")})
    task_working_days: int = Field(default=10, sa_type=SMALL, sa_column_kwargs={"server_default": text("10")})
    status: str = Field(default="open", sa_type=TEXT, sa_column_kwargs={"server_default": text("'open'")})
    outcome: str | None = Field(default=None, sa_type=TEXT)
    follows: UUID | None = None
    opened_at: datetime = Field(sa_type=MOMENT)
    opened_on: date
    ack_due_at: datetime = Field(sa_type=MOMENT)
    verify_due_at: datetime = Field(sa_type=MOMENT)
    routed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    acknowledged_at: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    version: int = Field(default=1, sa_column_kwargs={"server_default": text("1")})
    route_version: str | None = Field(default=None, sa_type=TEXT)
    route_nodes: list[str] = Field(sa_type=TEXTS, sa_column_kwargs=EMPTY)


class AlertEvidence(AlertsTable, table=True):
    """Why a warning stands: a finding or a fact, each once (`digest`), with the message that brought it."""

    __tablename__ = "alert_evidence"
    __table_args__ = (
        UniqueConstraint("alert_id", "digest"),
        CheckConstraint("kind IN ('finding','fact')", name="kind"),
    )

    evidence_id: int | None = Field(default=None, sa_column=row_number("evidence_id"))
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    event_id: UUID
    kind: str = Field(sa_type=TEXT)
    item: dict[str, Any] = Field(sa_type=JSON)
    digest: str = Field(sa_type=TEXT)
    facts_version: int = Field(sa_type=BIG)
    policy_version: str = Field(sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=MOMENT)


class AlertLog(AlertsTable, table=True):
    """The timeline of an alert, append-only: who did what when."""

    __tablename__ = "alert_log"
    __table_args__ = (Index(None, "alert_id", "log_id"),)

    log_id: int | None = Field(default=None, sa_column=row_number("log_id"))
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    at: datetime = Field(sa_type=MOMENT)
    actor: str = Field(sa_type=TEXT)
    action: str = Field(sa_type=TEXT)
    status_before: str | None = Field(default=None, sa_type=TEXT)
    status_after: str = Field(sa_type=TEXT)
    detail: dict[str, Any] = Field(sa_type=JSON)


class Assignment(AlertsTable, table=True):
    """A person who answers for an alert, and why; ended when it is handed over."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index("ux_assignment_current", "alert_id", "officer_no", unique=True, postgresql_where=text("until IS NULL")),
        Index(None, "officer_no"),
        CheckConstraint(
            "reach IN ('duty','deputy','paired','fallthrough','copy','handed_over','escalated')", name="reach"
        ),
    )

    assignment_id: int | None = Field(default=None, sa_column=row_number("assignment_id"))
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    role: str = Field(sa_type=TEXT)
    level: int = Field(sa_type=SMALL)
    reach: str = Field(sa_type=TEXT)
    since: datetime = Field(sa_type=MOMENT)
    until: datetime | None = Field(default=None, sa_type=MOMENT)


class AlertBarred(AlertsTable, table=True):
    """Whom an alert is about (回避): his own household, or a complaint naming him. He neither hears nor sees it."""

    __tablename__ = "alert_barred"
    __table_args__ = (
        Index(None, "officer_no"),
        CheckConstraint("why IN ('family','complaint')", name="why"),
    )

    alert_id: UUID = Field(primary_key=True, foreign_key="alerts.alert.alert_id")
    officer_no: str = Field(primary_key=True, sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    why: str = Field(sa_type=TEXT)
    living_division: str = Field(sa_type=DIVISION)
    registered_division: str = Field(sa_type=DIVISION)
    since: datetime = Field(sa_type=MOMENT)
