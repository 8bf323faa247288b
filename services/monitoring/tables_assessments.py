"""What the policy said of households, what it counted to say so, and the orders to say it again."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    text,
)
from sqlmodel import Field

from services.monitoring.domain.stored_measures import MOST_MEASURES
from shared.db.base import MonitoringTable
from shared.db.columns import BIG, BIGS, BYTES, COUNTY, DIVISION, JSON, MOMENT, SMALL, STAMPED, TEXT
from shared.queue.tables import ClaimColumns


class Assessment(MonitoringTable, table=True):
    """What the policy said of a household; append-only, written only when the answer changed."""

    __tablename__ = "assessment"
    __table_args__ = (
        # No foreign key: whoever writes holds the household's row, and checking it doubles the cost of a rescreen.
        PrimaryKeyConstraint("household_id", "assessment_id"),
    )

    assessment_id: int = Field(
        sa_column=Column(
            BigInteger, primary_key=True, autoincrement=False, comment="numbers the assessments of a household"
        )
    )
    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    county: str = Field(sa_type=COUNTY)
    on_date: date
    known_at: datetime = Field(sa_type=MOMENT)
    policy_version: str = Field(sa_type=TEXT)
    engine_version: str = Field(sa_type=TEXT)
    recommendation: str | None = Field(default=None, sa_type=TEXT)
    severity: int | None = Field(default=None, sa_type=SMALL)
    score: int = Field(sa_type=SMALL)
    causes: int = Field(sa_type=BIG)
    fired: int = Field(sa_type=BIG)
    unknown: int = Field(sa_type=BIG)
    flags: int = Field(sa_type=BIG)
    confidence_percent: int = Field(sa_type=SMALL)
    measured: dict[str, Any] | None = Field(
        default=None, sa_type=JSON, sa_column_kwargs={"comment": "engine 1: the compiled statement's row as JSON"}
    )
    digest: bytes = Field(sa_type=BYTES)
    facts_version: int = Field(sa_type=BIG)
    created_at: datetime = Field(sa_type=MOMENT, sa_column_kwargs=STAMPED)
    outcome: list[int] | None = Field(
        default=None,
        sa_type=BIGS,
        sa_column_kwargs={"comment": "the compiled statement's row in the package's order; see stored_outcome"},
    )


class HouseholdMeasures(MonitoringTable, table=True):
    """What is counted from the facts of a household: the first half of the compiled text, kept for the second.

    It stands while the household's facts_version is the same, from `measured_on` until the day before `valid_until`.
    The columns v1, v2, … hold the values in the package's order (see domain/stored_measures); unknown is null.
    """

    __tablename__ = "measure"
    __table_args__ = (
        Index("ix_measure_county", "county", "household_id"),
        Index("ix_measure_changes_on", "changes_on", postgresql_where=text("changes_on IS NOT NULL")),
    )

    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    county: str = Field(sa_type=COUNTY)
    measured_on: date
    valid_until: date
    changes_on: date | None = Field(
        default=None,
        sa_column_kwargs={"comment": "first day before the next month on which time alone changes them"},
    )
    facts_version: int = Field(sa_type=BIG)
    shape: bytes = Field(sa_type=BYTES, sa_column_kwargs={"comment": "digest of the measures' definitions"})


for _number in range(1, MOST_MEASURES + 1):
    HouseholdMeasures.__table__.append_column(Column(f"v{_number}", BigInteger))  # type: ignore[attr-defined]


class WarningOpened(MonitoringTable, table=True):
    """A warning opened over a household; appended by the database when `household.warned_at` is set."""

    __tablename__ = "warning_opened"
    __table_args__ = (Index("ix_warning_opened_household_id", "household_id", "opened_at"),)

    warning_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    household_id: int = Field(sa_type=BIG)
    opened_at: datetime = Field(sa_type=MOMENT)


class Rescreen(MonitoringTable, table=True):
    """An order to assess every household of an area again; its progress is that of its ranges."""

    __tablename__ = "rescreen"

    rescreen_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=DIVISION)
    households: int
    reason: str = Field(sa_type=TEXT)
    requested_by: str = Field(sa_type=TEXT)
    requested_at: datetime = Field(sa_type=MOMENT)
    cancelled_at: datetime | None = Field(default=None, sa_type=MOMENT)
    cancelled_by: str | None = Field(default=None, sa_type=TEXT)


class RescreenRange(ClaimColumns, MonitoringTable, table=True):
    """Households of one county in the order of their numbers, assessed again in one transaction; claimed."""

    __tablename__ = "rescreen_range"
    __table_args__ = (
        ForeignKeyConstraint(["rescreen_id"], ["monitoring.rescreen.rescreen_id"]),
        Index("ix_rescreen_range_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    rescreen_id: UUID = Field(primary_key=True)
    county: str = Field(sa_type=COUNTY, primary_key=True)
    first_household: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    last_household: int = Field(sa_type=BIG)
    households: int
    changed: int | None = Field(default=None, sa_column_kwargs={"comment": "assessments appended"})
    told: int | None = Field(default=None, sa_column_kwargs={"comment": "households whose risk was told"})
    finished_at: datetime | None = Field(default=None, sa_type=MOMENT)


class CalendarRun(MonitoringTable, table=True):
    """A rescreen that the calendar asked for in a county; each day of a kind is run once."""

    __tablename__ = "calendar_run"
    __table_args__ = (CheckConstraint("kind IN ('time', 'monthly', 'quarterly')", name="kind"),)

    kind: str = Field(sa_type=TEXT, primary_key=True)
    county: str = Field(sa_type=COUNTY, primary_key=True)
    day: date = Field(primary_key=True)
    rescreen_id: UUID | None = Field(default=None, sa_column_kwargs={"comment": "null: nothing was to be done"})
    ran_at: datetime = Field(sa_type=MOMENT)
