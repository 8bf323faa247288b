"""What is read of the monthly comparisons."""

from datetime import date

from pydantic import AwareDatetime, Field

from services.monitoring.domain.list_check import CheckKind
from services.monitoring.schemas import Answer


class ListCheckCount(Answer):
    """How many a check found, this month and the month before (null: not compared then)."""

    check: str
    label: str
    kind: CheckKind
    kind_label: str
    owner: str = Field(description="由谁核对更正：部门，或 village（村）")
    findings: int
    households: int
    last_month: int | None = Field(description="上月发现数；上月未比对为空")
    query: str = Field(description="列出这些户的查询")


class DivisionFindings(Answer):
    """What was found in a division right below, by check."""

    division: str
    place: str
    findings: dict[str, int]


class ListComparisonView(Answer):
    """The newest comparison of the lists of a division, or that of a month."""

    division: str
    month: str | None = Field(description="比对月份；尚未比对为空")
    compared_at: AwareDatetime | None
    counts: list[ListCheckCount]
    by_division: list[DivisionFindings]


class ListFindingView(Answer):
    """Somebody who is on one list and not on another; what is to be done is for people to say."""

    check: str
    label: str
    kind: CheckKind
    owner: str
    household_no: str
    head_name: str
    member_name: str | None
    division: str
    place: str
    listed_as: str | None
    recommendation: str | None


class ComparisonOrdered(Answer):
    """A comparison that waits to be made."""

    county: str
    month: str
    requested_at: AwareDatetime
    compared_on: date | None = None
