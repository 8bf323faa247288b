"""A file from a department on its way in (报送批次): its states, its period, and the brake on snapshots."""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class FeedMode(StrEnum):
    """If a row is bad: dry_run (试运行) never records, atomic (整批) records none, partial (部分) the good ones."""

    DRY_RUN = "dry_run"
    ATOMIC = "atomic"
    PARTIAL = "partial"


class LayoutMode(StrEnum):
    """Whether a layout that a county sends is only checked, or saved as well."""

    DRY_RUN = "dry_run"
    SAVE = "save"


class FeedStatus(StrEnum):
    """Where a feed stands; the last five are ends, but a waiting one can be confirmed."""

    RECEIVED = "received"
    READING = "reading"
    RECORDING = "recording"
    WAITING_CONFIRMATION = "waiting_confirmation"
    RECORDED = "recorded"
    CHECKED = "checked"
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Period:
    """The days a file speaks of, both ends included."""

    first: date
    last: date


_PERIOD = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)


def parse_period(text: str) -> Period:
    """Read "2026", "2026-01" or "2026-01-31"; ValueError for anything else."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise ValueError("应为年、年-月或年-月-日，例如 2026、2026-01、2026-01-31")
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    if not 1949 <= year <= 2199:
        raise ValueError("年份超出范围")
    if month is None:
        return Period(date(year, 1, 1), date(year, 12, 31))
    if not 1 <= month <= 12:
        raise ValueError("月份应为 01 至 12")
    if day is None:
        return Period(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
    try:
        return Period(date(year, month, day), date(year, month, day))
    except ValueError:
        raise ValueError("没有这一天") from None


BRAKE_SHARE = 0.20
BRAKE_COUNT = 10


def brakes(*, ending: int, live: int, listed: int) -> bool:
    """True if a snapshot would end so much of its list that a person must confirm it (熔断).

    More than a fifth and more than ten records, or an empty list while records live.
    """
    if not ending:
        return False
    return listed == 0 or (ending > BRAKE_COUNT and ending > live * BRAKE_SHARE)
