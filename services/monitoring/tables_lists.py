"""The national system's list, and where a county's lists disagree."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey, ForeignKeyConstraint, Identity, Index, text
from sqlmodel import Field

from shared.db.base import MonitoringTable
from shared.db.columns import BIG, COUNTY, CURRENT, DIVISION, JSON, MOMENT, TEXT, TEXTS
from shared.queue.tables import ClaimColumns


class MonitoredImport(MonitoringTable, table=True):
    """An export of the national system's monitored list that was taken in."""

    __tablename__ = "monitored_import"
    __table_args__ = (Index("ix_monitored_import_division", "division", "imported_at"),)

    import_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=DIVISION)
    as_of: date
    complete: bool
    counts: dict[str, Any] = Field(sa_type=JSON)
    imported_by: str = Field(sa_type=TEXT)
    imported_by_name: str = Field(sa_type=TEXT)
    imported_at: datetime = Field(sa_type=MOMENT)


class MonitoredEntry(MonitoringTable, table=True):
    """A household on the national system's monitored list, as known in [recorded_at, superseded_at)."""

    __tablename__ = "monitored_entry"
    __table_args__ = (
        ForeignKeyConstraint(["household_id"], ["monitoring.household.household_id"]),
        Index("uq_monitored_entry_current", "county", "household_no", unique=True, postgresql_where=CURRENT),
        Index("ix_monitored_entry_household_id", "household_id", postgresql_where=CURRENT),
        Index("ix_monitored_entry_division", "division"),
    )

    entry_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    import_id: UUID
    county: str = Field(sa_type=COUNTY)
    division: str = Field(sa_type=DIVISION)
    household_no: str = Field(sa_type=TEXT)
    household_id: int | None = Field(default=None, sa_type=BIG)
    head_name: str = Field(sa_type=TEXT)
    listed_as: str = Field(sa_type=TEXT)
    identified_on: date | None = None
    removed_on: date | None = None
    removal_mode: str | None = Field(default=None, sa_type=TEXT)
    causes: list[str] = Field(sa_type=TEXTS)
    vanished: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": text("false"), "comment": "a complete export no longer has it"},
    )
    recorded_at: datetime = Field(sa_type=MOMENT)
    superseded_at: datetime | None = Field(default=None, sa_type=MOMENT)


class ListComparison(ClaimColumns, MonitoringTable, table=True):
    """A comparison of a county's lists with the register and each other; due until it is made."""

    __tablename__ = "list_comparison"
    __table_args__ = (
        Index("ux_list_comparison_due", "county", unique=True, postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_list_comparison_month", "county", "month"),
        {"comment": "Monthly comparisons (每月20日数据比对)"},
    )

    comparison_id: UUID = Field(primary_key=True)
    county: str = Field(sa_type=COUNTY)
    month: date = Field(sa_column_kwargs={"comment": "its first day"})
    requested_by: str = Field(sa_type=TEXT)
    requested_at: datetime = Field(sa_type=MOMENT)
    compared_at: datetime | None = Field(default=None, sa_type=MOMENT)
    compared_on: date | None = None


class ListFinding(MonitoringTable, table=True):
    """Somebody who is on one list and not on another, as a comparison found it."""

    __tablename__ = "list_finding"
    __table_args__ = (
        Index("ix_list_finding_comparison", "comparison_id", "division", "check_code"),
        Index("ix_list_finding_household_id", "household_id"),
    )

    finding_id: int = Field(sa_column=Column(BigInteger, Identity(), primary_key=True))
    comparison_id: UUID = Field(
        sa_column=Column(
            "comparison_id",
            ForeignKey("monitoring.list_comparison.comparison_id", ondelete="CASCADE"),
            nullable=False,
        )
    )
    check_code: str = Field(sa_type=TEXT)
    household_id: int = Field(sa_type=BIG)
    resident_id: int | None = Field(default=None, sa_type=BIG)
    division: str = Field(sa_type=DIVISION, sa_column_kwargs={"comment": "where the household lived then"})
