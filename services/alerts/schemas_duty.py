"""Bodies of requests and answers about who is on duty: absences, pairings, sheets, gaps."""

from datetime import date
from typing import Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from services.alerts.domain.gaps import GapKind
from services.alerts.domain.roster import Sheet
from services.alerts.schemas import Note, Place
from shared.vocabulary.terms import BaseGroup, Role, Severity
from shared.web.schema import DivisionStr, Name, Strict


class AbsenceIn(Strict):
    """Days on which an officer does not answer, the first and the last included."""

    officer_no: Name = Field(examples=["GB0001"])
    first_day: date = Field(examples=["2026-03-15"])
    last_day: date = Field(examples=["2026-03-20"])
    reason: Note | None = Field(default=None, examples=["外出培训"])

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.last_day < self.first_day:
            raise ValueError("last_day 不能早于 first_day")
        return self


class AbsenceView(BaseModel):
    absence_id: int
    officer_no: str
    name: str
    first_day: date
    last_day: date
    reason: str | None
    recorded_at: AwareDatetime


class PairingIn(Strict):
    """Who helps a household from `since` until before `until`; against the rule it needs a reason."""

    household_no: Name = Field(examples=["H13062410020100001"])
    officer_no: Name = Field(examples=["GB0001"])
    division: DivisionStr = Field(description="农户居住的村")
    base_group: BaseGroup | None = Field(default=None, description="不知道则不填，按脱贫户对待")
    since: date = Field(examples=["2026-03-15"])
    until: date | None = None
    reason: Note | None = Field(default=None, description="不符合结对规则时必填")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until 应晚于 since")
        return self


class PairingView(BaseModel):
    pairing_id: int
    household_no: str
    officer_no: str
    name: str | None
    division: str
    base_group: BaseGroup | None
    since: date
    until: date | None
    reason: str | None


class PairingProposal(BaseModel):
    """A household with an open warning and no helper; nobody is proposed where no fitting post is filled."""

    household_no: str
    division: str
    severity: Severity | None
    rule: str = Field(examples=["三类户应由乡镇领导、驻村第一书记或村党支部书记帮扶"])
    officer_no: str | None
    role: Role | None


class RosterError(BaseModel):
    """What is wrong in one cell; `line` is the row of the file, the header counted."""

    line: int
    column: str
    code: str
    message: str
    expected: str | None
    example: str | None


class RosterTaken(BaseModel):
    """What an import changed, or a dry run would have; a sheet with an error changes nothing."""

    sheet: Sheet
    applied: bool
    lines: int
    changed: int
    error_count: int
    errors: list[RosterError] = Field(description="最多 200 处")
    unknown_columns: list[str]


class GapView(BaseModel):
    """One thing wrong with who is on duty."""

    kind: GapKind
    division: Place
    role: Role | None
    officer_no: str | None
    household_no: str | None
    number: int | None = Field(description="户数、岗位数或预警数")
    detail: str


class GapsView(BaseModel):
    """Gaps of a division, with how many of each kind on all pages; grids without a count may be too large or not."""

    counts: dict[GapKind, int]
    uncounted_grids: int
    items: list[GapView]
    next_cursor: str | None
