"""The table of what was told of overdue things."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import TEXT
from sqlmodel import Field

from shared.db.base import AlertsTable

_MOMENT: Any = DateTime(timezone=True)
_SMALL: Any = SmallInteger


class Reminder(AlertsTable, table=True):
    """Something owed that became overdue (逾期催办), told once; a task sent back is owed again in its next round.

    At `superior_at` who stands above is told as well, once; without it there is nobody to tell any more.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        Index("ix_reminder_superior", "superior_at", postgresql_where=text("superior_at IS NOT NULL")),
        CheckConstraint("owed IN ('task','recheck','ticket')", name="owed"),
    )

    owed: str = Field(primary_key=True, sa_type=TEXT)
    item_id: UUID = Field(primary_key=True)
    round: int = Field(primary_key=True, sa_type=_SMALL, sa_column_kwargs={"autoincrement": False})
    told_at: datetime = Field(sa_type=_MOMENT)
    superior_at: datetime | None = Field(default=None, sa_type=_MOMENT)
    superior_told_at: datetime | None = Field(default=None, sa_type=_MOMENT)
