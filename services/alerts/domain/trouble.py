"""What may stand still in alerts (停摆), how late is too late, and how that is said."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Trouble(StrEnum):
    """What is watched."""

    ESCALATIONS = "escalations_overdue"
    DELIVERIES = "deliveries_stand_still"
    OUTBOX = "outbox_stands_still"
    TIMERS = "alerts_without_timer"
    TASKS = "tasks_silent"


@dataclass(frozen=True, slots=True)
class Late:
    """How much is late, and since when the oldest of it is."""

    number: int
    since: datetime


# How long each may lie before it is trouble.
PATIENCE = {
    Trouble.ESCALATIONS: timedelta(minutes=5),
    Trouble.DELIVERIES: timedelta(minutes=10),
    Trouble.OUTBOX: timedelta(minutes=10),
    Trouble.TIMERS: timedelta(minutes=30),
    Trouble.TASKS: timedelta(minutes=5),
}
_SAID = {
    Trouble.ESCALATIONS: "预警逐级督办停摆",
    Trouble.DELIVERIES: "消息投递停摆",
    Trouble.OUTBOX: "服务间消息停摆",
    Trouble.TIMERS: "有预警没有督办计时",
    Trouble.TASKS: "后台任务没有按时运行",
}


def subject_of(trouble: Trouble, *, is_over: bool) -> str:
    """What happened, in a line."""
    return f"【防贫监测】{_SAID[trouble]}{'已恢复' if is_over else ''}"


def detail_of_late(late: Late) -> str:
    """How much is late; it names nobody and no place."""
    return f"共 {late.number} 项超时未处理，最早一项应于 {late.since.isoformat(timespec='seconds')} 处理。"


def detail_of_silent(names: list[str]) -> str:
    return f"没有按时运行的任务：{'、'.join(names)}。"
