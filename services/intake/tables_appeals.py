"""What a person may ask for after the answer: an appeal, a look into his own record."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from shared.db.base import IntakeTable
from shared.db.columns import BYTES, DIVISION, MOMENT, TEXT, said


class Appeal(IntakeTable, table=True):
    """An answer somebody does not accept (申诉), until another person decides it with reasons."""

    __tablename__ = "appeal"
    __table_args__ = (
        CheckConstraint("state IN ('filed','looked_at','upheld','changed','withdrawn')", name="state"),
        CheckConstraint("against IN ('no_risk','removed','not_listed','other_answer')", name="against"),
        CheckConstraint(
            "decided_by IS NULL OR answered_by IS NULL OR decided_by <> answered_by", name="another_person"
        ),
        CheckConstraint("(state IN ('upheld','changed')) = (decided_at IS NOT NULL)", name="decided"),
        Index(
            "uq_appeal_open",
            "subject",
            unique=True,
            postgresql_where=text("state IN ('filed','looked_at')"),
        ),
        Index("ix_appeal_due", "due_on", postgresql_where=text("state IN ('filed','looked_at')")),
        Index("ix_appeal_report_id", "report_id"),
        {"comment": "Appeals against an answer (申诉)"},
    )

    appeal_id: UUID = Field(primary_key=True)
    subject: str = Field(sa_type=TEXT, sa_column_kwargs=said("what is appealed: report:<id> or household:<no>"))
    report_id: UUID | None = Field(default=None, sa_column_kwargs=said("the first version of the report"))
    division: str = Field(sa_type=DIVISION)
    household_no: str | None = Field(default=None, sa_type=TEXT)
    against: str = Field(sa_type=TEXT)
    answered_by: str | None = Field(default=None, sa_type=TEXT, sa_column_kwargs=said("who gave the answer"))
    client: str = Field(sa_type=TEXT, sa_column_kwargs=said("who filed it: a receipt code, or a person's login"))
    sealed_reason: bytes = Field(sa_type=BYTES)
    state: str = Field(default="filed", sa_type=TEXT, sa_column_kwargs={"server_default": text("'filed'")})
    filed_at: datetime = Field(sa_type=MOMENT)
    due_on: date = Field(sa_column_kwargs=said("the last day for a decision"))
    alert_id: UUID | None = None
    looked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    looked_by: str | None = Field(default=None, sa_type=TEXT)
    look_outcome: str | None = Field(default=None, sa_type=TEXT)
    decided_at: datetime | None = Field(default=None, sa_type=MOMENT)
    decided_by: str | None = Field(default=None, sa_type=TEXT, sa_column_kwargs=said("officer number"))
    sealed_decision: bytes | None = Field(
        default=None, sa_type=BYTES, sa_column_kwargs=said("the reasons, in plain words")
    )


class OwnRecord(IntakeTable, table=True):
    """What a person asked to see of his own record, and monitoring's answer, kept for a short time only."""

    __tablename__ = "own_record"
    __table_args__ = (
        Index("ix_own_record_person", "person_index", "asked_at"),
        {"comment": "Looks into one's own record (本人查询)"},
    )

    request_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=DIVISION)
    person_index: bytes = Field(sa_type=BYTES)
    asked_at: datetime = Field(sa_type=MOMENT)
    answered_at: datetime | None = Field(default=None, sa_type=MOMENT)
    sealed_answer: bytes | None = Field(default=None, sa_type=BYTES)
