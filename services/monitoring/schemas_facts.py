"""Facts as a request writes them (事实): one body for each group of kinds, and the fact each means inside."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    Tag,
)
from pydantic_core import PydanticCustomError

from services.monitoring.domain.household import Fact
from shared.vocabulary.money import parse_yuan
from shared.web.schema import OpenText, Strict, YuanStr

MOST_FEN = 10_000_000_000_000
"""What the ledger stores at most for one amount."""


def _amount(text: str) -> str:
    if text.startswith("-"):
        raise PydanticCustomError("negative_amount", "金额不能为负数")
    if parse_yuan(text) > MOST_FEN:
        raise PydanticCustomError("implausible_amount", "金额超过一千亿元，请核对单位")
    return text


def _percent(value: float) -> float:
    if not 0 <= value <= 100 or Decimal(str(value)) * 100 % 1:
        raise PydanticCustomError("percent_format", "百分数应在 0 与 100 之间，最多两位小数")
    return value


Amount = Annotated[YuanStr, AfterValidator(_amount)]
Percent = Annotated[StrictFloat, AfterValidator(_percent), Field(examples=[30])]
Key = Annotated[OpenText, StringConstraints(min_length=1, max_length=60), Field(examples=["m1"])]
Detail = Annotated[OpenText, StringConstraints(max_length=500)]

COLUMNS = {
    "amount_yuan": "amount_fen",
    "gross_yuan": "gross_fen",
    "self_paid_compliant_yuan": "compliant_fen",
    "self_paid_other_yuan": "other_fen",
    "relief_yuan": "relief_fen",
    "aid_yuan": "relief_fen",
}
MONEY_ATTRIBUTES = {"value_yuan": "value_fen", "balance_yuan": "balance_fen"}
AS_WRITTEN = ("kind", "member", "occurred_on", "period_from", "period_to", "visit", "stay", "verified")


class FactBody(Strict):
    """What every fact may say; an absent field is not known, neither zero nor no."""

    occurred_on: date = Field(examples=["2023-12-01"])
    member: Key | None = None
    source: Literal["department", "visit", "self_report", "hotline"] | None = None
    verified: StrictBool | None = None

    def as_fact(self) -> Fact:
        """The fact inside: money in fen, a yearly total dated by its last day."""
        columns: dict[str, Any] = {"source": self.source or "department"}
        attributes: dict[str, Any] = {}
        for name, value in self:
            if value is None or name == "source":
                continue
            if name in COLUMNS:
                columns[COLUMNS[name]] = parse_yuan(value)
            elif name in AS_WRITTEN:
                columns[name] = value
            elif name in MONEY_ATTRIBUTES:
                attributes[MONEY_ATTRIBUTES[name]] = parse_yuan(value)
            elif name == "percent":
                attributes["percent_basis"] = int(Decimal(str(value)) * 100)
            else:
                attributes[name.removesuffix("_")] = value.isoformat() if isinstance(value, date) else value
        columns["occurred_on"] = columns.get("period_to", self.occurred_on)
        return Fact(attributes=attributes, **columns)


class OfMember(FactBody):
    """A fact that belongs to one member."""

    member: Key


class Entry(FactBody):
    """Money; `period_from` and `period_to` make it the total of a period."""

    amount_yuan: Amount
    period_from: date | None = None
    period_to: date | None = None


class Wage(Entry):
    kind: Literal["income.wage"]
    away: StrictBool | None = None


class OtherEntry(Entry):
    kind: Literal[
        "income.business_sales",
        "income.property",
        "income.expected",
        "income.loan_principal",
        "income.land_compensation",
        "cost.away_work",
        "cost.production",
        "cost.unsold",
        "stock.unsold_value",
    ]


class RegularTransfer(Entry):
    kind: Literal["income.transfer_regular"]
    scheme: (
        Literal[
            "dibao",
            "tekun",
            "basic_pension",
            "basic_pension_central",
            "employee_pension",
            "subsidy",
            "family_planning",
            "support_by_children",
            "other",
        ]
        | None
    ) = None


class OneOffTransfer(Entry):
    kind: Literal["income.transfer_one_off"]
    scheme: (
        Literal[
            "temporary_relief",
            "sympathy",
            "housing_renovation",
            "industry_award",
            "gift",
            "starter_goods",
            "education_aid",
            "other",
        ]
        | None
    ) = None


class InsuranceClaim(Entry):
    kind: Literal["income.insurance_claim"]
    for_: Literal["medical", "disaster", "accident", "asset_loss"] | None = Field(default=None, alias="for")


class Medical(OfMember):
    """What a person paid after all reimbursements; compliant and other together are at most the gross."""

    kind: Literal["expense.medical"]
    visit: Literal["inpatient", "outpatient", "chronic_outpatient"] | None = None
    stay: Annotated[OpenText, StringConstraints(min_length=1, max_length=60)] | None = None
    gross_yuan: Amount | None = None
    self_paid_compliant_yuan: Amount | None = None
    self_paid_other_yuan: Amount | None = None


class Education(OfMember):
    kind: Literal["expense.education"]
    amount_yuan: Amount
    aid_yuan: Amount | None = None


class Outlay(FactBody):
    kind: Literal["expense.disaster", "expense.accident", "expense.rehabilitation"]
    amount_yuan: Amount
    relief_yuan: Amount | None = None


class Worth(FactBody):
    kind: Literal["loss.asset", "asset.deposit"]
    amount_yuan: Amount


class MemberEvent(OfMember):
    kind: Literal[
        "event.serious_illness",
        "event.disability_certified",
        "event.job_loss",
        "event.death",
        "event.dropout",
        "event.imprisonment",
    ]
    detail: Detail | None = None


class HouseholdEvent(FactBody):
    kind: Literal[
        "event.accident",
        "event.business_failure",
        "event.hardship_report",
        "event.water_failure",
        "event.housing_damage",
        "event.measure",
    ]
    detail: Detail | None = None


class Disaster(FactBody):
    kind: Literal["event.disaster"]
    hazard: (
        Literal["flood", "geological", "drought", "biological", "meteorological", "earthquake", "other"] | None
    ) = None
    detail: Detail | None = None


class WageDrop(OfMember):
    kind: Literal["event.wage_drop"]
    percent: Percent | None = None
    detail: Detail | None = None


class Overdue(FactBody):
    kind: Literal["loan.overdue"]
    days: Annotated[StrictInt, Field(ge=0, le=36_500)] | None = None
    balance_yuan: Amount | None = None


class Vehicle(FactBody):
    kind: Literal["asset.vehicle"]
    value_yuan: Amount | None = None
    bought_on: date | None = None
    purpose: Literal["private", "operating", "disabled_use"] | None = None


class DwellingBought(FactBody):
    kind: Literal["asset.dwelling_bought"]
    dwelling: Literal["commercial", "resettlement", "disaster_rebuild"] | None = None


class Company(FactBody):
    kind: Literal["asset.company"]
    state: Literal["active", "dormant", "cancelled", "revoked"] | None = None


GROUPS: tuple[type[FactBody], ...] = (
    Wage,
    OtherEntry,
    RegularTransfer,
    OneOffTransfer,
    InsuranceClaim,
    Medical,
    Education,
    Outlay,
    Worth,
    MemberEvent,
    HouseholdEvent,
    Disaster,
    WageDrop,
    Overdue,
    Vehicle,
    DwellingBought,
    Company,
)
BODIES = {kind: body for body in GROUPS for kind in get_args(body.model_fields["kind"].annotation)}


def _body_of(raw: object) -> str | None:
    """Which body a fact has, by its kind; None is refused."""
    kind = raw.get("kind") if isinstance(raw, dict) else getattr(raw, "kind", None)
    body = BODIES.get(kind) if isinstance(kind, str) else None
    return None if body is None else body.__name__


if TYPE_CHECKING:
    AnyFact = FactBody
else:
    AnyFact = Annotated[
        Union[tuple(Annotated[body, Tag(body.__name__)] for body in GROUPS)],  # noqa: UP007 - made of a tuple.
        Discriminator(_body_of, "fact_kind_unknown", "没有这种事实；kind 见接口文档，例如 income.wage"),
    ]
