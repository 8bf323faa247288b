"""Bodies of requests and answers. A field that the caller's post does not see is null."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from shared.vocabulary.terms import Outcome, Severity
from shared.web.schema import DivisionStr, Name, OpenText, Strict

Reason = Annotated[OpenText, StringConstraints(min_length=1, max_length=500)]
ShortText = Annotated[OpenText, StringConstraints(min_length=1, max_length=100)]

HOUSEHOLD_EXAMPLE: JsonDict = {
    "household_no": "F130624001",
    "living_division": "130624100201",
    "living_place": "大台村",
    "registered_division": "130624100201",
    "head_name": "张*国",
    "phone": None,
    "listed_as": None,
    "listed_on": None,
    "recommendation": "marginal_at_risk",
    "severity": "orange",
    "score": 55,
    "last_outcome": None,
}


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HouseholdSummary(Answer):
    """A household as a list shows it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": HOUSEHOLD_EXAMPLE})

    household_no: str
    living_division: str
    living_place: str = Field(description="居住地名称；名录中没有的为代码")
    registered_division: str
    head_name: str
    phone: str | None
    listed_as: str | None
    listed_on: date | None
    recommendation: str | None
    severity: Severity | None = Field(description="没有触发任何有等级的指标，或尚未评估，为空")
    score: int | None = Field(description="尚未评估为空")
    last_outcome: Outcome | None


class TagView(Answer):
    """A standing fact by which people speak of a household, and since when."""

    tag: str
    label: str
    value: str | None
    member_id: int | None = Field(description="只属于一名成员的；整户的为空")
    since: date


class MemberView(Answer):
    """A person of the household; names are masked for those who need not call."""

    member_id: int
    name: str
    relation: str
    sex: str
    birth_year: int
    status: str
    since: date
    details: dict[str, Any] = Field(
        default_factory=dict, description="花名册登记项中本岗位可见的；键为数据目录的列名，金额为元"
    )


class HouseholdView(HouseholdSummary):
    """A household with its members of today."""

    members: list[MemberView]
    tags: list[TagView]
    ended_on: date | None = Field(description="已并入他户之日；仍为一户的为空")
    causes: list[str] | None
    waiting_reports: int
    due: bool = Field(description="有新情况，正在等待评估")
    assessed_on: date | None
    details: dict[str, Any] = Field(
        default_factory=dict, description="花名册的户级登记项中本岗位可见的；键为数据目录的列名，金额为元"
    )


class EvidenceView(Answer):
    """A fact that an indicator rests on, without its amount: what, when, from where, and since when it is known."""

    kind: str
    label: str
    occurred_on: date
    source: str
    department: str | None
    recorded_at: AwareDatetime


class IndicatorView(Answer):
    """One indicator; the amounts are null for posts that see none."""

    id: str
    label: str
    state: Literal["fired", "clear", "unknown"]
    cause: str | None
    severity: Severity | None
    measured: str | None
    threshold: str | None
    margin: str | None
    unit: str | None
    decided_by: str | None
    sentence: str
    evidence: list[EvidenceView] = Field(description="所依据的最新几条事实：来源与日期")


class ExclusionView(Answer):
    """What the household owns or is that asks a person for a reason; it hides no finding."""

    id: str
    label: str
    state: Literal["fired", "clear", "unknown"]
    exempt: bool
    reason: str | None


class NoteView(Answer):
    """A hint for civil affairs (民政) with its numbers."""

    id: str
    label: str
    numbers: dict[str, str | None]


class DecidedView(Answer):
    """The stored assessment that stood at the moment a replay goes back to; it is the truth.

    `agrees`: the replay decides the same. If it does not, a fact was not assessed yet, or another policy or engine
    decided then.
    """

    on: date
    known_at: AwareDatetime
    policy_version: str
    engine_version: str
    facts_version: int
    agrees: bool


class AssessmentView(Answer):
    """What the policy says of a household, explained. It recommends; a county person decides."""

    household_no: str
    origin: Literal["stored", "replay"]
    on: date
    known_at: AwareDatetime
    policy_version: str
    engine_version: str
    facts_version: int | None
    recommendation: str | None
    recommendation_label: str | None
    recommendation_without_exclusions: str | None
    severity: Severity | None
    score: int | None
    causes: list[str] | None
    members_counted: int
    net_income_per_capita_yuan: str | None
    reference_income_per_capita_yuan: str | None
    forward_income_per_capita_yuan: str | None
    rigid_outlay_yuan: str | None
    indicators: list[IndicatorView]
    exclusions: list[ExclusionView] | None
    flags: list[str]
    quality_flags: list[str]
    civil_affairs: list[NoteView] | None
    removal_blockers: list[str] | None
    unknown: list[str]
    almost_fired: list[str] | None = Field(description="未触发但距界线很近的指标")
    stale: list[str] = Field(description="太久没有新数据的数据目录")
    confidence: float
    window: dict[str, date]
    explanation: str
    parameters_used: dict[str, Any] | None
    digest: str | None = Field(description="评估全文（规范 JSON）的 SHA-256；重新推算得到同样的字节")
    decided: DecidedView | None = Field(description="重新推算时：当时已存的评估")


class AssessmentEntry(Answer):
    """An assessment in the history: written only when the answer changed."""

    on: date
    created_at: AwareDatetime
    recommendation: str | None
    severity: Severity | None
    score: int | None
    policy_version: str
    facts_version: int


class VerificationEntry(Answer):
    alert_id: str
    outcome: Outcome
    causes: list[str] | None
    visited_on: date | None
    verified_at: AwareDatetime
    officer_role: str


class DecisionEntry(Answer):
    decision_id: UUID
    action: Literal["enter", "change", "remove"]
    listed_as: str | None
    previously: str | None
    recommended: str | None
    decided_on: date
    document_no: str
    reason: str
    decided_by_name: str
    removal_blockers: list[str] = Field(default=[], description="消除时仍需说明的情形；只提示，不阻止")


class HistoryView(Answer):
    """What happened to a household, the newest first, at most 200 of each."""

    household_no: str
    assessments: list[AssessmentEntry]
    verifications: list[VerificationEntry]
    decisions: list[DecisionEntry] | None


class SearchRequest(Strict):
    """A look-up by identity number, or by name within a division; neither stands in a URL, the purpose is audited.

    Names are found by their beginning, whatever the width, blanks and middle dots.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"example": {"identity_number": "990101199003070017", "purpose": "核对申报人所在户"}},
    )

    identity_number: str | None = Field(default=None, min_length=1, max_length=40)
    name: Name | None = None
    division: DivisionStr | None = Field(default=None, description="按姓名查找时必填：居住地或户籍地在此区划")
    purpose: ShortText

    @model_validator(mode="after")
    def _by_number_or_name(self) -> "SearchRequest":
        by_name = self.name is not None and self.division is not None
        if (self.identity_number is not None) == (self.name is not None) or (self.name is not None) != by_name:
            raise PydanticCustomError("search_by", "请给出 identity_number，或同时给出 name 和 division")
        return self


class SearchAnswer(Answer):
    """The households the person belongs to, within the caller's range, by name at most 50.

    Empty looks the same for whatever reason.
    """

    items: list[HouseholdSummary]


class DecisionRequest(Strict):
    """A person's decision; `listed_as` null removes the household from the register."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "example": {
                "listed_as": "marginal_at_risk",
                "decided_on": "2026-03-15",
                "document_no": "阜防返贫〔2026〕12号",
                "reason": "入户核实，县级部门比对后同意纳入",
            }
        },
    )

    listed_as: ShortText | None
    decided_on: date
    document_no: ShortText
    reason: Reason


class RescreenRequest(Strict):
    """An order to assess every household of an area again."""

    division: DivisionStr
    reason: Reason


class RescreenView(Answer):
    rescreen_id: UUID
    division: str
    reason: str
    requested_at: AwareDatetime
    households: int
    remaining: int
    changed: int
    told: int
    state: Literal["running", "finished", "cancelled"]


class UnmatchedView(Answer):
    """Something observed of somebody no roster lists; who it is stays sealed."""

    unmatched_id: int
    name: str | None = Field(description="as the source told it")
    division: str
    department: str | None
    data_set: str
    record: str
    kind: str
    household_no: str | None
    occurred_on: date
    received_at: AwareDatetime
    waiting_days: int
