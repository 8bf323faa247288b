"""When a connector asks again, from its crontab line ("30 2 5 * *": the 5th of each month, 02:30), China time."""

from datetime import datetime

from apscheduler.triggers.cron import CronTrigger

from shared.clock import SHANGHAI


def next_time(crontab: str, after: datetime) -> datetime:
    """The first moment behind `after` that the line names; ValueError if it is no crontab line or names none."""
    moment = CronTrigger.from_crontab(crontab, timezone=SHANGHAI).get_next_fire_time(
        after, after.astimezone(SHANGHAI)
    )
    if moment is None:
        raise ValueError("没有这样的时刻")
    found: datetime = moment
    return found
