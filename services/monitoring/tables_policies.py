"""Policies: which is in force where, what is drafted, what it would change."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from shared.db.base import MonitoringTable
from shared.db.columns import BIG, BIGS, COUNTY, DIVISION, JSON, MOMENT, SMALL, TEXT
from shared.queue.tables import ClaimColumns


class PolicyActivation(MonitoringTable, table=True):
    """From when a policy version assesses a division."""

    __tablename__ = "policy_activation"

    activation_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=DIVISION)
    policy_version: str = Field(sa_type=TEXT)
    activated_at: datetime = Field(sa_type=MOMENT)
    activated_by: str = Field(sa_type=TEXT)


class PolicyDraft(MonitoringTable, table=True):
    """Values a place wants to decide: drafted by one person, approved by another, published from a day on.

    The changes of a row never change; a published row is part of the policy of its place from `activates_on` on.
    """

    __tablename__ = "policy_draft"
    __table_args__ = (
        Index("ix_policy_draft_division", "division", "draft_id"),
        Index("ix_policy_draft_waiting", "activates_on", postgresql_where=text("activated_at IS NULL")),
        CheckConstraint("approved_by <> authored_by", name="second_person"),
        CheckConstraint("published_at IS NULL OR approved_at IS NOT NULL", name="approved_first"),
        CheckConstraint("(published_at IS NULL) = (activates_on IS NULL)", name="published_from"),
        CheckConstraint("withdrawn_at IS NULL OR published_at IS NULL", name="withdrawn_unpublished"),
    )

    draft_id: UUID = Field(primary_key=True)
    version: str = Field(sa_type=TEXT, unique=True)
    division: str = Field(sa_type=DIVISION)
    place_name: str = Field(sa_type=TEXT)
    base_version: str = Field(sa_type=TEXT)
    changes: list[dict[str, Any]] = Field(
        sa_type=JSON, sa_column_kwargs={"comment": "name, value as written, from, document_no"}
    )
    authored_by: str = Field(sa_type=TEXT)
    authored_by_name: str = Field(sa_type=TEXT)
    authored_at: datetime = Field(sa_type=MOMENT)
    approved_by: str | None = Field(default=None, sa_type=TEXT)
    approved_by_name: str | None = Field(default=None, sa_type=TEXT)
    approved_at: datetime | None = Field(default=None, sa_type=MOMENT)
    published_by: str | None = Field(default=None, sa_type=TEXT)
    published_by_name: str | None = Field(default=None, sa_type=TEXT)
    published_at: datetime | None = Field(default=None, sa_type=MOMENT)
    activates_on: date | None = None
    comparison_id: UUID | None = Field(
        default=None, sa_column_kwargs={"comment": "the workload that was shown before publication"}
    )
    capacity_reason: str | None = Field(
        default=None, sa_type=TEXT, sa_column_kwargs={"comment": "why it was published above the capacity"}
    )
    activated_at: datetime | None = Field(default=None, sa_type=MOMENT)
    withdrawn_at: datetime | None = Field(default=None, sa_type=MOMENT)
    withdrawn_by: str | None = Field(default=None, sa_type=TEXT)
    withdrawn_by_name: str | None = Field(default=None, sa_type=TEXT)
    withdrawn_reason: str | None = Field(default=None, sa_type=TEXT)


class PolicyComparison(MonitoringTable, table=True):
    """A what-if: one policy against another over an area, as of a day; counted when all its parts are done."""

    __tablename__ = "policy_comparison"
    __table_args__ = (
        Index("ix_policy_comparison_version", "version", "requested_at"),
        CheckConstraint("state IN ('running', 'finished', 'failed', 'cancelled')", name="state"),
    )

    comparison_id: UUID = Field(primary_key=True)
    version: str = Field(sa_type=TEXT)
    against: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=DIVISION)
    on_date: date
    known_at: datetime = Field(sa_type=MOMENT)
    state: str = Field(default="running", sa_type=TEXT, sa_column_kwargs={"server_default": text("'running'")})
    problem: str | None = Field(default=None, sa_type=TEXT)
    households: int
    result: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    requested_by: str = Field(sa_type=TEXT)
    requested_at: datetime = Field(sa_type=MOMENT)
    finished_at: datetime | None = Field(default=None, sa_type=MOMENT)


class PolicyComparisonPart(ClaimColumns, MonitoringTable, table=True):
    """A range of one county's households to be compared; claimed by a worker."""

    __tablename__ = "policy_comparison_part"
    __table_args__ = (
        ForeignKeyConstraint(["comparison_id"], ["monitoring.policy_comparison.comparison_id"], ondelete="CASCADE"),
        Index("ix_policy_comparison_part_due", "priority", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    comparison_id: UUID = Field(primary_key=True)
    county: str = Field(sa_type=COUNTY, primary_key=True)
    first_id: int = Field(sa_type=BIG, primary_key=True)
    last_id: int = Field(sa_type=BIG)
    households: int


class PolicyComparisonHousehold(MonitoringTable, table=True):
    """A household of which either policy says something, with what each says.

    No foreign keys: it is written in bulk, out of the tables they would point to.
    """

    __tablename__ = "policy_comparison_household"

    comparison_id: UUID = Field(primary_key=True)
    household_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    living_division: str = Field(sa_type=DIVISION)
    class_before: str | None = Field(default=None, sa_type=TEXT)
    class_after: str | None = Field(default=None, sa_type=TEXT)
    severity_before: int | None = Field(default=None, sa_type=SMALL)
    severity_after: int | None = Field(default=None, sa_type=SMALL)
    causes_before: int = Field(sa_type=BIG)
    causes_after: int = Field(sa_type=BIG)
    fired_before: list[int] = Field(
        sa_type=BIGS,
        sa_column_kwargs={"comment": "which indicators fired, 62 to a word, in the order of the policy"},
    )
    fired_after: list[int] = Field(sa_type=BIGS)
    visit_before: bool
    visit_after: bool
