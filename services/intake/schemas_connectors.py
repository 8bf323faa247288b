"""What callers say and read of connectors and data notices."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.intake.domain.connector import Dialect, Paging, PeriodUnit
from services.intake.domain.notice import NoticeKind
from shared.web.schema import DivisionStr, Strict

Path_ = Annotated[str, Field(max_length=100, pattern=r"^([A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*)?$")]
Parameter = Annotated[str, Field(max_length=60, pattern="^[A-Za-z_][A-Za-z0-9_.-]*$")]
Value = Annotated[str, Field(max_length=200)]


class ConnectorIn(Strict):
    """A department's interface to be asked regularly; the secret is stored sealed and never shown."""

    layout: str = Field(pattern="^[a-z][a-z0-9_]{0,60}$", examples=["medical_settlement"])
    division: DivisionStr
    url: str = Field(min_length=8, max_length=500, examples=["https://share.example.gov.cn/api/settlements"])
    dialect: Dialect = Field(description="bearer 令牌；gateway_hmac 省级网关签名；exchange_hmac 国家共享交换平台签名")
    client_id: str = Field(default="", max_length=200, pattern="^[!-~]*$")
    secret: str | None = Field(default=None, min_length=1, max_length=500, pattern="^[!-~]+$")
    paging: Paging = Paging.NONE
    rows_at: Path_ = Field(default="", description="记录数组在应答中的位置，例如 data.list；空为应答本身")
    page_param: Parameter = "page"
    size_param: Parameter = "size"
    page_size: int = Field(default=500, ge=1, le=10_000)
    cursor_at: Path_ = "next_cursor"
    period_param: Parameter | None = Field(default=None, description="按期次查询时的参数名")
    period_unit: PeriodUnit = PeriodUnit.MONTH
    query: dict[Parameter, Value] = Field(default_factory=dict, max_length=20)
    schedule: str = Field(max_length=100, description="crontab 五段，北京时间", examples=["30 2 5 * *"])
    active: bool = True


class PullFailure(BaseModel):
    """Why the last try failed."""

    code: str
    detail: str


class ConnectorView(BaseModel):
    """A connector, when it asks next, and how the last time went; without its secret."""

    name: str
    layout: str
    department: str
    division: str
    url: str
    dialect: Dialect
    client_id: str
    paging: Paging
    rows_at: str
    page_param: str
    size_param: str
    page_size: int
    cursor_at: str
    period_param: str | None
    period_unit: PeriodUnit
    query: dict[str, str]
    schedule: str
    active: bool
    next_at: AwareDatetime | None
    attempts: int
    last_feed_id: UUID | None
    succeeded_at: AwareDatetime | None
    failed_at: AwareDatetime | None = Field(description="从何时起一直失败；null 为正常")
    failure: PullFailure | None
    updated_at: AwareDatetime

    @classmethod
    def of(cls, row: Any) -> Self:
        """The view of a row of `connector`."""
        return cls(**{**dict(row), "next_at": row["due_at"]})


class NoticeView(BaseModel):
    """A data notice: what should have come and did not, and since when."""

    notice_id: UUID
    kind: NoticeKind
    layout: str
    title: str
    department: str
    division: str
    connector: str | None
    due_by: date | None
    detail: str
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
