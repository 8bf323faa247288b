"""Bodies of requests and answers. A field that the caller's post does not see is null."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from shared.vocabulary.terms import Outcome, Severity
from shared.web.schema import DivisionStr, OpenText, Strict

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
    severity: Severity | None
    score: int | None
    last_outcome: Outcome | None


class MemberView(Answer):
    """A person of the household; names are masked for those who need not call."""

    name: str
    relation: str
    sex: str
    birth_year: int
    status: str
    since: date


class HouseholdView(HouseholdSummary):
    """A household with its members of today."""

    members: list[MemberView]
    causes: list[str] | None
    waiting_reports: int
    due: bool = Field(description="有新情况，正在等待评估")
    assessed_on: date | None


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
    severity: Severity | None
    score: int | None
    causes: list[str] | None
    members_counted: int
    net_income_per_capita_yuan: str | None
    reference_income_per_capita_yuan: str | None
    rigid_outlay_yuan: str | None
    indicators: list[IndicatorView]
    flags: list[str]
    unknown: list[str]
    stale: list[str] = Field(description="太久没有新数据的数据目录")
    confidence: float
    window: dict[str, date]
    explanation: str
    parameters_used: dict[str, Any] | None


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


class HistoryView(Answer):
    """What happened to a household, the newest first, at most 200 of each."""

    household_no: str
    assessments: list[AssessmentEntry]
    verifications: list[VerificationEntry]
    decisions: list[DecisionEntry] | None


class SearchRequest(Strict):
    """A look-up by identity number, which never stands in a URL; the purpose is audited."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"example": {"identity_number": "990101199003070017", "purpose": "核对申报人所在户"}},
    )

    identity_number: str = Field(min_length=1, max_length=40)
    purpose: ShortText


class SearchAnswer(Answer):
    """The households the person belongs to, within the caller's range; empty looks the same for whatever reason."""

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
    state: Literal["running", "finished"]


class Figure(Answer):
    """A number and the query that lists what it counts."""

    key: str | None
    label: str
    households: int
    query: str


class IndicatorPrecision(Answer):
    """Of the warnings in which an indicator fired: how many were answered, and how many led to identification."""

    indicator: str
    label: str
    verified: int
    identified: int


class PrecisionView(Answer):
    indicators: list[IndicatorPrecision]


class UnmatchedView(Answer):
    """Something observed of somebody no roster lists; who it is stays sealed."""

    division: str
    department: str | None
    data_set: str
    record: str
    kind: str
    household_no: str | None
    occurred_on: date
    received_at: AwareDatetime


class DashboardSummary(Answer):
    """How the households living in a division stand."""

    division: str
    total: Figure
    assessed: int = Field(description="其中已评估过的户数")
    by_recommendation: list[Figure] | None
    by_listed_as: list[Figure] | None
    by_severity: list[Figure]
    by_last_outcome: list[Figure]
    by_division: list[Figure]
    generated_at: AwareDatetime
