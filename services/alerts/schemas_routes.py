"""Bodies of requests and answers about routes."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from services.alerts.domain.alert_labels import LABELS, LEVEL_OF_LABEL
from services.alerts.domain.clocks import Length
from services.alerts.domain.duty import Reach
from services.alerts.domain.route import Finding, Operator, Plan
from services.alerts.domain.route_difference import Difference
from services.alerts.domain.route_table import COLUMNS, RowError
from services.alerts.repository import Row
from services.alerts.schemas import Wait
from shared.vocabulary.terms import Role
from shared.web.schema import DivisionStr, OpenText, Strict

TABLE_EXAMPLE = [
    {
        "node": "全县",
        "parent": "",
        "match": "",
        "tell": "网格员、村党支部书记",
        "escalate": "村党支部书记>乡镇分管领导>县级管理员",
        "waits": "4小时、2小时",
        "group_by": "村",
        "group_wait": "30秒",
        "group_interval": "5分钟",
        "repeat_interval": "1天",
        "calendar": "工作日历",
    },
    {"node": "红色", "parent": "全县", "match": "等级=红色", "tell": "村党支部书记、乡镇分管领导", "urgent": "是"},
]
_LINE_SCHEMA = {
    "type": "object",
    "required": ["node"],
    "additionalProperties": False,
    "properties": {
        name: {"type": ["string", "null"], "description": column.zh, "examples": [column.example]}
        for name, column in COLUMNS.items()
    },
}
TABLE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": _LINE_SCHEMA}, "example": TABLE_EXAMPLE},
            "text/csv": {"schema": {"type": "string"}, "example": ",".join(c.zh for c in COLUMNS.values()) + "\n"},
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
                "schema": {"type": "string", "format": "binary"}
            },
        },
    }
}


class RouteVersionView(BaseModel):
    """A version of a county's routes; what is in force is the one with the latest `valid_from` not after the day."""

    version: str = Field(examples=["130624-3"])
    division: str
    state: Literal["draft", "active"]
    valid_from: date | None
    lines: int
    created_by: str
    created_at: AwareDatetime
    activated_by: str | None
    activated_at: AwareDatetime | None


def version_view(row: Row) -> RouteVersionView:
    same = ("division", "state", "valid_from", "created_by", "created_at", "activated_by", "activated_at")
    return RouteVersionView(version=row["name"], lines=len(row["lines"]), **{name: row[name] for name in same})


class CellChange(BaseModel):
    column: str
    before: str
    after: str


class NodeChange(BaseModel):
    node: str
    cells: list[CellChange]


class DifferenceView(BaseModel):
    """What is otherwise in `version` than in `against`."""

    version: str
    against: str = Field(description="national 为全国默认路由")
    added: list[str]
    removed: list[str]
    changed: list[NodeChange]
    reordered: bool = Field(description="两版共有的节点次序不同")


def difference_view(version: str, against: str, found: Difference) -> DifferenceView:
    changed = [
        NodeChange(node=node, cells=[CellChange(column=c, before=b, after=a) for c, (b, a) in cells.items()])
        for node, cells in found.changed.items()
    ]
    return DifferenceView(
        version=version,
        against=against,
        added=list(found.added),
        removed=list(found.removed),
        changed=changed,
        reordered=found.is_reordered,
    )


class LineWarning(BaseModel):
    line: int
    message: str


class DraftView(BaseModel):
    draft: RouteVersionView
    difference: DifferenceView
    warnings: list[LineWarning]


def warnings_view(warnings: tuple[RowError, ...]) -> list[LineWarning]:
    return [LineWarning(line=warning.line, message=warning.message) for warning in warnings]


class RoutesView(BaseModel):
    """A table of routes; each line an object of the columns."""

    version: str
    division: str
    lines: list[dict[str, str]]


class ActivateIn(Strict):
    valid_from: date = Field(examples=["2026-12-01"])


LabelValue = Annotated[OpenText, Field(max_length=200)]


class RouteTestIn(Strict):
    """An alert, or labels at a place; `version` may be a draft."""

    alert_id: UUID | None = None
    division: DivisionStr | None = None
    registered_division: DivisionStr | None = None
    labels: dict[str, list[LabelValue]] = Field(
        default_factory=dict, max_length=len(LABELS), examples=[{"severity": ["red"], "cause": ["illness"]}]
    )
    version: str | None = Field(default=None, max_length=40, pattern=r"^[0-9a-z_-]+$", examples=["130624-3"])
    on: date | None = Field(default=None, description="按这一天生效的路由与职责，默认今天")

    @field_validator("labels")
    @classmethod
    def _are_known(cls, labels: dict[str, list[str]]) -> dict[str, list[str]]:
        names = LABELS.keys() - LEVEL_OF_LABEL.keys()
        if labels.keys() - names or any(len(values) > 20 for values in labels.values()):
            raise PydanticCustomError("unknown_label", "标签应为：{known}", {"known": "、".join(sorted(names))})
        return labels

    @model_validator(mode="after")
    def _names_one_case(self) -> Self:
        if (self.alert_id is None) == (self.division is None):
            raise PydanticCustomError("one_case", "alert_id 与 division 必须且只能填一个")
        if self.alert_id is not None and (self.labels or self.registered_division):
            raise PydanticCustomError("one_case", "填写 alert_id 时不填标签与户籍地")
        return self


class CheckView(BaseModel):
    """A matcher, what was found, and whether it holds (null: not looked at)."""

    label: str
    label_zh: str
    operator: Operator
    value: str
    found: list[str]
    holds: bool | None


class VisitView(BaseModel):
    node: str
    parent: str | None
    finding: Finding
    why: str
    checks: list[CheckView]


class PersonView(BaseModel):
    """A person in the order in which he is told, and by which post."""

    order: int
    officer_no: str
    name: str
    role: Role
    division: str | None
    reach: Reach
    why: str


class GapView(BaseModel):
    place: str
    role: Role
    filled_by: Role | None
    why: str


class EscalationView(BaseModel):
    """A step of the chain; nobody in it: it is passed over."""

    step: int
    roles: list[Role]
    people: list[PersonView]
    wait: Wait | None = Field(description="无人答复多久后再升一级；空为按预警的签收时限，最后一级不再升级")


class PlanView(BaseModel):
    tell: list[Role]
    escalate: list[list[Role]]
    group_by: list[str]
    group_wait_seconds: int
    group_interval_seconds: int
    repeat_interval_seconds: int
    calendar: str
    urgent: bool
    waits: list[Wait]


def wait_view(wait: Length) -> Wait:
    return Wait(number=wait.number, unit=wait.unit)


def plan_view(plan: Plan) -> PlanView:
    return PlanView(
        tell=list(plan.tell),
        escalate=[list(step) for step in plan.escalate],
        group_by=list(plan.group_by),
        group_wait_seconds=_seconds(plan.group_wait),
        group_interval_seconds=_seconds(plan.group_interval),
        repeat_interval_seconds=_seconds(plan.repeat_interval),
        calendar=plan.calendar,
        urgent=plan.is_urgent,
        waits=[wait_view(wait) for wait in plan.waits],
    )


def _seconds(wait: timedelta) -> int:
    return int(wait.total_seconds())


class SilencedBy(BaseModel):
    silence_id: UUID
    reason: str
    ends_at: AwareDatetime


class RouteExplained(BaseModel):
    """Which nodes were looked at and which apply; who is told, by which post, in which order; nothing is stored."""

    version: str
    labels: dict[str, list[str]]
    nodes: list[str]
    visits: list[VisitView]
    plan: PlanView
    people: list[PersonView]
    gaps: list[GapView]
    escalation: list[EscalationView]
    barred: list[str] = Field(description="回避：其答复正在被申诉")
    silenced_by: SilencedBy | None
