"""CloudEvents 1.0, JSON format: the envelope of every message."""

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
