"""Bodies of requests and answers about departments' tasks and joint consultations."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.alerts.domain.consultation import Call, Decision
from services.alerts.domain.sector import Sector
from services.alerts.domain.sector_task import TaskState
from services.alerts.schemas import Note, Place, StepId, Version
from shared.vocabulary.terms import Cause, Outcome
from shared.web.schema import Name, OpenText, Strict


class TaskEntry(BaseModel):
    """What was done to a task, by whom."""

    at: AwareDatetime
    actor: str
    action: str
    state_after: TaskState
    note: str | None


class TaskSummary(BaseModel):
    """A guarantee lacking, as a department's task; `about` is what the department's own data said."""

    task_id: UUID
    sector: Sector
    state: TaskState
    household_no: str | None
    name: str = Field(description="无联系权限时脱敏", examples=["张*国"])
    living: Place
    about: str | None
    round: int = Field(description="第几轮办理")
    opened_at: AwareDatetime
    due_at: AwareDatetime
    is_overdue: bool
    feedback: Literal["done", "not_possible"] | None
    feedback_note: str | None
    feedback_at: AwareDatetime | None
    closed_at: AwareDatetime | None


class TaskView(TaskSummary):
    """A task with its history; the alert it came from is for those who see alerts."""

    alert_id: UUID | None
    history: list[TaskEntry]


class FeedbackIn(Strict):
    """What the department did, or why it cannot."""

    id: StepId = None
    result: Literal["done", "not_possible"] = Field(examples=["done"])
    note: Note = Field(min_length=1, examples=["已安排危房改造，10 月 20 日验收"])


class TaskConfirmationIn(Strict):
    """What the village sees of it; a task that is not solved goes back, saying why."""

    id: StepId = None
    solved: bool = Field(examples=[True])
    note: Note | None = Field(default=None, examples=["屋顶仍漏雨"])


class ConsultationIn(Strict):
    """A call to departments for written opinions, and when people meet."""

    id: StepId = None
    departments: list[Name] = Field(min_length=1, max_length=20, examples=[["医疗保障", "民政"]])
    question: Annotated[OpenText, Field(min_length=1, max_length=1000)] = Field(examples=["是否符合纳入条件"])
    opinions_by: date = Field(examples=["2026-11-25"])
    meets_on: date = Field(examples=["2026-11-27"])
    version: Version = None

    def call(self) -> Call:
        return Call(tuple(self.departments), self.question, self.opinions_by, self.meets_on)


class OpinionIn(Strict):
    id: StepId = None
    opinion: Annotated[OpenText, Field(min_length=1, max_length=2000)] = Field(examples=["符合慢特病待遇，已办理"])


class CancellationIn(Strict):
    """Why a consultation is called off."""

    id: StepId = None
    reason: Annotated[Note, Field(min_length=1, examples=["部门已书面答复，无需开会"])]
    version: Version = None


class DecisionIn(Strict):
    """What was decided: an outcome that closes the alert, and who does what."""

    id: UUID | None = None
    held_on: date = Field(examples=["2026-11-27"])
    attendees: list[Name] = Field(min_length=1, max_length=50, examples=[["GB0001", "GB0002"]])
    outcome: Outcome = Field(examples=["identify"])
    causes: list[Cause] = Field(default_factory=list, max_length=11)
    helped_by: Name | None = Field(default=None, examples=["县民政局"])
    measures: Note | None = Field(default=None, examples=["民政局 5 个工作日内落实临时救助"])
    version: Version = None

    def decision(self) -> Decision:
        return Decision(
            self.held_on, tuple(self.attendees), self.outcome, tuple(self.causes), self.helped_by, self.measures
        )


class OpinionView(BaseModel):
    """A department's opinion; `opinion` is null where the reader may not see it."""

    department: str
    written_at: AwareDatetime
    opinion: str | None


class ConsultationView(BaseModel):
    """A consultation as its reader may see it: a department its own opinion only."""

    consultation_id: UUID
    alert_id: UUID | None
    household_no: str | None
    name: str
    living: Place
    departments: list[str]
    question: str | None = Field(description="村级不可见")
    opinions_by: date
    meets_on: date
    is_overdue: bool = Field(description="会商日期已过，尚无决定")
    state: Literal["open", "decided", "cancelled"]
    called_by: str
    called_at: AwareDatetime
    opinions: list[OpinionView]
    awaited: list[str] = Field(description="尚未提交书面意见的部门")
    held_on: date | None
    attendees: list[str]
    measures: str | None
    decided_at: AwareDatetime | None
    cancel_reason: str | None = Field(description="取消的原因，村级不可见")
    cancelled_at: AwareDatetime | None
