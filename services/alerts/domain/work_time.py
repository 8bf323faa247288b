"""Working time (工作时间): which days are worked and when a deadline in working days falls; Asia/Shanghai."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_CLOSES = time(18)


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Monday to Friday; holidays and make-up days are not known here."""

    def is_workday(self, on: date) -> bool:
        return on.weekday() < 5

    def add_working_days(self, moment: datetime, days: int) -> datetime:
        """The end of the `days`-th working day after that of the moment, which is not counted."""
        day, left = moment.astimezone(SHANGHAI).date(), days
        while left:
            day += timedelta(days=1)
            left -= self.is_workday(day)
        return datetime.combine(day, _CLOSES, SHANGHAI)
