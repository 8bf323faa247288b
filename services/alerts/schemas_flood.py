"""What the visit list and the monthly sheets look like outside."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.alerts.domain.alert import Status
from services.alerts.schemas import EvidenceView, Place
from shared.vocabulary.terms import Severity

Format = Literal["json", "csv", "xlsx"]


class Visit(BaseModel):
    """One household to be visited; what the caller's role may not see is null or empty."""

    alert_id: UUID
    household_no: str | None
    name: str = Field(description="无联系权限时脱敏", examples=["张*国"])
    phone: str | None
    living: Place
    status: Status
    severity: Severity | None
    due_at: AwareDatetime = Field(description="待签收的为签收时限，已签收的为核实时限")
    is_overdue: bool
    causes: list[str]
    recommendation: str | None
    has_reported: bool
    look_at: list[str] = Field(description="入户看什么")
    findings: list[EvidenceView]
    version: int


class MonthlySheetView(BaseModel):
    """One township's figures after one month's comparison."""

    division: str
    name: str
    month: date = Field(description="月份的第一天")
    made_at: AwareDatetime
    opened: int = Field(description="上次比对次日至本次比对日新增")
    open: int
    overdue: int
    outcomes: dict[str, int] = Field(description="同期办结结论")
