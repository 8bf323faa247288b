"""Bodies of requests and answers about the work calendar."""

from datetime import date as date_
from typing import Literal

from pydantic import BaseModel, Field

from services.alerts.domain.work_time import DayKind
from shared.web.schema import Name, Strict

Source = Literal["chinesecalendar", "state_council", "county"]


class CalendarDayIn(Strict):
    """A day off, or a make-up day that is worked (调休上班)."""

    date: date_ = Field(examples=["2027-10-01"])
    kind: DayKind = Field(examples=["holiday"])
    name: Name = Field(examples=["国庆节"])


class CalendarDayView(BaseModel):
    """A day that is otherwise than the days of the week say, and who says so."""

    date: date_
    kind: DayKind
    name: str
    source: Source


class CalendarYear(BaseModel):
    """A year as it stands in the caller's county; `provisional` while only Monday to Friday are known of it."""

    year: int
    provisional: bool = Field(description="尚无该年放假安排，暂按周一至周五推算；导入后时限自动重算")
    working_hours: list[str] = Field(examples=[["08:30-12:00", "14:30-18:00"]])
    working_days: int
    days: list[CalendarDayView]
