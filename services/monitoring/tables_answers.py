"""What people answered and decided of households."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Identity, Index, text
from sqlmodel import Field

from shared.db.base import MonitoringTable
from shared.db.columns import BIG, MOMENT, SMALL, STAMPED, TEXT, TEXTS


class Verification(MonitoringTable, table=True):
    """The answer of the person who visited."""

    __tablename__ = "verification"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index("ix_verification_household_id", "household_id", "verification_id"),
    )

    verification_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    alert_id: str = Field(sa_type=TEXT, unique=True)
    subject: str = Field(sa_type=TEXT)
    household_id: int | None = Field(default=None, sa_type=BIG)
    outcome: str = Field(sa_type=TEXT)
    causes: list[str] = Field(sa_type=TEXTS)
    visited_on: date | None = None
    visit_minutes: int | None = Field(
        default=None, sa_type=SMALL, sa_column_kwargs={"comment": "way included; null: not timed, or nobody went"}
    )
    verified_at: datetime = Field(sa_type=MOMENT)
    officer_role: str = Field(sa_type=TEXT)
    facts_version: int = Field(sa_type=BIG)
    policy_version: str = Field(sa_type=TEXT)
    indicators: list[str] = Field(sa_type=TEXTS)
    assessment_id: int | None = Field(
        default=None, sa_type=BIG, sa_column_kwargs={"comment": "the assessment that stood when the answer came"}
    )
    recorded_at: datetime = Field(sa_type=MOMENT, sa_column_kwargs=STAMPED)


class Decision(MonitoringTable, table=True):
    """A named county person entered, changed or removed a household's class."""

    __tablename__ = "decision"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index("ix_decision_household_id", "household_id", "decided_on"),
        CheckConstraint("action IN ('enter', 'change', 'remove')", name="action"),
        CheckConstraint("(action = 'remove') = (listed_as IS NULL)", name="class"),
    )

    decision_id: UUID = Field(primary_key=True)
    household_id: int = Field(sa_type=BIG)
    action: str = Field(sa_type=TEXT)
    listed_as: str | None = Field(default=None, sa_type=TEXT)
    previously: str | None = Field(default=None, sa_type=TEXT)
    recommended: str | None = Field(default=None, sa_type=TEXT)
    assessment_id: int | None = Field(default=None, sa_type=BIG)
    decided_on: date
    document_no: str = Field(sa_type=TEXT)
    reason: str = Field(sa_type=TEXT)
    decided_by: str = Field(sa_type=TEXT)
    decided_by_name: str = Field(sa_type=TEXT)
    removal_blockers: list[str] = Field(
        sa_type=TEXTS,
        sa_column_kwargs={
            "server_default": text("'{}'"),
            "comment": "what spoke against removing it when it was removed; told, not enforced",
        },
    )
    recorded_at: datetime = Field(sa_type=MOMENT, sa_column_kwargs=STAMPED)
