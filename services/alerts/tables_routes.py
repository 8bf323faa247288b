"""Which warnings go to whom, and which are held back for a while."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, UniqueConstraint, text
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import DIVISION, JSON, MOMENT, TEXT


class RouteVersion(AlertsTable, table=True):
    """A table of routes (路由表) of one county, never changed: a draft, or in force from `valid_from` on."""

    __tablename__ = "route_version"
    __table_args__ = (
        UniqueConstraint("name"),
        UniqueConstraint("division", "number"),
        Index("ix_route_version_in_force", "division", "valid_from", postgresql_where=text("state = 'active'")),
        CheckConstraint("state IN ('draft','active')", name="state"),
        CheckConstraint("(state = 'active') = (valid_from IS NOT NULL)", name="active_from"),
    )

    version_id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=TEXT)
    division: str = Field(sa_type=DIVISION)
    division_hi: str = Field(sa_type=DIVISION)
    number: int = Field(sa_type=Integer)
    state: str = Field(sa_type=TEXT)
    valid_from: date | None = None
    lines: list[dict[str, Any]] = Field(sa_type=JSON)
    digest: str = Field(sa_type=TEXT)
    created_by: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=MOMENT)
    activated_by: str | None = Field(default=None, sa_type=TEXT)
    activated_at: datetime | None = Field(default=None, sa_type=MOMENT)


class Silence(AlertsTable, table=True):
    """What matches it is not sent for a while (静默); `released_at`: what it held back and still stands was told."""

    __tablename__ = "silence"
    __table_args__ = (
        Index(None, "division"),
        Index("ix_silence_unreleased", "ends_at", postgresql_where=text("released_at IS NULL")),
        CheckConstraint("ends_at > starts_at AND ends_at <= starts_at + interval '90 days'", name="at_most_90_days"),
        CheckConstraint("(expired_at IS NULL) = (expired_by IS NULL)", name="expired_by"),
    )

    silence_id: UUID = Field(primary_key=True)
    division: str = Field(sa_type=DIVISION)
    division_hi: str = Field(sa_type=DIVISION)
    matchers: list[dict[str, Any]] = Field(sa_type=JSON)
    reason: str = Field(sa_type=TEXT)
    author: str = Field(sa_type=TEXT)
    author_role: str = Field(sa_type=TEXT)
    starts_at: datetime = Field(sa_type=MOMENT)
    ends_at: datetime = Field(sa_type=MOMENT)
    created_at: datetime = Field(sa_type=MOMENT)
    expired_at: datetime | None = Field(default=None, sa_type=MOMENT)
    expired_by: str | None = Field(default=None, sa_type=TEXT)
    released_at: datetime | None = Field(default=None, sa_type=MOMENT)
