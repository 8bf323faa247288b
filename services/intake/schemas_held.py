"""What callers say and read of rows held for review."""

from typing import Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.intake.decide_held_row import HeldDecision
from shared.web.schema import OpenText, Strict


class HeldRowDecision(Strict):
    """What a person decides about a held row, and why."""

    decision: HeldDecision = Field(description="release 金额属实，按原样入库；refuse 退回，不入库")
    reason: OpenText = Field(min_length=2, max_length=200, examples=["已电话核对，金额属实"])


class HeldRowView(BaseModel):
    """A held row and what became of it; what is wrong with it stands among the feed's errors (level review)."""

    line: int
    held_at: AwareDatetime
    decision: HeldDecision | None = Field(description="null：尚无结论")
    reason: str | None
    decided_by: str | None
    decided_at: AwareDatetime | None
    recorded_at: AwareDatetime | None = Field(description="放行后入库的时间")
    overtaken_by: UUID | None = Field(description="又报送了同一编号的批次；本行不再入库")

    @classmethod
    def of(cls, row: Any) -> Self:
        """The view of a row of `feed_row_held`."""
        return cls(**{name: row[name] for name in cls.model_fields})
