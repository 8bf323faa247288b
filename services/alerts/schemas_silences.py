"""Bodies of requests and answers about silences."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.alerts.domain.condition import EXAMPLE
from services.alerts.repository import Row
from services.alerts.rules_in_force import silence_of
from shared.web.schema import DivisionStr, OpenText, Strict

State = Literal["waiting", "active", "ended"]


class SilenceIn(Strict):
    """What matches is not sent from `starts_at` (now) until `ends_at`, 90 days at most.

    Never held back: self-reports, hotline calls, appeals, handovers, the first message of a red alert.
    """

    division: DivisionStr | None = Field(default=None, description="默认本人辖区")
    match: Annotated[OpenText, Field(min_length=1, max_length=1000, examples=[EXAMPLE])]
    reason: Annotated[OpenText, Field(min_length=1, max_length=200, examples=["集中走访期间，统一安排核实"])]
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime = Field(examples=["2026-12-05T18:00:00+08:00"])


class SilenceView(BaseModel):
    """A silence and how many messages it withheld."""

    silence_id: UUID
    division: str
    match: list[str]
    reason: str
    author: str
    author_role: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    created_at: AwareDatetime
    expired_at: AwareDatetime | None
    expired_by: str | None
    state: State
    withheld: int


def silence_view(row: Row, now: datetime) -> SilenceView:
    """A stored silence as it stands at a moment."""
    silence = silence_of(row)
    state: State = "waiting" if now < silence.starts_at else "active"
    same = ("silence_id", "division", "reason", "author", "author_role", "starts_at", "ends_at", "created_at")
    more = ("expired_at", "expired_by", "withheld")
    return SilenceView(
        match=[str(matcher) for matcher in silence.matchers],
        state="ended" if now >= silence.ends_at else state,
        **{name: row[name] for name in (*same, *more)},
    )
