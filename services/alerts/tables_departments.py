"""What departments are asked about a warning: an opinion, a correction, a piece of work."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import BIG, DIVISION, EMPTY, JSON, MOMENT, SMALL, TEXT, TEXTS, row_number


class Consultation(AlertsTable, table=True):
    """A joint consultation (联合会商): who is asked by when, and what was decided; one at a time for an alert."""

    __tablename__ = "consultation"
    __table_args__ = (
        Index("ux_consultation_open", "alert_id", unique=True, postgresql_where=text("state = 'open'")),
        Index(None, "alert_id"),
        CheckConstraint("state IN ('open','decided')", name="state"),
        CheckConstraint("(state = 'decided') = (num_nonnulls(decided_at, decided_by, held_on) = 3)", name="decided"),
    )

    consultation_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    called_by: str = Field(sa_type=TEXT)
    called_at: datetime = Field(sa_type=MOMENT)
    departments: list[str] = Field(sa_type=TEXTS)
    question: str = Field(sa_type=TEXT)
    opinions_by: date
    meets_on: date
    state: str = Field(default="open", sa_type=TEXT, sa_column_kwargs={"server_default": text("'open'")})
    held_on: date | None = None
    attendees: list[str] = Field(sa_type=TEXTS, sa_column_kwargs=EMPTY)
    measures: str | None = Field(default=None, sa_type=TEXT)
    decided_by: str | None = Field(default=None, sa_type=TEXT)
    decided_at: datetime | None = Field(default=None, sa_type=MOMENT)


class ConsultationOpinion(AlertsTable, table=True):
    """A department's written opinion in a consultation; once given it stands."""

    __tablename__ = "consultation_opinion"

    consultation_id: UUID = Field(primary_key=True, foreign_key="alerts.consultation.consultation_id")
    department: str = Field(primary_key=True, sa_type=TEXT)
    officer_no: str = Field(sa_type=TEXT)
    opinion: str = Field(sa_type=TEXT)
    written_at: datetime = Field(sa_type=MOMENT)


class ConsultationCancelled(AlertsTable, table=True):
    """Why a joint consultation was called off (取消会商); its opinions stay, the alert goes on without it."""

    __tablename__ = "consultation_cancelled"

    consultation_id: UUID = Field(primary_key=True, foreign_key="alerts.consultation.consultation_id")
    reason: str = Field(sa_type=TEXT)
    cancelled_by: str = Field(sa_type=TEXT)
    cancelled_at: datetime = Field(sa_type=MOMENT)


class CorrectionTicket(AlertsTable, table=True):
    """Data that a visitor found wrong, for the department that sent it (数据更正单)."""

    __tablename__ = "correction_ticket"
    __table_args__ = (
        Index("ix_correction_ticket_division", "division", "ticket_id"),
        Index("ix_correction_ticket_waiting", "subject", postgresql_where=text("state IN ('open','answered')")),
        UniqueConstraint("alert_id", "department", name="uq_correction_ticket_department"),
        CheckConstraint("state IN ('open','answered','corrected','kept')", name="state"),
    )

    ticket_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    subject: str = Field(sa_type=TEXT)
    household_no: str | None = Field(default=None, sa_type=TEXT)
    division: str = Field(sa_type=DIVISION)
    department: str = Field(sa_type=TEXT)
    measured: dict[str, Any] = Field(
        sa_type=JSON, sa_column_kwargs={"comment": "by indicator, when it was found wrong"}
    )
    facts_version: int = Field(sa_type=BIG)
    opened_at: datetime = Field(sa_type=MOMENT)
    due_at: datetime = Field(sa_type=MOMENT)
    state: str = Field(sa_type=TEXT)
    reply: str | None = Field(default=None, sa_type=TEXT)
    replied_by: str | None = Field(default=None, sa_type=TEXT)
    replied_at: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)


class SectorTask(AlertsTable, table=True):
    """A guarantee of a household that is lacking, as its department's task; one open for a subject and sector."""

    __tablename__ = "sector_task"
    __table_args__ = (
        Index("ux_sector_task_open", "subject", "sector", unique=True, postgresql_where=text("state <> 'closed'")),
        Index(None, "alert_id"),
        Index(None, "sector", "task_id"),
        CheckConstraint("sector IN ('education','medical','housing','water')", name="sector"),
        CheckConstraint("state IN ('open','answered','closed')", name="state"),
        CheckConstraint("feedback IN ('done','not_possible')", name="feedback"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
    )

    task_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    verification_id: UUID = Field(foreign_key="alerts.verification.verification_id")
    subject: str = Field(sa_type=TEXT)
    sector: str = Field(sa_type=TEXT)
    about: str | None = Field(default=None, sa_type=TEXT)
    state: str = Field(default="open", sa_type=TEXT, sa_column_kwargs={"server_default": text("'open'")})
    round: int = Field(default=1, sa_type=SMALL, sa_column_kwargs={"server_default": text("1")})
    opened_at: datetime = Field(sa_type=MOMENT)
    due_at: datetime = Field(sa_type=MOMENT)
    feedback: str | None = Field(default=None, sa_type=TEXT)
    feedback_note: str | None = Field(default=None, sa_type=TEXT)
    feedback_by: str | None = Field(default=None, sa_type=TEXT)
    feedback_at: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)


class SectorTaskLog(AlertsTable, table=True):
    """What was done to a task, append-only; of the alert itself a department sees nothing."""

    __tablename__ = "sector_task_log"
    __table_args__ = (Index(None, "task_id", "log_id"),)

    log_id: int | None = Field(default=None, sa_column=row_number("log_id"))
    task_id: UUID = Field(foreign_key="alerts.sector_task.task_id")
    at: datetime = Field(sa_type=MOMENT)
    actor: str = Field(sa_type=TEXT)
    action: str = Field(sa_type=TEXT)
    state_after: str = Field(sa_type=TEXT)
    note: str | None = Field(default=None, sa_type=TEXT)
