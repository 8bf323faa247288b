"""Answers about changes that are pulled."""

from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.config import JsonDict

from services.monitoring.schemas import Answer

EXAMPLE: JsonDict = {
    "items": [
        {
            "id": "01a222ec-45f3-7b3c-ab2b-5aa4e7788f0a",
            "source": "fangpin/monitoring",
            "type": "cn.fangpin.monitoring.risk_changed.v1",
            "time": "2026-03-15T02:00:00Z",
            "data": {
                "policy_version": "national-2026.2+73c78a5d3035",
                "items": [
                    {
                        "subject": "household:F130624001",
                        "household_no": "F130624001",
                        "facts_version": 8,
                        "living_division": "130624100201",
                        "registered_division": "130624100201",
                        "recommendation": "sudden_hardship",
                        "severity": "orange",
                        "causes": ["illness"],
                        "findings": [{"indicator": "medical_self_paid", "state": "fired", "severity": "orange"}],
                        "reason": "recommendation",
                        "opens": True,
                        "on": "2026-03-15",
                        "clocks": {"acknowledge_hours": 24, "verify_days": 7},
                    }
                ],
            },
        }
    ],
    "next_after": "eyJhZnRlciI6NDJ9",
    "more": False,
}


class ChangedView(Answer):
    """One message: id, source, type and data are those a subscriber would be sent; ignore an id seen before."""

    id: UUID
    source: str
    type: str
    time: AwareDatetime
    data: dict[str, Any]


class ChangesPage(Answer):
    """Messages in order; ask again with `next_after`, at once while there is `more`, else some time later."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLE})

    items: list[ChangedView]
    next_after: str = Field(description="下次请求的 after；没有新的变动时也给出")
    more: bool = Field(description="true：还有，可以立即再取")
