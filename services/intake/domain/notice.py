"""A data notice (数据催报): data that was promised and did not come, or an interface that does not answer."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.intake.domain.feed_layout import FeedLayout


class NoticeKind(StrEnum):
    """late (逾期): came before, and is overdue; missing (从未报送); failing (接口异常)."""

    LATE = "late"
    MISSING = "missing"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Promise:
    """A data set that a division's department owes, and the day it last came (None: never)."""

    layout: FeedLayout
    division: str
    last_came: date | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be said to a department; one of a key is open at a time."""

    kind: NoticeKind
    layout: str
    department: str
    division: str
    detail: str
    due_by: date | None = None
    connector: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.kind, self.layout, self.division, self.connector


def promises(
    layouts: Iterable[FeedLayout], begun: Mapping[str, date], came: Mapping[tuple[str, str], date]
) -> Iterator[Promise]:
    """What each division that has begun to send owes: every data set of the catalogue."""
    for layout in layouts:
        for division in begun:
            yield Promise(layout, division, came.get((layout.name, division)))


def notice_of(promise: Promise, begun_on: date, today: date) -> Notice | None:
    """The notice a promise is worth today; a data set that never came is owed from the day the division began."""
    layout, came = promise.layout, promise.last_came
    due_by = (came or begun_on) + timedelta(days=layout.overdue_after_days)
    if today <= due_by:
        return None
    kind = NoticeKind.MISSING if came is None else NoticeKind.LATE
    last = "从未报送" if came is None else f"上次报送 {came}"
    detail = (
        f"{layout.department_title}的“{layout.title}”{last}，应于 {due_by} 前报送；"
        "期间有关指标按“未知”处理，不按零计算"
    )
    return Notice(kind, layout.name, layout.department, promise.division, detail, due_by)
