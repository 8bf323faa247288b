"""Bodies and answers around a report: consent, rules, receipts, corrections, appeals, attachments, own record."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.intake.domain.appeal import Against, AppealState
from services.intake.schemas import HouseholdNo, Phone, StageView, plausible
from shared.vocabulary.terms import Hardship
from shared.web.schema import DivisionStr, OpenText, Strict, Text, YuanStr, without_identity_number

Reason = Annotated[OpenText, Field(min_length=2, max_length=500, examples=["看病费用填错了"])]
ReceiptCode = Annotated[Text, Field(min_length=1, max_length=64, examples=["7KQ2-M4XH-R9TB-6WCD"])]
OfficerNo = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$"), AfterValidator(without_identity_number)
]
Purpose = Annotated[OpenText, Field(min_length=2, max_length=200, examples=["入户核实前查看材料"])]


class ConsentView(BaseModel):
    """The text a household agrees to, in its version of today."""

    version: str
    valid_from: date
    title: str
    text: str


class LimitView(BaseModel):
    """One published limit."""

    rule: str
    title: str
    most: int
    per: Literal["day", "hour"]


class ReportingRules(BaseModel):
    """What a report may be, and how often; a person's first report of a day is never refused by a limit."""

    limits: list[LimitView]
    first_report_of_a_day_is_never_refused: Literal[True] = True
    attachment_types: list[str]
    attachment_limit_bytes: int
    attachments_per_report: int
    appeal_working_days: int
    help_phone: str


class ByCode(Strict):
    """The receipt code, as it was given or typed."""

    receipt_code: ReceiptCode


class Corrected(Strict):
    """What is said anew; what is left out stands as it was."""

    reason: Reason
    hardships: list[Hardship] | None = Field(default=None, min_length=1, max_length=9)
    description: Annotated[Text, Field(min_length=1, max_length=1000)] | None = None
    amount_yuan: Annotated[YuanStr, AfterValidator(plausible)] | None = None
    phone: Phone | None = None
    about_officer: OfficerNo | None = Field(
        default=None, description="反映的干部工号：该干部不会收到、也看不到由此产生的预警"
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any((self.hardships, self.description, self.amount_yuan, self.phone, self.about_officer)):
            raise PydanticCustomError("nothing_corrected", "至少写明一项更正的内容")
        return self


class CorrectionByCode(Corrected):
    receipt_code: ReceiptCode


class WithReason(Strict):
    """Why; kept sealed beside the deed."""

    reason: Reason


class WithdrawalByCode(WithReason):
    receipt_code: ReceiptCode


class AppealByCode(WithReason):
    receipt_code: ReceiptCode
    against: Against | None = Field(default=None, description="不填：按核实答复")


class AppealCreate(WithReason):
    """An appeal a person of the county writes down for a household: against the answer to a report, or any other."""

    report_id: UUID | None = None
    household_no: HouseholdNo | None = None
    division: DivisionStr | None = None
    against: Against | None = None
    answered_by: OfficerNo | None = Field(default=None, description="作出原答复的干部工号")

    @model_validator(mode="after")
    def _names_an_answer(self) -> Self:
        of_household = (self.household_no, self.division, self.against, self.answered_by)
        if self.report_id is None and not all(of_household):
            raise PydanticCustomError(
                "answer_missing", "请填写 report_id，或 household_no、division、against、answered_by"
            )
        if self.report_id is not None and any((self.household_no, self.division, self.answered_by)):
            raise PydanticCustomError("answer_ambiguous", "填写 report_id 时，不再填写户编号、区划和答复人")
        return self


class AppealFiled(BaseModel):
    """The appeal, and the last day for its decision."""

    id: UUID
    due_on: date
    right: str


class AppealDecision(Strict):
    """Whether the answer stands, and why, in words the household understands."""

    outcome: Literal["upheld", "changed"]
    reason: Annotated[
        OpenText, Field(min_length=10, max_length=1000, examples=["经乡镇干部重新入户，医药费属实，改为纳入监测"])
    ]


class AppealView(BaseModel):
    """An appeal, for a person of the county."""

    id: UUID
    report_id: UUID | None
    household_no: str | None
    division: str
    against: Against
    answered_by: str | None
    reason: str | None
    state: AppealState
    title: str
    filed_at: AwareDatetime
    due_on: date
    overdue: bool
    alert_id: UUID | None
    looked_at: AwareDatetime | None
    looked_by: str | None
    look_outcome: str | None
    decided_at: AwareDatetime | None
    decided_by: str | None
    decision_reason: str | None


class AppealProgress(BaseModel):
    """An appeal, for the household: the reasons, the clock, and the right to a person's review."""

    id: UUID
    state: AppealState
    title: str
    filed_at: AwareDatetime
    due_on: date | None
    overdue: bool
    decided_at: AwareDatetime | None
    reason: str | None
    right: str


class ReportProgress(BaseModel):
    """How far one's own report got, in plain words: no name, no number, nothing but what happened and what comes."""

    status: str
    title: str
    says: str
    next: str
    by: date | None = Field(description="下一步最迟的日期；为空：没有下一步")
    call: str
    stages: list[StageView]
    versions: int
    withdrawn_at: AwareDatetime | None
    outcome: str | None
    appeals: list[AppealProgress]


class VersionMade(BaseModel):
    """The new version of the report."""

    id: UUID
    corrects: UUID


class Withdrawn(BaseModel):
    id: UUID
    status: Literal["withdrawn"] = "withdrawn"


class CodeGiven(BaseModel):
    """The new receipt code; the old one opens nothing any more."""

    id: UUID
    receipt_code: str


class AttachmentKept(BaseModel):
    """A file that was kept; `media_type` is what its content says, whatever it was called."""

    id: UUID
    media_type: str


class AttachmentView(BaseModel):
    """An attachment: what it is, and whether it still is."""

    id: UUID
    media_type: str
    metadata: Literal["none", "stripped", "kept"] = Field(
        description="照片的拍摄信息 (EXIF、位置)：none 没有，stripped 已去除，kept 保留 (HEIC)"
    )
    size_bytes: int
    received_at: AwareDatetime
    destroyed_at: AwareDatetime | None


class DownloadRequest(Strict):
    """What the file is looked at for; written into the trail."""

    purpose: Purpose


class OwnRecordRequest(Strict):
    """The receipt code, and the last six signs of the person's own identity number."""

    receipt_code: ReceiptCode
    number_ending: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}[0-9Xx]$", strip_whitespace=True)]


class OwnReport(BaseModel):
    """One of one's own reports."""

    reported_on: date
    hardships: list[Hardship]
    filed_by: str
    channel: str
    stages: list[StageView]
    outcome: str | None
    withdrawn_at: AwareDatetime | None
    appeals: list[AppealProgress]


class HeldCategory(BaseModel):
    """A category of data that is held about one, and from which department."""

    category: str
    department: str
    facts: int
    first_on: date
    last_on: date


class Look(BaseModel):
    """Somebody looked: when, which post of which place, what for; never by name."""

    at: AwareDatetime
    role: str
    organisation: str
    what: str
    purpose: str | None


class OwnRecordView(BaseModel):
    """What is held about oneself and who looked; `complete` is false while the second half is being gathered."""

    complete: bool
    gathered_at: AwareDatetime | None
    says: str
    reports: list[OwnReport]
    holdings: list[HeldCategory]
    looks: list[Look]
