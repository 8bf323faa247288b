"""What intake says: households of a roster, and observations of any kind."""

from datetime import date
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from shared.vocabulary.terms import BaseGroup, Source, Visit

HOUSEHOLDS_RECORDED = "cn.fangpin.intake.households_recorded.v1"
OBSERVATIONS_RECORDED = "cn.fangpin.intake.observations_recorded.v1"
OWN_RECORD_ASKED = "cn.fangpin.intake.own_record_asked.v1"
DATA_NOTICE = "cn.fangpin.intake.data_notice.v1"


class Contract(BaseModel):
    """A part of a message: unknown fields are refused, so that a misspelt field is never lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MemberRecord(Contract):
    """A resident as the roster lists him; the number travels sealed (AAD: event id, "members/<household>/<i>").

    Who has no number (newborn, lost) has a `no_id_reason`; his `index` is a stand-in, of household, name and birth.
    """

    index: str = Field(description="hex of the blind index of the identity number")
    sealed: str | None = Field(default=None, description="base64 of the identity number sealed for transit")
    no_id_reason: str | None = Field(default=None, min_length=1, max_length=100)
    name: str
    relation: str
    sex: Literal["male", "female"]
    birth_date: date
    insured_resident: bool | None = None
    insured_employee: bool | None = None
    details: dict[str, Any] = Field(
        default_factory=dict, description="what else the roster says, by column; see layout"
    )

    @model_validator(mode="after")
    def _has_number_or_reason(self) -> "MemberRecord":
        if (self.sealed is None) == (self.no_id_reason is None):
            raise ValueError("either a sealed number, or the reason why there is none")
        return self


class YearIncome(Contract):
    """A household's income of one calendar year, fen."""

    wage_fen: int
    business_sales_fen: int
    production_cost_fen: int
    property_fen: int
    transfer_fen: int


class HouseholdRecord(Contract):
    """A household as the roster lists it; `record` is its natural key in the feed."""

    household_no: str
    record: str
    division: str
    base_group: BaseGroup
    phone: str | None = None
    dwelling_grade: str | None = None
    occupied_grade: str | None = None
    income_year: int | None = None
    income: YearIncome | None = None
    details: dict[str, Any] = Field(
        default_factory=dict, description="what else the roster says, by column; see layout"
    )
    members: list[MemberRecord] = Field(min_length=1)


class HouseholdsRecorded(Contract):
    """Households new or changed in a roster feed; membership is valid from `recorded_from`."""

    feed_id: str
    department: str
    data_set: str
    division: str
    received_at: AwareDatetime
    recorded_from: date
    households: list[HouseholdRecord] = Field(min_length=1, max_length=300)


class Observation(Contract):
    """One thing observed about a person (`person`: hex blind index) or a household; money in fen.

    `record` is its natural key within the data set: a later message with the same record corrects it, `op` "end"
    ends it on `ended_on`, "withdraw" takes back what was said of it so far, "reverse" for good (冲销).
    """

    record: str
    op: Literal["put", "end", "withdraw", "reverse"] = "put"
    person: str | None = None
    person_name: str | None = Field(default=None, max_length=100)
    household_no: str | None = None
    division: str | None = None
    kind: str
    occurred_on: date
    ended_on: date | None = None
    period_from: date | None = None
    period_to: date | None = None
    amount_fen: int | None = None
    gross_fen: int | None = None
    compliant_fen: int | None = None
    other_fen: int | None = None
    relief_fen: int | None = None
    visit: Visit | None = None
    stay: str | None = None
    value: str | None = None
    verified: bool | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class ReporterContact(Contract):
    """How to reach the person who reported; for the cadre who answers."""

    name: str
    phone: str | None = None


class ReportNote(Contract):
    """What a later word on an earlier report is (更正、撤回、申诉), in a sentence without anybody's data.

    `first_report_id`: the report it is about, if there is one. `answered_by`: the officer whose answer is appealed.
    `about_officer`: the officer whom it complains of, who is told nothing of it. `also_about`: those whom earlier
    versions of the report named; they are told nothing either.
    """

    nature: Literal["correction", "withdrawal", "appeal"]
    sentence: str
    first_report_id: str | None = None
    answered_by: str | None = None
    about_officer: str | None = None
    also_about: list[str] | None = None

    @property
    def officers_named(self) -> frozenset[str]:
        """Whomever the report complains of, in this version or an earlier one."""
        return frozenset(filter(None, (self.about_officer, *(self.also_about or ()))))


class ObservationsRecorded(Contract):
    """Observations of one data set: a self-report is a list of its hardships, a feed comes in thousands.

    A feed's last message names the period its file covers, first and last day, and may say nothing else: that nothing
    happened in it is news too.
    """

    source: Source
    department: str | None = None
    data_set: str
    feed_id: str | None = None
    report_id: str | None = None
    division: str
    received_at: AwareDatetime
    reporter: ReporterContact | None = None
    note: ReportNote | None = None
    period_from: date | None = None
    period_to: date | None = None
    observations: list[Observation] = Field(max_length=1000)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.period_from is None) is not (self.period_to is None):
            raise ValueError("a period has a first and a last day")
        if self.period_from is not None and self.period_to is not None and self.period_from > self.period_to:
            raise ValueError("a period begins before it ends")
        if not self.observations and (self.period_to is None or self.report_id is not None):
            raise ValueError("without observations a feed must name the period it covers")
        return self


class OwnRecordAsked(Contract):
    """A person asks what is held about him and who looked (`person`: hex blind index); monitoring tells it back."""

    request_id: str
    person: str
    division: str


class DataNoticeItem(Contract):
    """Data that was promised and did not come (late, missing), or an interface that fails; or that it is mended."""

    notice_id: str
    kind: Literal["late", "missing", "failing"]
    state: Literal["open", "closed"]
    data_set: str
    title: str
    department: str
    division: str
    detail: str


class DataNotice(Contract):
    items: list[DataNoticeItem] = Field(min_length=1, max_length=500)
