"""Bodies of the checks of quality and their findings."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.config import JsonDict

from services.monitoring.schemas import Answer, Reason
from shared.web.schema import DivisionStr, Strict

CHECK_EXAMPLE: JsonDict = {
    "code": "primary_age",
    "number": 24,
    "label": "小学生年龄不在6至14岁",
    "level": "member",
    "owner": "教育",
    "days": 15,
    "severity": 3,
    "mend": "核对在校生状况和年龄",
    "note": "stage_against_age",
    "refused_with": [],
}
FINDING_EXAMPLE: JsonDict = {
    "finding_id": "0198c0de-0000-7000-8000-000000000001",
    "check": "primary_age",
    "number": 24,
    "label": "小学生年龄不在6至14岁",
    "mend": "核对在校生状况和年龄",
    "owner": "教育",
    "severity": 3,
    "division": "130624100201",
    "place": "大台村",
    "household_no": "F130624001",
    "head_name": "张*国",
    "member_name": "张*",
    "relation": "之子",
    "state": "open",
    "opened_on": "2026-03-15",
    "due_on": "2026-03-30",
    "overdue": False,
    "closed_at": None,
    "closed_by_name": None,
    "closed_reason": None,
}
State = Literal["open", "accepted", "mended", "lapsed"]


class CheckView(Answer):
    """A check: what it looks for, who mends it and until when."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": CHECK_EXAMPLE})

    code: str
    number: int | None = Field(description="80条中的编号；村级信息的为空")
    label: str
    level: Literal["intake", "member", "household", "village"]
    owner: str = Field(description="village=村，其余为部门")
    days: int = Field(description="整改期限，天")
    severity: int = Field(description="1 必须改 至 5 仅提示")
    mend: str
    note: str | None = Field(description="评估中说同一件事的提示")
    refused_with: list[str] = Field(description="报送时拒收的错误码")


class Checks(Answer):
    items: list[CheckView]


class FindingView(Answer):
    """A finding; names are masked for those who need not call."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": FINDING_EXAMPLE})

    finding_id: UUID
    check: str
    number: int | None
    label: str
    mend: str
    owner: str
    severity: int
    division: str
    place: str
    household_no: str | None = Field(description="村级信息的疑点为空")
    head_name: str | None
    member_name: str | None = Field(description="只涉及一名成员的")
    relation: str | None
    state: State
    opened_on: date
    due_on: date
    overdue: bool
    closed_at: AwareDatetime | None
    closed_by_name: str | None
    closed_reason: str | None


class Acceptance(Strict):
    """Somebody says that the data are right as they are."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "已核对户口簿，数据无误"}})

    reason: Reason


class FindingCount(Answer):
    """Findings of a division or an owner."""

    key: str
    label: str
    open: int
    overdue: int
    accepted: int
    mended: int


class FindingCounts(Answer):
    """How many findings there are, by the next lower divisions and by who mends them."""

    division: str
    total: FindingCount
    by_division: list[FindingCount]
    by_owner: list[FindingCount]
    by_check: list[FindingCount]


class QualityRunRequest(Strict):
    """Which area to check, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"division": "130624000000", "reason": "月度数据清洗"}}
    )

    division: DivisionStr
    reason: Reason


class QualityRunView(Answer):
    """How far an order got."""

    run_id: UUID
    division: str
    reason: str
    requested_at: AwareDatetime
    households: int
    remaining: int
    opened: int
    mended: int
    state: Literal["running", "finished"]


Count = Annotated[int, Field(ge=0, le=100_000_000)]


class VillageFigures(Strict):
    """What a village says of itself (村级信息); what is absent is not filled in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "village": "130624100201",
                "as_of": "2026-03-01",
                "pensioners": 120,
                "bus": 1,
                "clinics": 1,
                "toilets": 310,
                "doctors": 1,
                "dibao_persons": 32,
                "tekun_persons": 4,
                "disabled_persons": 18,
                "unsafe_water_households": 0,
                "unsafe_house_households": 1,
                "village_arable_mu": "2450.5",
            }
        },
    )

    village: DivisionStr
    as_of: date
    pensioners: Count | None = None
    bus: Count | None = None
    clinics: Count | None = None
    toilets: Count | None = None
    doctors: Count | None = None
    dibao_persons: Count | None = None
    tekun_persons: Count | None = None
    disabled_persons: Count | None = None
    unsafe_water_households: Count | None = None
    unsafe_house_households: Count | None = None
    village_arable_mu: Annotated[str, Field(pattern=r"^[0-9]{1,7}(\.[0-9]{1,2})?$")] | None = None


class VillageFiguresTaken(Answer):
    """What was kept, and how many findings of the village are open now."""

    village: str
    as_of: date
    open_findings: int
