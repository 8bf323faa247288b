"""Bodies and answers of the household register (农户花名册): changes, history, tags, the monitored list."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.monitoring.domain.relation import OTHER, RELATIONS
from services.monitoring.schemas import Answer, HistoryView, Reason, ShortText, TagView
from services.monitoring.schemas_facts import Amount
from shared.web.schema import DivisionStr, Name, OpenText, Strict


def _relation(text: str) -> str:
    if text not in RELATIONS:
        raise PydanticCustomError("relation", "没有这种与户主关系；应为：{known}", {"known": "、".join(RELATIONS)})
    return text


Relation = Annotated[str, AfterValidator(_relation), Field(json_schema_extra={"enum": list(RELATIONS)})]
NewHouseholdNo = Annotated[
    OpenText, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00/\s]+$"), Field(examples=["F130624099"])
]
IdentityNumber = Annotated[str, Field(min_length=1, max_length=40)]
Phone = Annotated[str, StringConstraints(pattern=r"^1[3-9][0-9]{9}$")]


def _like(example: JsonDict) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"example": example})


class MemberRef(Strict):
    """A member of the household: by the number the household's view gives him, or by his identity number."""

    member_id: int | None = Field(default=None, ge=1, le=2**62)
    identity_number: IdentityNumber | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "MemberRef":
        if (self.member_id is None) == (self.identity_number is None):
            raise PydanticCustomError("member_reference", "请给出 member_id 或 identity_number，二者取一")
        return self


class _Change(Strict):
    on: date = Field(description="发生之日；从这一天起生效，不得晚于今天")
    reason: Reason
    document_no: ShortText | None = None


class Move(_Change):
    """The household lives, or is registered, elsewhere from that day on (迁移)."""

    model_config = _like(
        {"change": "move", "on": "2026-03-10", "place": "living", "division": "130624101201", "reason": "易地搬迁"}
    )

    change: Literal["move"]
    place: Literal["living", "registered", "both"] = Field(description="居住地、户籍地，或两者")
    division: DivisionStr


class Leaver(Strict):
    """A member who leaves with a split, and what he is in the new household."""

    member: MemberRef
    relation: Relation


class IncomeShare(Strict):
    """How one total of the household is divided: the two parts are together the whole, to the fen."""

    kind: Annotated[str, StringConstraints(min_length=1, max_length=60)] = Field(examples=["income.wage"])
    period_to: date = Field(description="合计所属时期的最后一天")
    stays_yuan: Amount
    goes_yuan: Amount


class IncomeDivision(Strict):
    """How the household's own yearly totals are divided; what a member earned himself follows him anyway."""

    choice: Literal["members", "shares", "stays"] = Field(
        description="members：按计入的人数平分；shares：每项合计各写一行；stays：全部留在原户"
    )
    shares: list[IncomeShare] = Field(default=[], max_length=200, description="只用于 shares")

    @model_validator(mode="after")
    def _shares_are_for_shares(self) -> "IncomeDivision":
        if self.shares and self.choice != "shares":
            raise PydanticCustomError("income_choice", "choice 为 shares 时才写 shares")
        return self


class Split(_Change):
    """Some members become a household of their own (分户); one of them is its head.

    What the members earned and paid themselves follows them. What is known of the household as a whole is divided by
    `income`, by members equally where that is not stated.
    """

    model_config = _like(
        {
            "change": "split",
            "on": "2026-03-10",
            "new_household_no": "F130624099",
            "members": [{"member": {"member_id": 12}, "relation": "户主"}],
            "income": {
                "choice": "shares",
                "shares": [
                    {
                        "kind": "income.wage",
                        "period_to": "2025-12-31",
                        "stays_yuan": "30000.00",
                        "goes_yuan": "12000.00",
                    }
                ],
            },
            "reason": "成家分户",
        }
    )

    change: Literal["split"]
    new_household_no: NewHouseholdNo = Field(description="国家系统或派出所给新户的户编号")
    members: list[Leaver] = Field(min_length=1, max_length=50)
    income: IncomeDivision | None = Field(default=None, description="整户收入合计的划分；缺省按计入人数平分")
    living_division: DivisionStr | None = Field(default=None, description="缺省同原户")
    registered_division: DivisionStr | None = Field(default=None, description="缺省同原户")
    phone: Phone | None = None


class Merge(_Change):
    """Another household joins this one, which goes on (合户); its people and facts come along, its history stays."""

    model_config = _like(
        {"change": "merge", "on": "2026-03-10", "absorbed_household_no": "F130624002", "reason": "老人随子女合户"}
    )

    change: Literal["merge"]
    absorbed_household_no: NewHouseholdNo
    relations: list[Leaver] = Field(default=[], max_length=50, description="并入成员的新关系；缺省照旧，原户主为其他")


class MemberJoined(_Change):
    """A person joins the household; of another household in the caller's range he is no member any more."""

    model_config = _like(
        {
            "change": "member_joined",
            "on": "2026-03-10",
            "because": "married_in",
            "identity_number": "990101199003070017",
            "name": "李四",
            "relation": "之儿媳",
            "reason": "结婚迁入",
        }
    )

    change: Literal["member_joined"]
    because: Literal["born", "married_in", "adopted", "returned", "other"]
    identity_number: IdentityNumber
    name: Name
    relation: Relation


class MemberLeft(_Change):
    """A member does not belong to the household any more (自然减少以外的减少)."""

    model_config = _like(
        {
            "change": "member_left",
            "on": "2026-03-10",
            "because": "married_out",
            "member": {"member_id": 12},
            "reason": "出嫁迁出",
        }
    )

    change: Literal["member_left"]
    because: Literal["married_out", "moved_out", "other"]
    member: MemberRef


class MemberDied(_Change):
    """A member died on that day (自然减少)."""

    model_config = _like(
        {"change": "member_died", "on": "2026-03-10", "member": {"member_id": 12}, "reason": "派出所死亡登记"}
    )

    change: Literal["member_died"]
    member: MemberRef


class DeathWithdrawn(_Change):
    """A death was entered by mistake; the member lives."""

    model_config = _like(
        {"change": "death_withdrawn", "on": "2026-03-12", "member": {"member_id": 12}, "reason": "误报死亡，已核实"}
    )

    change: Literal["death_withdrawn"]
    member: MemberRef


class MemberStatus(_Change):
    """A member is in prison, missing, away for long, or back from that day on."""

    model_config = _like(
        {
            "change": "member_status",
            "on": "2026-03-10",
            "member": {"member_id": 12},
            "member_status": "imprisoned",
            "reason": "判决书",
        }
    )

    change: Literal["member_status"]
    member: MemberRef
    member_status: Literal["living", "imprisoned", "missing", "long_term_away"]


class MemberRelation(_Change):
    """How a member stands to the head from that day on (与户主关系)."""

    model_config = _like(
        {
            "change": "member_relation",
            "on": "2026-03-10",
            "member": {"member_id": 12},
            "relation": "之女",
            "reason": "更正",
        }
    )

    change: Literal["member_relation"]
    member: MemberRef
    relation: Relation


class HeadChanged(_Change):
    """Another member is the head of the household from that day on (变更户主)."""

    model_config = _like(
        {
            "change": "head_changed",
            "on": "2026-03-10",
            "member": {"member_id": 12},
            "former_head_relation": "之父",
            "reason": "户主年迈",
        }
    )

    change: Literal["head_changed"]
    member: MemberRef
    former_head_relation: Relation = OTHER


class TagSet(_Change):
    """A tag holds from that day on."""

    model_config = _like({"change": "tag_set", "on": "2026-03-10", "tag": "dibao", "reason": "民政局审批"})

    change: Literal["tag_set"]
    tag: Literal["dibao", "tekun", "relocated"]
    member: MemberRef | None = Field(default=None, description="单人享受的（如单人户低保）")


class TagEnded(_Change):
    """A tag that the register holds does not hold any more from that day on."""

    model_config = _like({"change": "tag_ended", "on": "2026-03-10", "tag": "dibao", "reason": "收入超过标准"})

    change: Literal["tag_ended"]
    tag: Literal["dibao", "tekun", "relocated"]


# fmt: off
KINDS = (
    "move", "split", "merge", "member_joined", "member_left", "member_died", "death_withdrawn",
    "member_status", "member_relation", "head_changed", "tag_set", "tag_ended",
)
# fmt: on


def _kind(body: Any) -> str | None:
    kind = body.get("change") if isinstance(body, dict) else getattr(body, "change", None)
    return kind if isinstance(kind, str) else None


ChangeRequest = Annotated[
    Annotated[Move, Tag("move")]
    | Annotated[Split, Tag("split")]
    | Annotated[Merge, Tag("merge")]
    | Annotated[MemberJoined, Tag("member_joined")]
    | Annotated[MemberLeft, Tag("member_left")]
    | Annotated[MemberDied, Tag("member_died")]
    | Annotated[DeathWithdrawn, Tag("death_withdrawn")]
    | Annotated[MemberStatus, Tag("member_status")]
    | Annotated[MemberRelation, Tag("member_relation")]
    | Annotated[HeadChanged, Tag("head_changed")]
    | Annotated[TagSet, Tag("tag_set")]
    | Annotated[TagEnded, Tag("tag_ended")],
    Discriminator(
        _kind,
        custom_error_type="change_unknown",
        custom_error_message=f"change 应为：{'、'.join(KINDS)}",
    ),
]


class ChangeView(Answer):
    """A change as it was entered; `notes` say what is left for people to do."""

    change_id: UUID
    household_no: str
    change: str
    on: date
    other_household_no: str | None = Field(description="分户、合户的另一户；不在本人范围内的为空")
    document_no: str | None
    reason: str
    detail: dict[str, Any]
    notes: list[str]
    changed_by_name: str
    recorded_at: AwareDatetime


class MembershipEntry(Answer):
    """Somebody belonged to the household in [valid_from, valid_to), as known until `superseded_at`."""

    member_id: int
    name: str
    relation: str
    status: str
    valid_from: date
    valid_to: date | None
    recorded_at: AwareDatetime
    superseded_at: AwareDatetime | None


class PlaceEntry(Answer):
    """Where the household was registered or lived; `valid_from` null: for as long as it is known."""

    role: Literal["living", "registered"]
    division: str
    place: str
    valid_from: date | None
    valid_to: date | None
    recorded_at: AwareDatetime | None
    superseded_at: AwareDatetime | None


class TagEntry(TagView):
    until: date | None
    recorded_at: AwareDatetime
    superseded_at: AwareDatetime | None


class RegisterHistory(HistoryView):
    """What happened to a household, its register included: what was entered, and what was known until when."""

    changes: list[ChangeView]
    memberships: list[MembershipEntry]
    places: list[PlaceEntry]
    tags: list[TagEntry]


# --- the national system's monitored list --------------------------------------------------------------------


class RowError(Answer):
    line: int
    column: str
    code: str
    message: str
    expected: str | None


class MonitoredListTaken(Answer):
    """What an export of the national list holds, and what it changes (or would change: `applied` false)."""

    import_id: UUID | None
    applied: bool
    division: str
    as_of: date
    complete: bool
    rows: int
    new: int
    changed: int
    unchanged: int
    vanished: int = Field(description="完整名单中不再出现的户数")
    matched: int
    unmatched: int = Field(description="本系统花名册中没有的户数")
    errors: list[RowError]
    unknown_columns: list[str]


class Difference(Answer):
    """A household on which the national list and ours differ."""

    kind: Literal["should_enter", "should_remove", "class_differs", "not_listed_here", "unknown_here"]
    because: Literal["listed", "recommended", "removed", "no_risk_seen", "class", "no_decision", "unknown"]
    sentence: str
    household_no: str
    head_name: str
    division: str
    place: str
    listed_as: str | None
    recommendation: str | None
    national_listed_as: str | None
    national_identified_on: date | None


class DifferenceCount(Answer):
    kind: str
    label: str
    households: int
    query: str


class DivisionDifferences(Answer):
    division: str
    place: str
    counts: dict[str, int]


class Comparison(Answer):
    """The national list against ours: how many of each kind, in each division below, and who."""

    division: str
    as_of: date | None = Field(description="所用名单的日期；既未导入也未报送为空")
    source: Literal["import", "feed", "both"] | None = Field(
        description="所用的名单：本系统导入的，或部门报送的（monitored_list），取较新的；各地不同为 both"
    )
    agree: int
    counts: list[DifferenceCount]
    by_division: list[DivisionDifferences]
    items: list[Difference]
    next_cursor: str | None


class ListReveal(Strict):
    """The list with names and identity numbers whole; the purpose is audited."""

    model_config = _like({"division": "130624000000", "purpose": "录入国家系统"})

    division: DivisionStr | None = None
    households: Literal["listed", "should_enter", "should_remove", "class_differs"] = "listed"
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    purpose: ShortText
