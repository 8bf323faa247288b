"""What is doubtful in the data, and what is read only to find it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Identity, Index, text
from sqlmodel import Field

from shared.db.base import MonitoringTable
from shared.db.columns import BIG, BYTES, COUNTY, CURRENT, DIVISION, JSON, MOMENT, SMALL, TEXT
from shared.queue.tables import ClaimColumns


class RosterDetail(MonitoringTable, table=True):
    """What a roster says of a household, or of a member in it, that is no fact of the policy (登记项).

    Holds from `valid_from` on, as known in [recorded_at, superseded_at); checks of quality read it.
    """

    __tablename__ = "roster_detail"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index(
            "uq_roster_detail_current",
            "household_id",
            "resident_id",
            unique=True,
            postgresql_where=CURRENT,
            postgresql_nulls_not_distinct=True,
        ),
    )

    detail_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    household_id: int = Field(sa_type=BIG)
    resident_id: int | None = Field(default=None, sa_type=BIG, sa_column_kwargs={"comment": "null: of the household"})
    details: dict[str, Any] = Field(sa_type=JSON, sa_column_kwargs={"comment": "by column of the layout"})
    valid_from: date
    origin: str = Field(sa_type=TEXT, sa_column_kwargs={"comment": "the feed that said so"})
    received_at: datetime = Field(sa_type=MOMENT)
    recorded_at: datetime = Field(sa_type=MOMENT)
    superseded_at: datetime | None = Field(default=None, sa_type=MOMENT)


class VillageFigure(MonitoringTable, table=True):
    """What a village says of itself as a whole (村级信息): counts and areas, as of a day."""

    __tablename__ = "village_figure"

    village: str = Field(sa_type=DIVISION, primary_key=True)
    as_of: date
    figures: dict[str, Any] = Field(sa_type=JSON)
    recorded_by: str = Field(sa_type=TEXT)
    recorded_by_name: str = Field(sa_type=TEXT)
    recorded_at: datetime = Field(sa_type=MOMENT)


class QualityFinding(MonitoringTable, table=True):
    """A check of quality that a household, a member or a village does not pass (疑点数据), and who is to mend it.

    Open until the data pass (mended) or somebody says with a reason that they are right as they are (accepted); an
    acceptance lapses when the values it was given for change.
    """

    __tablename__ = "quality_finding"
    __table_args__ = (
        Index(
            "uq_quality_finding_household",
            "check_code",
            "household_id",
            "resident_id",
            unique=True,
            postgresql_where=text("state IN ('open', 'accepted') AND household_id IS NOT NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "uq_quality_finding_village",
            "check_code",
            "division",
            unique=True,
            postgresql_where=text("state IN ('open', 'accepted') AND household_id IS NULL"),
        ),
        Index("ix_quality_finding_household_id", "household_id", "state"),
        Index("ix_quality_finding_division", "division", "state"),
        Index("ix_quality_finding_owner", "owner", "state"),
        CheckConstraint("state IN ('open', 'mended', 'accepted', 'lapsed')", name="state"),
        CheckConstraint("severity BETWEEN 1 AND 5", name="severity"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed"),
    )

    finding_id: UUID = Field(primary_key=True)
    check_code: str = Field(sa_type=TEXT)
    county: str = Field(sa_type=COUNTY)
    division: str = Field(sa_type=DIVISION, sa_column_kwargs={"comment": "the village where it was found"})
    household_id: int | None = Field(default=None, sa_type=BIG, sa_column_kwargs={"comment": "null: of the village"})
    resident_id: int | None = Field(
        default=None, sa_type=BIG, sa_column_kwargs={"comment": "null: not of one member"}
    )
    owner: str = Field(sa_type=TEXT, sa_column_kwargs={"comment": "village, township, or the name of the department"})
    severity: int = Field(sa_type=SMALL)
    opened_on: date
    due_on: date
    state: str = Field(default="open", sa_type=TEXT, sa_column_kwargs={"server_default": text("'open'")})
    digest: bytes = Field(sa_type=BYTES, sa_column_kwargs={"comment": "of the values that the check read"})
    opened_at: datetime = Field(sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_by: str | None = Field(default=None, sa_type=TEXT)
    closed_by_name: str | None = Field(default=None, sa_type=TEXT)
    closed_reason: str | None = Field(default=None, sa_type=TEXT)


class QualityDue(ClaimColumns, MonitoringTable, table=True):
    """A household whose data changed since its quality was checked; claimed once it has been assessed."""

    __tablename__ = "quality_due"
    __table_args__ = (Index("ix_quality_due_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),)

    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


class QualityRun(MonitoringTable, table=True):
    """An order to check the quality of every household of an area; its progress is that of its ranges."""

    __tablename__ = "quality_run"
    __table_args__ = (Index("ix_quality_run_division", "division", "requested_at"),)

    run_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=DIVISION)
    households: int
    reason: str = Field(sa_type=TEXT)
    requested_by: str = Field(sa_type=TEXT)
    requested_at: datetime = Field(sa_type=MOMENT)


class QualityRunRange(ClaimColumns, MonitoringTable, table=True):
    """Households of one county in the order of their numbers, checked in one transaction; claimed."""

    __tablename__ = "quality_run_range"
    __table_args__ = (
        ForeignKeyConstraint(["run_id"], ["monitoring.quality_run.run_id"]),
        Index("ix_quality_run_range_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    run_id: UUID = Field(primary_key=True)
    county: str = Field(sa_type=COUNTY, primary_key=True)
    first_household: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    last_household: int = Field(sa_type=BIG)
    households: int
    opened: int | None = None
    mended: int | None = None
    finished_at: datetime | None = Field(default=None, sa_type=MOMENT)
