"""On which days a region works."""

from datetime import date as date_
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from shared.db.base import AlertsTable
from shared.db.columns import DIVISION, MOMENT, SMALL, TEXT, row_number


class WorkCalendarDay(AlertsTable, table=True):
    """A day that is otherwise than the days of the week say (放假、调休), in a region.

    A year is known where it has rows of `chinesecalendar` or `state_council`; the latter stand for the former, and
    what the `county` says of a day stands above both.
    """

    __tablename__ = "work_calendar_day"
    __table_args__ = (
        CheckConstraint("kind IN ('holiday','workday')", name="kind"),
        CheckConstraint("source IN ('chinesecalendar','state_council','county')", name="source"),
    )

    region: str = Field(primary_key=True, sa_type=DIVISION)
    date: date_ = Field(primary_key=True)
    source: str = Field(primary_key=True, sa_type=TEXT)
    region_hi: str = Field(sa_type=DIVISION)
    kind: str = Field(sa_type=TEXT)
    name: str = Field(sa_type=TEXT)
    written_at: datetime = Field(sa_type=MOMENT)


class WorkCalendarChange(AlertsTable, table=True):
    """A year whose days changed in a region: the deadlines over it are computed again, in the order of alerts."""

    __tablename__ = "work_calendar_change"

    change_id: int | None = Field(default=None, sa_column=row_number("change_id"))
    region: str = Field(sa_type=DIVISION)
    region_hi: str = Field(sa_type=DIVISION)
    year: int = Field(sa_type=SMALL)
    made_at: datetime = Field(sa_type=MOMENT)
    after_alert: UUID | None = None
    done_at: datetime | None = Field(default=None, sa_type=MOMENT)
