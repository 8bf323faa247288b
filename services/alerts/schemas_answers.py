"""Bodies of requests and answers about what stands behind an answer: offers, second officers, re-checks, bursts."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.alerts.acknowledge_many import Acknowledged
from services.alerts.domain.alert import Status
from services.alerts.domain.burst import BurstKind
from services.alerts.domain.handover import HandoverAnswer, HandoverKind, HandoverState
from services.alerts.domain.recheck import RecheckState
from services.alerts.domain.verification import Contact, Method
from services.alerts.schemas import Note, Place, StepId, Version
from shared.vocabulary.terms import Outcome, Severity
from shared.web.schema import Name, Strict

MOST_AT_ONCE = 200


class AcknowledgeManyIn(Strict):
    """Alerts to acknowledge; each is answered for itself."""

    alert_ids: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE)


class AcknowledgedView(BaseModel):
    """What became of one of them; `unknown` too if it is out of range."""

    alert_id: UUID
    result: Acknowledged
    version: int | None


class AcknowledgedMany(BaseModel):
    items: list[AcknowledgedView]


class AboutAlert(BaseModel):
    """The household an item is about; the name is masked for those without contact rights."""

    alert_id: UUID
    household_no: str | None
    name: str = Field(examples=["张*国"])
    living: Place
    status: Status


class HandoverView(AboutAlert):
    """An offer and what became of it; a lapsed one's alert was answered meanwhile."""

    handover_id: UUID
    manner: HandoverKind
    from_officer_no: str
    to_officer_no: str
    reason: str
    state: HandoverState
    answer: str | None
    offered_at: AwareDatetime
    settled_at: AwareDatetime | None


class HandoverAnswerIn(Strict):
    """The receiver accepts or declines (with a reason), the giver withdraws."""

    id: StepId = None
    answer: HandoverAnswer = Field(examples=["accept"])
    reason: Note | None = Field(default=None, examples=["不在本人包片范围"])
    version: Version = None


class ConfirmationIn(Strict):
    """What the second officer says; a refusal says why."""

    id: StepId = None
    agrees: bool = Field(examples=[True])
    reason: Note | None = Field(default=None, examples=["户主反映未见到人"])
    version: Version = None


class RecheckView(AboutAlert):
    """An answer to be looked at again, and what that came to; `opened` is the alert a difference led to."""

    recheck_id: UUID
    severity: Severity | None
    outcome: Outcome = Field(description="原结论")
    verified_at: AwareDatetime
    drawn_at: AwareDatetime
    due_at: AwareDatetime
    state: RecheckState
    found: Outcome | None
    checked_by: str | None
    checked_on: date | None
    note: str | None
    settled_at: AwareDatetime | None
    opened: UUID | None


class RecheckContactIn(Strict):
    """Who was met on the re-check, when, how."""

    method: Method = Field(examples=["visit"])
    on: date = Field(examples=["2026-11-22"])
    met: Name = Field(examples=["户主本人"])


class RecheckIn(Strict):
    """What the township found; another outcome than the answer's opens a new alert."""

    id: StepId = None
    outcome: Outcome = Field(examples=["no_risk"])
    contact: RecheckContactIn
    note: Note | None = None

    def met_by(self, officer_no: str) -> Contact:
        return Contact(self.contact.method, officer_no, self.contact.on, self.contact.met)


class RecheckCount(BaseModel):
    """Of one township: answers that identified nobody, drawn, checked again, and found otherwise."""

    township: Place
    answers: int
    drawn: int
    checked: int
    differs: int


class RecheckCounts(BaseModel):
    items: list[RecheckCount]


class BurstView(BaseModel):
    """Answers of one person that came together, or visits whose stated minutes cannot all have been; a hint only."""

    kind: BurstKind
    officer_no: str
    began_at: AwareDatetime
    ended_at: AwareDatetime
    answers: int
    alert_ids: Annotated[list[UUID], Field(description="最多列出 200 条")]
