"""Bodies of the timeline's answers."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

EventKind = Literal[
    "step",
    "evidence",
    "assigned",
    "released",
    "message",
    "message_ended",
    "attempt",
    "receipt",
    "recheck_drawn",
    "ticket_opened",
    "ticket_replied",
    "ticket_closed",
]


class Event(BaseModel):
    """One thing that happened to an alert, or was told of it."""

    at: AwareDatetime
    kind: EventKind
    actor: str | None = Field(description="干部工号；monitoring 或 alerts 为系统；无人经办时为空")
    words: str = Field(description="一句话", examples=["按路由表 national 分派，命中节点 默认节点"])
    said: dict[str, Any] = Field(description="同一内容，供程序读取")
