"""CloudEvents 1.0, JSON format: the envelope of every message."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.vocabulary.identifiers import new_id


class Event(BaseModel):
    """One message; (source, id) names it for ever, whatever is retried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str = Field(pattern=r"^fangpin/(intake|monitoring|alerts)$")
    type: str = Field(pattern=r"^cn\.fangpin\.[a-z_.]+\.v[0-9]+$", max_length=120)
    time: AwareDatetime
    subject: str | None = Field(default=None, max_length=200)
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = Field(default=None, max_length=60)
    data: dict[str, Any]

    @classmethod
    def make(
        cls,
        source: str,
        type_: str,
        subject: str | None,
        data: BaseModel | dict[str, Any],
        now: datetime,
        *,
        id_: UUID | None = None,
        traceparent: str | None = None,
    ) -> Self:
        """Make a message of `source`; `data` is a contract model or its JSON form."""
        body = data.model_dump(mode="json", exclude_none=True) if isinstance(data, BaseModel) else data
        return cls(
            id=id_ or new_id(now),
            source=source,
            type=type_,
            time=now,
            subject=subject,
            data=body,
            traceparent=traceparent,
        )


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """A message whose `data` is JSON text already, which nobody on its way has to read."""

    id: UUID
    source: str
    type: str
    time: datetime
    subject: str | None
    traceparent: str | None
    data: str

    def text(self) -> str:
        """The message as it is sent."""
        head = {
            "specversion": "1.0",
            "id": str(self.id),
            "source": self.source,
            "type": self.type,
            "time": self.time.isoformat(),
            "subject": self.subject,
            "datacontenttype": "application/json",
            "traceparent": self.traceparent,
        }
        told = {name: value for name, value in head.items() if value is not None}
        return f'{json.dumps(told, ensure_ascii=False)[:-1]}, "data": {self.data}}}'
