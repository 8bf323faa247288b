"""An alert as the errand of one cadre (待办): by when, how urgent, why in one sentence."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.alerts.domain.alert import Status
from services.alerts.domain.message import causes_zh


@dataclass(frozen=True, slots=True)
class Due:
    """The deadline that comes next, and what must be done by then."""

    at: datetime
    what: str

    def left(self, now: datetime) -> str:
        """How much time is left, in words."""
        if now >= self.at:
            return f"已超期 {_span(now - self.at)}"
        return f"还剩 {_span(self.at - now)}"

    def is_over(self, now: datetime) -> bool:
        return now >= self.at


def next_due(status: Status, acknowledge_by: datetime, verify_by: datetime) -> Due:
    """An open alert is first acknowledged, any other answered."""
    if status is Status.OPEN and acknowledge_by < verify_by:
        return Due(acknowledge_by, "签收")
    return Due(verify_by, "核实")


def _span(length: timedelta) -> str:
    hours = int(length.total_seconds() // 3600)
    if hours >= 48:
        return f"{hours // 24} 天"
    return f"{hours} 小时" if hours else f"{int(length.total_seconds() // 60)} 分钟"


def why(causes: Sequence[str], sentences: Sequence[str], classes: Collection[str], *, has_reported: bool) -> str:
    """Why this household, in one sentence; amounts only for those whose post sees them."""
    if has_reported and not sentences:
        return "农户自己申报了困难，等着答复。"
    if "amount" in classes and sentences:
        return f"{sentences[0].rstrip('。')}。"
    if "cause" in classes and causes:
        return f"部门数据比对发现这一户可能{causes_zh(causes, has_reported=False)}有返贫致贫风险。"
    return "部门数据比对发现这一户可能有返贫致贫风险。"


def mark_of(severity: str | None, reports: Sequence[str]) -> str:
    """What a cadre saw of an alert, in short; it changes with a worse level and with a further plea."""
    return f"{severity or 'none'}.{len(reports)}"
