"""What is read of how well rules work."""

from datetime import date
from typing import Literal

from pydantic import Field

from services.monitoring.schemas import Answer

Route = Literal["self_report", "hotline", "visit", "department_list", "decision"]


class ShareView(Answer):
    """A share in per cent, with the interval in which the true one lies nineteen times out of twenty (Wilson)."""

    count: int
    percent: float | None
    low: float | None
    high: float | None


class RuleEffect(Answer):
    """What visitors answered to the warnings of one rule, in one version, in one township."""

    indicator: str
    label: str
    policy_version: str
    department: str | None = Field(description="数据来源部门；该指标已不在现行政策中为空")
    township: str
    place: str
    verified: int
    identified: ShareView = Field(description="核实后建议纳入")
    useful: ShareView = Field(description="建议纳入或困难已解决")
    data_wrong: int = Field(description="核实为数据有误，供部门更正")


class RuleEffectView(Answer):
    """规则成效：逐指标、逐版本、逐部门、逐乡镇。系统不据此自动下调或停用任何规则。"""

    division: str
    first: date
    last: date
    rules: list[RuleEffect]


class Miss(Answer):
    """A household that came onto the list although no warning had opened in the time before."""

    household_no: str
    division: str
    listed_on: date
    listed_as: str | None
    route: Route


class MissesView(Answer):
    """漏警：新纳入而此前 90 天内没有预警的户，按发现途径。"""

    division: str
    first: date
    last: date
    listed: int = Field(description="期内新纳入户数")
    missed: ShareView
    by_route: dict[Route, int]
    households: list[Miss]
