"""Bodies of requests and answers about policies. Money is a decimal string in yuan, a share a decimal (1 = 100 %)."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from services.monitoring.schemas import Answer, Reason
from shared.vocabulary.terms import Severity
from shared.web.problem import ProblemField
from shared.web.schema import DivisionStr, Strict

FIRST_DAY, LAST_DAY = date(2014, 1, 1), date(2099, 12, 31)
State = Literal["draft", "approved", "published", "in_force", "withdrawn"]


class ParameterView(Answer):
    """A parameter as it stands at a place on a day; without a value there it has none to judge by."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "monitoring_line",
                "label": "监测线（人均纯收入）",
                "unit": "CNY/person/year",
                "bounds": ["1000.00", "100000.00"],
                "choices": [],
                "value": "9500.00",
                "since": "2026-01-01",
                "decided_by": "national",
                "source": "示例值",
                "verified": False,
            }
        },
    )

    name: str
    label: str
    unit: str
    bounds: list[str] | None
    choices: list[str]
    value: Any = None
    since: date | None = None
    decided_by: str | None = Field(default=None, description="六位区划代码或 national")
    source: str | None = None
    verified: bool | None = None


class ChangeView(Answer):
    """A parameter that a version changes, and what held before."""

    name: str
    label: str
    unit: str
    value: Any
    from_: date = Field(alias="from", description="此日起；不早于启用日期")
    document_no: str
    before: Any = Field(description="起草时的现行取值")
    before_decided_by: str | None

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class PolicySummary(Answer):
    """A draft or what became of it."""

    version: str
    state: State
    division: str
    place: str
    base_version: str = Field(description="起草时的现行版本")
    changes: int
    document_nos: list[str]
    authored_by: str
    authored_at: AwareDatetime
    approved_by: str | None
    approved_at: AwareDatetime | None
    published_by: str | None
    published_at: AwareDatetime | None
    activates_on: date | None
    capacity_reason: str | None
    comparison_id: UUID | None
    withdrawn_by: str | None
    withdrawn_at: AwareDatetime | None
    withdrawn_reason: str | None


class InForceView(Answer):
    """What judges a county today: the shipped package and the publications over it, in their order."""

    version: str
    package_version: str
    label: str
    applies_from: date
    publications: list[str]


class PolicyListView(Answer):
    """The policy in force in a division, and the drafts and publications of it, its parts and what it lies in."""

    division: str
    in_force: InForceView
    items: list[PolicySummary]
    next_cursor: str | None = None


class PolicyDetail(Answer):
    """One version: its changes, and every parameter as it would stand under it."""

    version: str
    kind: Literal["package", "draft"]
    label: str
    division: str
    on: date
    draft: PolicySummary | None
    changes: list[ChangeView]
    parameters: list[ParameterView]


class RowView(Answer):
    """One row as read; `before` is the value in force."""

    row: int
    name: str | None
    label: str | None
    value: Any = None
    from_: date | None = Field(default=None, alias="from")
    document_no: str | None = None
    before: Any = None
    note: str | None = None
    errors: list[ProblemField]

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class ChangesView(Answer):
    """What became of the rows; a dry run stores nothing and has no version."""

    division: str
    dry_run: bool
    accepted: bool
    version: str | None
    rows: list[RowView]


class ParameterDifferenceView(Answer):
    name: str
    label: str
    unit: str
    before: Any = None
    before_decided_by: str | None = None
    after: Any = None
    after_since: date | None = None
    after_decided_by: str | None = None
    source: str | None = None


class ShapeDifferenceView(Answer):
    section: str = Field(examples=["indicators"])
    name: str
    change: Literal["added", "removed", "changed"]


class DiffView(Answer):
    """Parameter by parameter at a place; a change of shape means that history must be measured again."""

    version: str
    against: str
    division: str
    parameters: list[ParameterDifferenceView]
    shapes: list[ShapeDifferenceView]
    remeasures: bool = Field(description="true：需要按历史事实重新计量，不只是重新判定")


class PublishRequest(Strict):
    """From when the version holds; `capacity_reason` if the expected visits exceed the capacity."""

    model_config = ConfigDict(json_schema_extra={"example": {"activates_on": "2027-01-01", "capacity_reason": None}})

    activates_on: Annotated[date, Field(le=LAST_DAY)]
    capacity_reason: Reason | None = None


class WithdrawRequest(Strict):
    """Why the draft is taken back; it is audited."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "文号有误，另行起草"}})

    reason: Reason


class CompareRequest(Strict):
    """Over which area, as of which day, against which version; by default the version's own area, today, in force."""

    model_config = ConfigDict(json_schema_extra={"example": {"division": "130624100000", "on": None}})

    division: DivisionStr | None = None
    on: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)] | None = None
    against: str = Field(default="in_force", max_length=200, pattern=r"^[A-Za-z0-9_.+~-]+$")


class FigureView(Answer):
    """A number, and the query that lists the households behind it."""

    households: int
    query: str


class SidesView(Answer):
    """Households of a kind: before, after, who came to it, who left it."""

    key: str
    label: str
    before: FigureView
    after: FigureView
    entered: FigureView
    left: FigureView


class OverlapView(Answer):
    """How often two indicators fire in the same household."""

    indicators: list[str]
    labels: list[str]
    before: FigureView
    after: FigureView


class DivisionView(Answer):
    """One division's households and visits; each figure is the sum of the division's parts."""

    division: str
    place: str
    level: Literal["province", "prefecture", "county", "township", "village"]
    households: FigureView
    listed_before: FigureView
    listed_after: FigureView
    entered: FigureView
    left: FigureView
    changed: FigureView
    visits_before: FigureView
    visits_after: FigureView
    visits_new: FigureView
    visits_spared: FigureView
    minutes_before: int
    minutes_after: int
    hours_before: float
    hours_after: float


class LoadView(Answer):
    """A county's visits in the month after the change, against what it can do."""

    county: str
    usual: int = Field(description="近 90 天每月入户核实户次")
    new: int = Field(description="新政策下才需入户的户数")
    expected: int
    capacity: int
    above: bool


class ComparisonResult(Answer):
    by_class: list[SidesView]
    by_severity: list[SidesView]
    by_cause: list[SidesView]
    by_indicator: list[SidesView]
    overlap: list[OverlapView]
    by_division: list[DivisionView]
    load: list[LoadView]
    visit_minutes: int = Field(description="一次入户用时（分钟，含路上）：近一年计时入户的中位数，或设定值")
    timed_visits: int = Field(description="中位数所依据的计时入户次数；0 表示次数不足，用的是设定值", examples=[86])


class ComparisonView(Answer):
    """A what-if: how far it got, and when it is finished its figures."""

    comparison_id: UUID
    version: str
    against: str
    division: str
    on: date
    known_at: AwareDatetime
    state: Literal["running", "finished", "failed", "cancelled"]
    problem: str | None
    households: int
    done: int
    requested_at: AwareDatetime
    finished_at: AwareDatetime | None
    result: ComparisonResult | None


class SideView(Answer):
    """What one policy says of a household."""

    recommendation: str | None
    severity: Severity | None
    causes: list[str]
    fired: list[str]
    visit: bool


class ComparedHousehold(Answer):
    household_no: str
    living_division: str
    living_place: str
    head_name: str
    listed_as: str | None
    before: SideView
    after: SideView
