"""Bodies of requests and answers about who is who."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.monitoring.schemas import Answer, Reason, ShortText
from shared.web.schema import Strict

PairReason = Literal[
    "name_differs",
    "number_changed",
    "no_number",
    "two_households",
    "relation_mismatch",
    "same_name_and_birth",
    "waiting",
]
PairState = Literal["open", "same", "different", "moved", "gone"]
PAIR_EXAMPLE: JsonDict = {
    "pair_id": 17,
    "reason": "number_changed",
    "question": "同户同名同生日，证件号码不同：可能换了号码",
    "state": "open",
    "proposed_at": "2026-03-15T02:00:00Z",
    "waiting_days": 3,
    "sides": [
        {
            "member_id": 5,
            "household_no": "F130624001",
            "division": "130624100201",
            "relation": "户主",
            "name": "张*国",
            "sex": "male",
            "birth_date": "1970-01-01",
            "number": "9901************12",
            "no_id_reason": None,
            "told_by": None,
        }
    ],
    "differs": ["number"],
    "decided": None,
}


class PairSide(Answer):
    """One of the two; what lies outside the caller's range, or his post does not see, is null."""

    member_id: int | None
    household_no: str | None
    division: str | None
    relation: str | None
    name: str | None
    sex: str | None
    birth_date: date | None
    number: str | None = Field(description="masked")
    no_id_reason: str | None
    told_by: str | None = Field(description="the source of a name that the register does not have")


class PairDecided(Answer):
    """The newest decision, or `undo`: it was taken back."""

    decision: Literal["same", "different", "moved", "undo"]
    survivor_member_id: int | None
    reason: str
    notes: list[str]
    decided_by_name: str
    decided_at: AwareDatetime


class PairView(Answer):
    """Two who may be one person, or one who may be two, side by side."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": PAIR_EXAMPLE})

    pair_id: int
    reason: PairReason
    question: str
    state: PairState
    proposed_at: AwareDatetime
    waiting_days: int
    sides: list[PairSide]
    differs: list[str]
    decided: PairDecided | None


class PairCount(Answer):
    """Open pairs of a township and reason."""

    division: str
    reason: PairReason
    pairs: int


class PairCounts(Answer):
    items: list[PairCount]
    total: int


class PairDecision(Strict):
    """A person's answer; `leaves_household_no` and `on` with `moved` only, `survivor_member_id` with `same` only."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"example": {"decision": "same", "reason": "派出所证明系同一人换号"}},
    )

    decision: Literal["same", "different", "moved"]
    survivor_member_id: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    leaves_household_no: ShortText | None = None
    on: date | None = None
    reason: Reason
    document_no: ShortText | None = None

    @model_validator(mode="after")
    def _fits(self) -> "PairDecision":
        moves = self.leaves_household_no is not None, self.on is not None
        if moves != (self.decision == "moved",) * 2:
            raise PydanticCustomError("moved", "迁出须写明 leaves_household_no 和 on；其他决定不写")
        if self.survivor_member_id is not None and self.decision != "same":
            raise PydanticCustomError("survivor", "只有认定为同一人时才写 survivor_member_id")
        return self


class PairUndo(Strict):
    """Why a decision is taken back."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"example": {"reason": "认定有误"}})

    reason: Reason


class WaitingCount(Answer):
    """What waits for its person, by department and place."""

    division: str
    department: str | None
    data_set: str
    rows: int
    persons: int
    oldest: AwareDatetime
    oldest_days: int


class WaitingCounts(Answer):
    items: list[WaitingCount]
    rows: int


class WaitingLink(Strict):
    """Who a waiting person is: a member of a household."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "example": {"household_no": "F130624001", "member_id": 5, "reason": "入户核实，医保登记号码有误"}
        },
    )

    household_no: ShortText
    member_id: Annotated[int, Field(ge=1, lt=2**63)]
    reason: Reason
    document_no: ShortText | None = None
