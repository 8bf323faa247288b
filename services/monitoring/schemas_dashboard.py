"""Answers of the dashboard: every number with the query of its list; a small one may read "suppressed"."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

SUPPRESSED: Literal["suppressed"] = "suppressed"

Count = Annotated[
    Annotated[int, Field(ge=0)] | Literal["suppressed"],
    Field(description="户数；只能看统计数字的人看不到少于 5 户的数，显示为 suppressed（不是 0）"),
]
Share = Annotated[
    str | None, Field(description="百分比，一位小数；分母为 0 或有数字被隐去时为空", pattern=r"^\d{1,3}\.\d$")
]

FIGURE_EXAMPLE: JsonDict = {
    "key": "orange",
    "label": "橙色",
    "households": 12,
    "query": "/monitoring/v1/households?division=130624000000&severity=orange",
}


class Shown(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Figure(Shown):
    """A number and the query that lists what it counts; null for whoever may not list it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": FIGURE_EXAMPLE})

    key: str | None
    label: str
    households: Count
    query: str | None


class Place(Shown):
    """A division below, and where its own figures are."""

    division: str
    label: str
    drill_down: str | None = Field(description="此区划自己的数字；村以下没有")


class Board(Shown):
    """The division that is shown, and when its figures were counted."""

    division: str
    label: str
    policy_version: str
    counted_at: AwareDatetime | None = Field(description="按此时的汇总，其后的汇总没有改变数字；还没有汇总过时为空")


class DivisionFigure(Figure):
    """The households of a division below."""

    drill_down: str | None


class DashboardSummary(Board):
    """How the households living in a division stand."""

    total: Figure
    assessed: Figure = Field(description="其中已评估过的户")
    unknown: Figure = Field(description="其中有指标因缺少数据而不能判断的户")
    unknown_share: Share
    by_recommendation: list[Figure] | None
    by_listed_as: list[Figure] | None
    by_severity: list[Figure]
    by_last_outcome: list[Figure]
    by_division: list[DivisionFigure]


class Month(Shown):
    """What happened in a month; each household once, however often it happened to it."""

    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    events: list[Figure]


class DivisionTrend(Place):
    """The same months of a division below."""

    months: list[Month]


class TrendView(Board):
    """What happened month by month, the last twelve, oldest first."""

    months: list[Month]
    by_division: list[DivisionTrend]


class DivisionFigures(Place):
    figures: list[Figure]


class CausesView(Board):
    """Why households are at risk, as assessed; a household may have up to five causes."""

    total: Figure
    causes: list[Figure]
    by_division: list[DivisionFigures]


class FunnelView(Board):
    """How far this year's warnings led; each stage is part of the one before."""

    year: int
    stages: list[Figure]
    by_division: list[DivisionFigures]


class WorkloadView(Board):
    """Visits that are owed, by place and never by person."""

    visits: list[Figure]
    by_division: list[DivisionFigures]


class Precision(Shown):
    """Of the households with a warning in which an indicator fired: visited, and to be identified."""

    verified: Figure
    identified: Figure
    share: Share


class DivisionPrecision(Place, Precision):
    pass


class IndicatorPrecision(Precision):
    indicator: str
    label: str
    by_division: list[DivisionPrecision]


class PrecisionView(Board):
    indicators: list[IndicatorPrecision]


class DataSetFreshness(Shown):
    """The newest a data set said of a county; stale: too old to vouch that all is well."""

    county: str
    newest_on: date | None
    received_at: AwareDatetime | None
    stale: bool


class DataSetCoverage(Shown):
    """Of how many households a data set says anything, and how new it is."""

    data_set: str
    label: str
    covered: Figure
    share: Share
    freshness: list[DataSetFreshness]


class CoverageView(Board):
    total: Figure
    assessed: Figure
    unknown: Figure
    unknown_share: Share
    data_sets: list[DataSetCoverage]
    by_division: list[DivisionFigures]
