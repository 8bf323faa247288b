"""Bodies of requests and answers of intake."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.intake.domain.feed import FeedMode, FeedStatus
from services.intake.domain.feed_layout import Cadence, Column, FeedLayout, Kind
from services.intake.domain.self_report import Channel, Relative, ReportStage, SelfReport
from shared.vocabulary.money import parse_yuan
from shared.vocabulary.terms import Hardship, Source
from shared.web.schema import DivisionStr, Name, OpenText, Strict, Text, YuanStr, without_identity_number

MOST_FEN = 100_000_000_00
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _iso_date(value: object) -> object:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise PydanticCustomError("date_format", "日期应为文本，例如 2026-01-31")
    return value


def plausible(text: str) -> str:
    if parse_yuan(text) < 0:
        raise PydanticCustomError("negative_amount", "金额不能为负数")
    if parse_yuan(text) > MOST_FEN:
        raise PydanticCustomError("implausible_amount", "金额超过一亿元，请核对单位")
    return text


IsoDate = Annotated[date, BeforeValidator(_iso_date), Field(examples=["2026-01-31"])]
HouseholdNo = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$"),
    AfterValidator(without_identity_number),
    Field(examples=["H13062410020100001"]),
]
Phone = Annotated[
    str, StringConstraints(pattern=r"^(1[0-9]{10}|0[0-9]{2,3}-?[0-9]{7,8})$"), Field(examples=["19900000001"])
]


class Reporter(Strict):
    """Who reports; the number finds the household and is stored sealed."""

    name: Annotated[Name, Field(examples=["王小明"])]
    identity_number: Annotated[Text, Field(max_length=64, examples=["999901195503074016"])]
    phone: Phone | None = None


OfficerNo = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$"), AfterValidator(without_identity_number)
]


class OnBehalf(Strict):
    """The cadre who writes the report for a household."""

    officer_no: OfficerNo = Field(examples=["V130624100201"])


Relation = Literal["spouse", "child", "parent", "sibling", "other"]


class RelativeFiler(Strict):
    """The relative who reports for the household, and how they are related (代报人)."""

    name: Annotated[Name, Field(examples=["王小红"])]
    relation: Relation
    phone: Phone | None = None


class Consent(Strict):
    """The text that was agreed to: GET /intake/v1/consent."""

    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.-]{1,20}$"), Field(examples=["2025-1"])]


class SelfReportCreate(Strict):
    """A household's own report (农户自主申报).

    Written by itself, by a `relative` or a cadre (`on_behalf_of`), with its `consent`; or by a hotline, which gives
    its `ticket_no` and `basis` instead.
    """

    division: DivisionStr
    household_no: HouseholdNo | None = None
    reporter: Reporter
    hardships: list[Hardship] = Field(min_length=1, max_length=9, examples=[["illness"]])
    description: Annotated[Text, Field(max_length=1000, examples=["住院花费较大，家中无力承担"])] | None = None
    amount_yuan: Annotated[YuanStr, AfterValidator(plausible)] | None = None
    on_behalf_of: OnBehalf | None = None
    reported_on: IsoDate
    channel: Channel = Channel.APP
    ticket_no: (
        Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,40}$"), AfterValidator(without_identity_number)]
        | None
    ) = None
    relative: RelativeFiler | None = None
    consent: Consent | None = None
    basis: Annotated[OpenText, Field(min_length=2, max_length=200)] | None = None
    attachments: list[UUID] = Field(default_factory=list, max_length=50, description="先行上传的附件编号")
    about_officer: OfficerNo | None = Field(
        default=None, description="反映的干部工号：预警由上一级办理，本人不知情", examples=["GB0007"]
    )

    def as_report(self) -> SelfReport:
        """The report as the domain knows it: hardships sorted, each once."""
        return SelfReport(
            household_no=self.household_no,
            reporter_name=self.reporter.name,
            identity_number=self.reporter.identity_number,
            phone=self.reporter.phone,
            division=self.division,
            hardships=tuple(sorted(set(self.hardships))),
            description=self.description or None,
            amount_fen=None if self.amount_yuan is None else parse_yuan(self.amount_yuan),
            on_behalf_of=self.on_behalf_of.officer_no if self.on_behalf_of else None,
            reported_on=self.reported_on,
            channel=self.channel,
            ticket_no=self.ticket_no,
            relative=Relative(**self.relative.model_dump()) if self.relative else None,
            consent_version=self.consent.version if self.consent else None,
            basis=self.basis,
            attachments=tuple(dict.fromkeys(self.attachments)),
            about_officer=self.about_officer,
        )


class SelfReportReceived(BaseModel):
    """The receipt: ask GET /intake/v1/self-reports/{id} how far it got; the household asks with its receipt code."""

    id: UUID
    status: Literal["received"] = "received"
    receipt_code: str | None = Field(
        description="受理码，交给农户；凭它查询进度、更正、撤回、申诉。他人已报过的同一申报不返回",
        examples=["7KQ2-M4XH-R9TB-6WCD"],
    )


class StageView(BaseModel):
    """A stage of a report and when it was reached; null: not yet."""

    stage: ReportStage
    title: str
    at: AwareDatetime | None


class RelativeView(BaseModel):
    """Who wrote the report for the household."""

    name: str
    relation: str
    phone: str | None


class SelfReportView(BaseModel):
    """A report and how far it got; what the caller may not see is null or masked."""

    id: UUID
    status: ReportStage | Literal["withdrawn"] = Field(
        description="到了哪一步；withdrawn：已撤回，时间见 withdrawn_at，各步骤的时间保留"
    )
    stages: list[StageView]
    unmatched: bool = Field(description="没有在花名册中找到此人；由村级人员联系核实")
    alert_id: UUID | None = Field(description="派单后的预警编号：GET /alerts/v1/alerts/{alert_id}")
    division: str
    household_no: str | None
    reporter_name: str
    identity_number: str = Field(description="脱敏")
    phone: str | None
    hardships: list[Hardship] | None
    description: str | None
    amount_yuan: str | None
    on_behalf_of: str | None
    reported_on: date
    received_at: AwareDatetime
    channel: Channel
    ticket_no: str | None
    filed_by: Literal["self", "relative", "cadre", "hotline"]
    relative: RelativeView | None = Field(description="代报人")
    consent_version: str | None
    basis: str | None
    corrects: UUID | None = Field(description="更正前的第一版申报")
    withdrawn_at: AwareDatetime | None
    outcome: str | None = Field(description="核实结果")


class FeedReceived(BaseModel):
    """The receipt of a file: ask GET /intake/v1/feeds/{id} how far it got."""

    id: UUID
    status: Literal["received"] = "received"
    repeated: bool = Field(description="true：同一文件此前已接收，没有重复处理")


class FeedProblem(BaseModel):
    """Why a file as a whole recorded nothing."""

    code: str
    detail: str
    expected: str | None = None


class FeedCounts(BaseModel):
    """Rows of the file; records are rows, or a roster's households; matched and unmatched are observations.

    Only `recorded` says what was taken in: it is 0 for a file that was only checked, or rejected as a whole, and
    the other counts tell what the check found.
    """

    read: int
    accepted: int = Field(description="正确的行")
    rejected: int
    held: int = Field(description="金额异常、待人员核实的行")
    unauthorised: int = Field(description="没有有效承诺授权的行：已丢弃，不留任何内容")
    duplicates: int
    records: int = Field(description="正确的行构成的记录")
    recorded: int = Field(description="已入库的记录；试运行和整批退回为 0")
    added: int
    changed: int
    unchanged: int
    ended: int
    matched: int
    unmatched: int


class FeedProgress(BaseModel):
    """How far the work on a file got."""

    bytes_done: int
    bytes_total: int
    records_done: int
    records_total: int
    percent: int
    seconds_left: int | None = Field(default=None, description="按已用时间估计的剩余秒数；没有把握时为 null")


class MappedColumn(BaseModel):
    header: str
    column: str


class Normalised(BaseModel):
    """What was changed in a column, how often."""

    column: str
    code: str
    count: int
    message: str


class EndingReport(BaseModel):
    """What a snapshot ends: records it does not list, of those live; and why nothing, if so."""

    unlisted: int
    live: int
    ends: bool
    why: str | None = None
    message: str | None = None


class FileReport(BaseModel):
    """What is known of the file as such: how packed, where the header stands, which sheet, what of it is hidden."""

    compression: str | None = None
    delimiter: str | None = None
    header_line: int | None = None
    header_rows: int = 1
    sheet: str | None = None
    other_sheets: list[str] = Field(default_factory=list, description="没有读取的工作表")
    hidden_sheets: list[str] = Field(default_factory=list, description="隐藏的工作表，没有读取")
    hidden_rows: int = Field(default=0, description="隐藏的行，照常读取")
    hidden_columns: bool = Field(default=False, description="有隐藏的列，照常读取")
    uses_1904: bool = False
    template_version: int | None = Field(default=None, description="重放时：文件所用模板的旧版本，按列名对应读取")
    merged_filled: int = Field(default=0, description="由合并单元格补上的值 (户一级的列)")


class ReviewReport(BaseModel):
    """Rows held for their amounts; `released_before` of them a person has released before as they are."""

    held: int
    released_before: int
    message: str


class ReplayReport(BaseModel):
    """The file was read before, by an older version of its layout; what that one had otherwise."""

    version_before: int
    version: int
    changes: list[str]


class OwnCodesReport(BaseModel):
    """The department's own codes that were given to two persons, households or divisions: what is newer stands."""

    two_owners: int
    message: str


class FeedReport(BaseModel):
    """What was mapped, ignored, skipped and normalised: nothing is changed in silence."""

    encoding: str | None = None
    file: FileReport = Field(default_factory=FileReport)
    mapped: list[MappedColumn] = Field(default_factory=list)
    ignored: list[str] = Field(default_factory=list)
    skipped: dict[str, int] = Field(default_factory=dict)
    notes: list[Normalised] = Field(default_factory=list)
    ending: EndingReport | None = None
    review: ReviewReport | None = None
    replay: ReplayReport | None = None
    own_codes: OwnCodesReport | None = Field(default=None, description="一个本部门编码先后对应两个人、户或区划的情况")


class FeedView(BaseModel):
    """A file from a department, how far it was taken in, and what came of it."""

    id: UUID
    layout: str
    layout_version: int
    department: str
    division: str
    period: str | None
    mode: FeedMode
    status: FeedStatus
    problem: FeedProblem | None
    counts: FeedCounts
    progress: FeedProgress
    report: FeedReport
    newest_on: date | None
    sha256: str
    received_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    confirmed_at: AwareDatetime | None
    raw_destroyed_at: AwareDatetime | None = Field(description="原始文件及其密钥销毁的时间；null 为仍在保存期内")

    @classmethod
    def of(cls, row: Any, now: datetime | None = None) -> Self:
        """The view of a row of `feed`; `now` lets it say how long the rest may take."""
        counts = {name: row[name] for name in FeedCounts.model_fields if name != "recorded"}
        return cls(
            id=row["feed_id"],
            layout=row["layout"],
            layout_version=row["layout_version"],
            department=row["department"],
            division=row["division"],
            period=row["period"] or None,
            mode=row["mode"],
            status=row["status"],
            problem=row["problem"],
            progress=_progress(row, now),
            counts=FeedCounts(**counts, recorded=row["records_done"]),
            report=FeedReport(**row["report"]),
            newest_on=row["newest_on"],
            sha256=row["digest"].hex(),
            received_at=row["received_at"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            confirmed_at=row["confirmed_at"],
            raw_destroyed_at=row["raw_destroyed_at"],
        )


def _progress(row: Any, now: datetime | None) -> FeedProgress:
    """Reading is half the way, recording the other; an end is the whole."""
    whole, size = row["report"].get("share"), row["size_bytes"]
    read = whole if whole is not None else row["bytes_done"] / size if size else 0.0
    recorded = row["records_done"] / row["records"] if row["records"] else 0.0
    done = 1.0 if row["finished_at"] is not None else min(0.5 * read + 0.5 * recorded, 1.0)
    return FeedProgress(
        bytes_done=int(read * size),
        bytes_total=size,
        records_done=row["records_done"],
        records_total=row["records"],
        percent=int(100 * done),
        seconds_left=_seconds_left(row, done, now),
    )


def _seconds_left(row: Any, done: float, now: datetime | None) -> int | None:
    """As long again as it took so far, for what is left; nothing is said of the first twentieth, or of a wait."""
    if row["finished_at"] is not None:
        return 0
    if now is None or row["started_at"] is None or done < 0.05 or row["status"] == FeedStatus.WAITING_CONFIRMATION:
        return None
    taken: float = (now - row["started_at"]).total_seconds()
    return max(round(taken * (1 - done) / done), 0)


class RowErrorView(BaseModel):
    """One mistake in one row; `line` is the physical line where the row starts."""

    line: int
    column: str | None
    code: str
    level: Literal["error", "warning", "review"] = Field(description="review：待核，须由人员确认")
    reason: str
    expected: str | None
    example: str | None
    value: str | None = Field(description="脱敏后的原值")

    @classmethod
    def of(cls, row: Any) -> Self:
        """The view of a row of `feed_row_error`."""
        return cls(
            line=row["line"],
            column=row["header"],
            code=row["code"],
            level=row["level"],
            reason=row["reason"],
            expected=row["expected"],
            example=row["example"],
            value=row["echo"],
        )


class FeedSettled(FeedView):
    """A small file that was waited for: what GET /intake/v1/feeds/{id} says, and its row errors."""

    errors: list[RowErrorView] = Field(description="前 1000 条")
    error_count: int = Field(description="错误与提示的总数")
    repeated: bool = Field(description="true：同一文件此前已接收，没有重复处理")


class ColumnView(BaseModel):
    """A column of a data set."""

    name: str
    header: str
    synonyms: list[str]
    type: str
    unit: str | None
    required: bool
    codes: dict[str, str]
    example: str | None

    @classmethod
    def of(cls, column: Column) -> Self:
        return cls(
            name=column.name,
            header=column.header,
            synonyms=list(column.synonyms),
            type=column.type,
            unit=column.unit if column.type in ("money_yuan", "percent") else None,
            required=column.required,
            codes=dict(column.codes),
            example=column.example,
        )


class RuleView(BaseModel):
    code: str
    level: str
    message: str


class LayoutSummary(BaseModel):
    """A data set: who sends it, how often, what for."""

    name: str
    version: int
    title: str
    department: str
    department_title: str
    kind: Kind
    cadence: Cadence
    overdue_after_days: int
    purpose: str
    legal_basis: str
    owner: str
    retention_months: int
    raw_retention_days: int
    source: Source = Field(description="发现渠道")
    natural_key: list[str]
    needs_authorisation: bool = Field(description="只接收有有效承诺授权的人员")
    division: str | None = Field(default=None, description="自定义数据集所属区划；内置的为空")

    @classmethod
    def of(cls, layout: FeedLayout, division: str | None = None) -> Self:
        derived = {"natural_key", "division"}
        return cls(
            **{name: getattr(layout, name) for name in LayoutSummary.model_fields if name not in derived},
            natural_key=list(layout.natural_key),
            division=division,
        )


class LayoutView(LayoutSummary):
    """A data set with its columns and rules."""

    columns: list[ColumnView]
    rules: list[RuleView]
    fact_kinds: list[str]

    @classmethod
    def whole(cls, layout: FeedLayout, division: str | None = None) -> Self:
        return cls(
            **LayoutSummary.of(layout, division).model_dump(),
            columns=[ColumnView.of(column) for column in layout.columns],
            rules=[RuleView(code=r.code, level=r.level, message=r.message) for r in layout.rules],
            fact_kinds=[fact.kind for fact in layout.facts],
        )


class FreshnessItem(BaseModel):
    """How fresh a data set is in a division: the day its data reaches to, when it came, when the next is due."""

    layout: str
    title: str
    department: str
    division: str
    newest_on: date | None
    received_at: datetime | None
    due_by: date | None = Field(description="最迟应报送日；为空：从未报送")
    overdue: bool
