"""The steps of those who answer for a warning, and how their answers are checked."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import EMPTY, JSON, MOMENT, TEXT, TEXTS


class ClientStep(AlertsTable, table=True):
    """A step under an id its client made, so that it can be sent again after working offline; `digest`: of what."""

    __tablename__ = "client_step"
    __table_args__ = (Index(None, "alert_id"),)

    step_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    digest: str = Field(sa_type=TEXT)
    taken_at: datetime = Field(sa_type=MOMENT)


class Attempt(AlertsTable, table=True):
    """A try to reach the household that failed: who tried, when (and on which day in China), how."""

    __tablename__ = "attempt"
    __table_args__ = (Index(None, "alert_id"), CheckConstraint("method IN ('visit','call')", name="method"))

    attempt_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    officer_no: str = Field(sa_type=TEXT)
    method: str = Field(sa_type=TEXT)
    tried_at: datetime = Field(sa_type=MOMENT)
    tried_on: date
    note: str | None = Field(default=None, sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=MOMENT)


class Handover(AlertsTable, table=True):
    """An offer to a colleague to answer for an alert, and what became of it; one at a time."""

    __tablename__ = "handover"
    __table_args__ = (
        Index("ux_handover_pending", "alert_id", unique=True, postgresql_where=text("state = 'pending'")),
        Index(None, "alert_id"),
        CheckConstraint("kind IN ('assign','refer','transfer')", name="kind"),
        CheckConstraint("state IN ('pending','accepted','declined','withdrawn','lapsed')", name="state"),
        CheckConstraint("(state = 'pending') = (settled_at IS NULL)", name="settled"),
        CheckConstraint("state <> 'declined' OR answer IS NOT NULL", name="declined_with_reason"),
    )

    handover_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    kind: str = Field(sa_type=TEXT)
    from_officer_no: str = Field(sa_type=TEXT)
    to_officer_no: str = Field(sa_type=TEXT, foreign_key="alerts.officer.officer_no")
    to_role: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    state: str = Field(default="pending", sa_type=TEXT, sa_column_kwargs={"server_default": text("'pending'")})
    answer: str | None = Field(default=None, sa_type=TEXT)
    offered_at: datetime = Field(sa_type=MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=MOMENT)


class Verification(AlertsTable, table=True):
    """The answer to an alert; its id may be made by the client, so that it can be sent again.

    An answer that `stands` closed the alert; one that is `awaiting` or `refused` met the second officer (双人复核).
    """

    __tablename__ = "verification"
    __table_args__ = (
        Index("ux_verification_standing", "alert_id", unique=True, postgresql_where=text("state <> 'refused'")),
        Index(None, "alert_id"),
        Index(None, "verified_at"),
        CheckConstraint("state IN ('awaiting','stands','refused')", name="state"),
        CheckConstraint("num_nonnulls(second_officer_no, second_at) IN (0, 2)", name="second_whole"),
        CheckConstraint("second_officer_no IS DISTINCT FROM officer_no OR second_officer_no IS NULL", name="two"),
        CheckConstraint("method IN ('visit','call')", name="method"),
        CheckConstraint("num_nonnulls(method, contacted_by, contacted_on) IN (0, 3)", name="contact_whole"),
        CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes"),
    )

    verification_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    outcome: str = Field(sa_type=TEXT)
    causes: list[str] = Field(sa_type=TEXTS, sa_column_kwargs=EMPTY)
    method: str | None = Field(default=None, sa_type=TEXT)
    contacted_by: str | None = Field(default=None, sa_type=TEXT)
    contacted_on: date | None = None
    met: str | None = Field(default=None, sa_type=TEXT)
    minutes: int | None = Field(
        default=None, sa_type=SmallInteger, sa_column_kwargs={"comment": "of the visit or call, way included"}
    )
    helped_by: str | None = Field(default=None, sa_type=TEXT)
    note: str | None = Field(default=None, sa_type=TEXT)
    household_check: dict[str, Any] | None = Field(
        default=None,
        sa_type=JSON,
        sa_column_kwargs={"comment": "两不愁三保障 and drinking water: by need, what was seen and a line of text"},
    )
    officer_no: str = Field(sa_type=TEXT)
    officer_role: str = Field(sa_type=TEXT)
    verified_at: datetime = Field(sa_type=MOMENT)
    needs: list[str] = Field(
        sa_type=TEXTS, sa_column_kwargs={**EMPTY, "comment": "三保障 and water found lacking, by sector"}
    )
    state: str = Field(default="stands", sa_type=TEXT, sa_column_kwargs={"server_default": text("'stands'")})
    second_officer_no: str | None = Field(default=None, sa_type=TEXT)
    second_at: datetime | None = Field(default=None, sa_type=MOMENT)
    second_reason: str | None = Field(default=None, sa_type=TEXT)
    consultation_id: UUID | None = Field(default=None, foreign_key="alerts.consultation.consultation_id")


class Recheck(AlertsTable, table=True):
    """An answer drawn to be looked at again by the township, and what that came to."""

    __tablename__ = "recheck"
    __table_args__ = (
        Index(None, "alert_id"),
        Index("ix_recheck_due", "due_at", postgresql_where=text("state = 'due'")),
        Index("ix_recheck_to_open", "settled_at", postgresql_where=text("state = 'differs' AND opened IS NULL")),
        CheckConstraint("state IN ('due','agrees','differs')", name="state"),
        CheckConstraint(
            "(state = 'due') = (num_nonnulls(found, checked_by, method, checked_on, met, settled_at) = 0)", name="due"
        ),
        CheckConstraint("method IN ('visit','call')", name="method"),
    )

    verification_id: UUID = Field(primary_key=True, foreign_key="alerts.verification.verification_id")
    alert_id: UUID = Field(foreign_key="alerts.alert.alert_id")
    drawn_at: datetime = Field(sa_type=MOMENT)
    due_at: datetime = Field(sa_type=MOMENT)
    state: str = Field(default="due", sa_type=TEXT, sa_column_kwargs={"server_default": text("'due'")})
    found: str | None = Field(default=None, sa_type=TEXT)
    checked_by: str | None = Field(default=None, sa_type=TEXT)
    method: str | None = Field(default=None, sa_type=TEXT)
    checked_on: date | None = None
    met: str | None = Field(default=None, sa_type=TEXT)
    note: str | None = Field(default=None, sa_type=TEXT)
    settled_at: datetime | None = Field(default=None, sa_type=MOMENT)
    opened: UUID | None = Field(
        default=None, foreign_key="alerts.alert.alert_id", sa_column_kwargs={"comment": "the alert it led to"}
    )
