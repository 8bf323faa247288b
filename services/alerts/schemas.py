"""Bodies of requests and answers of alerts."""

from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from services.alerts.domain.alert import Status
from services.alerts.domain.breaker import Breaker
from services.alerts.domain.clocks import ClockUnit
from services.alerts.domain.delivery import EndpointState
from services.alerts.domain.duty import Reach
from services.alerts.domain.handover import HandoverKind
from services.alerts.domain.household_check import MOST_NOTE, Finding, Need, Seen
from services.alerts.domain.message import MatterKind
from services.alerts.domain.sector import Sector
from services.alerts.domain.verification import Contact, Method, Verification
from shared.contracts.alerts import MOST_VISIT_MINUTES
from shared.vocabulary.terms import Cause, Outcome, Role, Severity
from shared.web.schema import DivisionStr, Name, OpenText, Strict

ChannelName = Literal["webhook", "smtp", "console", "wecom", "dingtalk", "sms"]
PostRole = Literal[
    "grid_worker",
    "village_secretary",
    "first_secretary",
    "village_cadre",
    "township_deputy",
    "township_leader",
    "county_admin",
    "liaison",
]
Version = Annotated[int | None, Field(ge=1, lt=2**31, description="您看到的版本；与现在不同则返回 409")]
Note = Annotated[OpenText, Field(max_length=1000)]


class Place(BaseModel):
    """A division and its name."""

    code: str = Field(examples=["130624100201"])
    name: str = Field(examples=["大台村"])


class Assignee(BaseModel):
    """A person who answers for an alert; `level` 1 is the grid, 7 the county."""

    officer_no: str
    role: Role
    level: int
    reach: Reach
    since: AwareDatetime


class AlertSummary(BaseModel):
    """An alert in a list; what the caller's role may not see is null."""

    alert_id: UUID
    status: Status
    severity: Severity | None
    household_no: str | None
    name: str = Field(description="无联系权限时脱敏", examples=["张*国"])
    living: Place
    registered: Place
    causes: list[str]
    recommendation: str | None
    reason: str
    has_reported: bool = Field(description="农户自主申报或热线求助")
    opened_at: AwareDatetime
    ack_due_at: AwareDatetime
    verify_due_at: AwareDatetime
    is_overdue: bool
    outcome: Outcome | None
    version: int


class EvidenceView(BaseModel):
    """One piece of evidence, with only the fields of the caller's classes."""

    kind: Literal["finding", "fact"]
    recorded_at: AwareDatetime
    item: dict[str, Any]


class TimelineEntry(BaseModel):
    """What was done, by whom."""

    at: AwareDatetime
    actor: str = Field(description="干部工号；monitoring 或 alerts 为系统")
    action: str
    status_before: Status | None
    status_after: Status
    detail: dict[str, Any]


class VerificationView(BaseModel):
    """The answer that closed the alert, or that waits for a second officer (`awaiting`)."""

    verification_id: UUID
    outcome: Outcome
    causes: list[str]
    method: Method | None
    contacted_by: str | None
    contacted_on: date | None
    met: str | None
    minutes: int | None
    helped_by: str | None
    note: str | None
    household_check: dict[Need, dict[str, str | None]] | None
    officer_no: str
    officer_role: Role
    verified_at: AwareDatetime
    needs: list[Sector]
    state: Literal["awaiting", "stands"]
    second_officer_no: str | None
    second_at: AwareDatetime | None
    consultation_id: UUID | None


class ChainPerson(BaseModel):
    officer_no: str
    role: Role


class Wait(BaseModel):
    """How long a level waits for an answer before the next is asked."""

    number: int
    unit: ClockUnit


class ChainLevel(BaseModel):
    """One level of the chain with the people who stood there when it was copied."""

    level: int = Field(description="1 网格员，2 村，3 乡镇，4 县；县里另定升级链的依其次序")
    people: list[ChainPerson]
    wait: Wait | None = Field(default=None, description="路由表规定的逐级等待；空为按预警的签收时限")


class EscalationView(BaseModel):
    """How far the alert has climbed, and when it climbs next; null once it is answered or the county was told."""

    chain: list[ChainLevel]
    step: int = Field(description="现在所在的层级")
    since: AwareDatetime
    next_step_at: AwareDatetime | None
    finished_at: AwareDatetime | None


class AlertView(AlertSummary):
    """An alert with its evidence, people and timeline."""

    phone: str | None
    listed_as: str | None
    follows: UUID | None = Field(description="同一对象上一条已办结的预警")
    route_version: str | None = Field(description="按哪一版路由处置；national 为全国默认路由")
    route_nodes: list[str] = Field(description="命中的路由节点，最后一个决定升级链与日历")
    assigned: list[Assignee]
    evidence: list[EvidenceView]
    timeline: list[TimelineEntry]
    escalation: EscalationView | None
    deadlines_provisional: bool = Field(description="时限跨入尚无放假安排的年份，暂按周一至周五推算")
    verification: VerificationView | None


class StepAnswer(BaseModel):
    """Where the alert stands after a step."""

    alert_id: UUID
    status: Status
    version: int
    outcome: Outcome | None = None
    ack_due_at: AwareDatetime
    verify_due_at: AwareDatetime


StepId = Annotated[UUID | None, Field(description="客户端自编的编号：同号同内容重发不重复办理，同号异内容返回 409")]


class AcknowledgeIn(Strict):
    id: StepId = None
    version: Version = None


class AttemptIn(Strict):
    """A try to reach the household that failed; `tried_at` if it was made earlier, without a network."""

    id: StepId = None
    method: Method = Field(examples=["call"])
    note: Note | None = Field(default=None, examples=["电话两次无人接听"])
    tried_at: AwareDatetime | None = Field(default=None, examples=["2026-11-22T09:30:00+08:00"])
    version: Version = None


class HandOverIn(Strict):
    """An offer to a colleague; until he accepts, whoever gives it answers for the alert."""

    id: StepId = None
    manner: HandoverKind = Field(default=HandoverKind.TRANSFER, examples=["transfer"])
    to_officer_no: Name = Field(examples=["GB0007"])
    reason: Note = Field(min_length=1, examples=["本人外出学习，请代为核实"])
    version: Version = None


class ContactIn(Strict):
    """The visit or call: who (by default the caller), when, whom, and how long it took."""

    method: Method = Field(examples=["visit"])
    by: Name | None = Field(default=None, description="核实人，默认本人工号")
    on: date = Field(examples=["2026-11-22"])
    met: Name | None = Field(default=None, examples=["户主本人"])
    minutes: int | None = Field(
        default=None,
        ge=1,
        le=MOST_VISIT_MINUTES,
        description="用时（分钟，含路上），测算工作量用",
        examples=[75],
    )


class FindingIn(Strict):
    """How one need was found, with a line of text; what is lacking needs the line."""

    seen: Seen = Field(examples=["lacking"])
    note: Annotated[OpenText, Field(max_length=MOST_NOTE)] | None = Field(default=None, examples=["屋顶漏雨"])


class VerificationIn(Strict):
    """The answer to an alert. `id` may be made by the client: sent again under the same id, it counts once."""

    id: UUID | None = None
    outcome: Outcome = Field(examples=["no_risk"])
    causes: list[Cause] = Field(default_factory=list, max_length=11)
    contact: ContactIn | None = None
    helped_by: Name | None = Field(default=None, examples=["县民政局"])
    note: Note | None = None
    household_check: dict[Need, FindingIn] | None = Field(default=None, description="两不愁三保障和饮水")
    needs: list[Sector] = Field(default_factory=list, max_length=4, description="三保障或饮水存在的问题，转部门办理")
    version: Version = None

    def verification(self, officer_no: str) -> Verification:
        contact = self.contact and Contact(
            self.contact.method,
            self.contact.by or officer_no,
            self.contact.on,
            self.contact.met,
            self.contact.minutes,
        )
        check = tuple(Finding(need, one.seen, one.note) for need, one in (self.household_check or {}).items())
        needs = tuple(dict.fromkeys(self.needs))
        return Verification(
            self.outcome, tuple(self.causes), contact or None, self.helped_by, self.note, check, needs=needs
        )


class InboxItem(BaseModel):
    """A message to the officer himself; `item_no` is also the id of the live stream's event.

    `matter` and its id are what is asked of him besides the warning: `/alerts/v1/tasks/{id}`, `/tickets/{id}`,
    `/consultations/{id}`, or a re-check.
    """

    item_no: int
    kind: str
    severity: Severity | None
    title: str
    body: str
    link: str | None
    alert_id: UUID | None
    matter: MatterKind | None
    matter_id: UUID | None
    created_at: AwareDatetime
    read_at: AwareDatetime | None


class OfficerIn(Strict):
    """An officer with one of his posts; several posts are several lines."""

    officer_no: Name = Field(examples=["GB0001"])
    name: Name = Field(examples=["李四"])
    role: PostRole
    phone: OpenText | None = Field(default=None, max_length=20, examples=["19900000001"])
    email: OpenText | None = Field(default=None, max_length=100, examples=["lisi@example.gov.cn"])
    division: DivisionStr
    deputy_no: Name | None = Field(default=None, description="请假时的代理人", examples=["GB0002"])
    household_no: Name | None = Field(default=None, description="本人户编号：这户的预警不由本人办理")
    department: Name | None = Field(default=None, description="部门联络员必填", examples=["教育局"])


class OfficersImported(BaseModel):
    """`officers` and `duties` were new or changed; a list imported again changes none."""

    lines: int
    officers: int
    duties: int


class OfficerView(BaseModel):
    officer_no: str
    name: str
    phone: str | None
    email: str | None
    division: str
    active: bool


class DutyIn(Strict):
    """A post from `valid_from` until before `valid_to`; written again, the same post gets the new end."""

    officer_no: Name = Field(examples=["GB0001"])
    role: PostRole
    division: DivisionStr
    valid_from: date = Field(examples=["2026-11-01"])
    valid_to: date | None = None
    deputy_no: Name | None = Field(default=None, description="请假时的代理人", examples=["GB0002"])
    households: int | None = Field(default=None, ge=0, le=99_999, description="负责户数（网格员）", examples=[86])

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to 应晚于 valid_from")
        return self


class DutyView(BaseModel):
    duty_id: int
    officer_no: str
    name: str
    role: Role
    division: str
    valid_from: date
    valid_to: date | None
    deputy_no: str | None
    households: int | None


class EndpointIn(Strict):
    """A way out besides the inbox: of one officer, or of a division's group.

    A robot's address carries its key (`?key=` or `?access_token=`), which is sealed and never shown again.
    """

    channel: ChannelName = Field(examples=["webhook"])
    address: OpenText = Field(min_length=1, max_length=500, examples=["https://hooks.example.gov.cn/fangpin"])
    officer_no: Name | None = None
    division: DivisionStr | None = Field(default=None, description="工作群所属区划；与 officer_no 二选一")
    robot_secret: OpenText | None = Field(
        default=None, min_length=8, max_length=200, description="钉钉机器人的加签密钥"
    )
    rank: int | None = Field(default=None, ge=1, le=1000, description="同一人的渠道按此从小到大依次尝试")
    per_minute: int | None = Field(default=None, ge=1, le=60_000, description="每分钟最多几条；机器人默认 18")
    burst: int | None = Field(default=None, ge=1, le=60_000, description="一次最多几条；与 per_minute 同填")

    @model_validator(mode="after")
    def _has_one_owner(self) -> Self:
        if (self.officer_no is None) == (self.division is None):
            raise ValueError("officer_no 与 division 必须且只能填一个")
        if (self.per_minute is None) != (self.burst is None):
            raise ValueError("per_minute 与 burst 必须同填或同不填")
        return self


class EndpointView(BaseModel):
    """An endpoint and how it fares; the query of a URL is not shown, it may hold a key.

    `breaker` is `open` after failures in a row (one probe every five seconds), `blocked` while its supplier or its
    rate keeps everybody out until `blocked_until`.
    """

    endpoint_id: UUID
    channel: ChannelName
    address: str
    officer_no: str | None
    division: str
    state: EndpointState
    state_reason: str | None
    rank: int
    per_minute: int | None
    burst: int | None
    breaker: Breaker
    failures: int
    blocked_until: AwareDatetime | None


class EndpointMade(EndpointView):
    secret: str | None = Field(default=None, description="签名密钥（whsec_ 开头），仅显示这一次")


class AlertCount(BaseModel):
    """A number of alerts and the query that lists them; with `&overdue=true` it lists those overdue."""

    status: Status
    severity: Severity | None
    alerts: int
    overdue: int
    query: str = Field(examples=["/alerts/v1/alerts?division=130624000000&status=open&severity=orange"])


class MessageCounts(BaseModel):
    """Messages about the division's alerts and places: to inboxes, withheld with a reason, and outside by state."""

    sent: int
    withheld: int
    delivered: int
    due: int
    dead: int


class Summary(BaseModel):
    counts: list[AlertCount]
    messages: MessageCounts
