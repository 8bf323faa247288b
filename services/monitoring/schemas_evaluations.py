"""Bodies of trial evaluations (试算): one hypothetical household in, a full explained assessment out."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from services.monitoring.domain.household import Fact, HouseholdFacts, Member
from services.monitoring.schemas_facts import AnyFact
from services.monitoring.schemas_household import HouseholdBody
from shared.vocabulary.terms import Cause, Severity
from shared.web.schema import DivisionStr, Strict, Text

MOST_FACTS = 1_000
State = Literal["fired", "clear", "unknown"]

# Without nulls: they would be left out of the published document.
REQUEST_EXAMPLE: JsonDict = {
    "on": "2024-03-15",
    "division": "130624100201",
    "parameters": {"monitoring_line": "7300.00", "count_unsold": False},
    "household": {
        "base_group": "general",
        "dwelling": {"grade": "B", "occupied_grade": "B", "only_dwelling": True},
        "water": {
            "litres_per_person_day": 45,
            "round_trip_minutes": 8,
            "guarantee_percent": 97,
            "quality_ok": True,
        },
        "members": [
            {
                "key": "m1",
                "relation": "户主",
                "sex": "male",
                "birth_date": "1968-04-12",
                "status": "living",
                "health": ["chronic"],
                "disability": {"types": [4], "grade": 4, "certified_on": "2010-06-01"},
                "labour": "ordinary",
                "insured": {"resident": True, "employee": False},
                "public_employee": False,
            }
        ],
    },
    "facts": [
        {
            "kind": "income.wage",
            "member": "m1",
            "occurred_on": "2023-11-05",
            "amount_yuan": "15000.00",
            "source": "department",
        },
        {
            "kind": "expense.medical",
            "member": "m1",
            "occurred_on": "2024-01-20",
            "visit": "inpatient",
            "gross_yuan": "60000.00",
            "self_paid_compliant_yuan": "12000.00",
            "self_paid_other_yuan": "0.00",
        },
        {"kind": "asset.vehicle", "occurred_on": "2022-05-01", "purpose": "operating", "value_yuan": "160000.00"},
    ],
}

ParameterBody = Annotated[
    Any,
    WithJsonSchema(
        {
            "description": "金额、比例为文本，是否为 true/false，整数可为数字；medical_rules 等为列表",
            "anyOf": [
                {"type": "string"},
                {"type": "boolean"},
                {"type": "number"},
                {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object"}]}},
            ],
        }
    ),
]
"""Checked by the parameter itself: its unit, bounds and choices are the package's."""


FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)


def _in_reach(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise PydanticCustomError("day_out_of_range", "日期应在 1990-01-01 与 2100-12-31 之间")
    return day


def _none_given(parameters: Any) -> Any:
    return {} if parameters is None else parameters


class EvaluationRequest(Strict):
    """One household's facts; nothing is stored. `policy` null: the version in force there on that day."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"example": REQUEST_EXAMPLE})

    on: Annotated[date, AfterValidator(_in_reach)] = Field(description="认定日期")
    division: DivisionStr | None = Field(default=None, description="没有时须在 parameters 里给出 monitoring_line")
    policy: Annotated[Text, StringConstraints(min_length=1, max_length=120)] | None = None
    parameters: Annotated[
        dict[Annotated[str, StringConstraints(max_length=60)], ParameterBody], BeforeValidator(_none_given)
    ] = Field(default_factory=dict, max_length=80, description="按名称改写政策参数；金额为文本")
    household: HouseholdBody
    facts: list[AnyFact] = Field(max_length=MOST_FACTS)

    def as_household(self) -> HouseholdFacts:
        """The household inside; what is not listed did not happen."""
        facts = (*self.household.states(self.on), *(each.as_fact() for each in self.facts))
        members = tuple(replace(each, died_on=_died_on(each, facts)) for each in self._members())
        return HouseholdFacts(members, facts, complete=True)

    def _members(self) -> Iterator[Member]:
        return (each.as_member() for each in self.household.members)


def _died_on(member: Member, facts: Iterable[Fact]) -> date | None:
    """The day written with the member, else that of his death among the facts."""
    if member.died_on is not None or member.status != "deceased":
        return member.died_on
    deaths = (each for each in facts if each.kind == "event.death" and each.member == member.key)
    return max((each.occurred_on for each in deaths if each.verified is not False), default=None)


ANSWER_EXAMPLE: JsonDict = {
    "recommendation": "sudden_hardship",
    "recommendation_without_exclusions": "sudden_hardship",
    "severity": "orange",
    "score": 40,
    "window": {"from": "2023-03-01", "to": "2024-02-29"},
    "members_counted": 1,
    "net_income_per_capita_yuan": "15000.00",
    "reference_income_per_capita_yuan": "3000.00",
    "forward_income_per_capita_yuan": "15000.00",
    "rigid_outlay_yuan": "12000.00",
    "causes": ["illness"],
    "indicators": [
        {
            "id": "medical_self_paid",
            "state": "fired",
            "cause": "illness",
            "severity": "orange",
            "measured": "12000.00",
            "threshold": "10000.00",
            "unit": "CNY",
            "margin": "2000.00",
            "decided_by": "130624",
            "sentence": "医疗自付12000元，达到预警条件（预警线10000元）。",
        }
    ],
    "exclusions": [
        {
            "id": "vehicle",
            "state": "fired",
            "exempt": True,
            "reason": "突发严重困难，是否豁免由乡镇和县研究决定",
        }
    ],
    "flags": ["budget_share_assumed"],
    "quality_flags": [],
    "civil_affairs": [
        {
            "id": "rigid_expenditure",
            "label": "可能符合刚性支出困难家庭",
            "numbers": {
                "rigid_outlay_yuan": "12000.00",
                "net_income_yuan": "15000.00",
                "rural_income_last_year_yuan": "21691.00",
            },
        }
    ],
    "removal_blockers": [],
    "unknown": [],
    "confidence": 1.0,
    "policy": {
        "version": "national-2026.2+8a26218aa4b6",
        "parameters_used": {
            "monitoring_line": {
                "value": "7300.00",
                "unit": "CNY/person/year",
                "since": "2024-03-15",
                "decided_by": "request",
                "source": "request",
                "verified": True,
            }
        },
    },
    "explanation": "建议由县级核定为突发严重困难户（橙色，40分）。",
}


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WindowView(Answer):
    """The twelve whole months of income; both days belong to it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: date = Field(alias="from")
    to: date


class EvaluatedIndicator(Answer):
    """One indicator; `margin` is measured minus threshold."""

    id: str
    state: State
    cause: Cause | None
    severity: Severity | None
    measured: str | None
    threshold: str | None
    unit: str | None
    margin: str | None
    decided_by: str | None
    sentence: str


class EvaluatedExclusion(Answer):
    """An exclusion; a hit asks a person for a reason, unless it is exempt."""

    id: str
    state: State
    exempt: bool
    reason: str | None


class Hint(Answer):
    """What the civil affairs office (民政) should look at, with the numbers it rests on."""

    id: str
    label: str
    numbers: dict[str, str | None]


class ParameterUsed(Answer):
    value: Any
    unit: str
    since: date
    decided_by: str = Field(examples=["130624", "national", "request"])
    source: str
    verified: bool


class PolicyUsed(Answer):
    version: str
    parameters_used: dict[str, ParameterUsed]


class Evaluation(Answer):
    """What the policy says of the household. It recommends; people decide."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": ANSWER_EXAMPLE})

    recommendation: str | None
    recommendation_without_exclusions: str | None
    severity: Severity | None
    score: int
    window: WindowView
    members_counted: int
    net_income_per_capita_yuan: str | None
    reference_income_per_capita_yuan: str | None
    forward_income_per_capita_yuan: str | None
    rigid_outlay_yuan: str | None
    causes: list[Cause] = Field(max_length=5)
    indicators: list[EvaluatedIndicator]
    exclusions: list[EvaluatedExclusion]
    flags: list[str]
    quality_flags: list[str]
    civil_affairs: list[Hint]
    removal_blockers: list[str]
    unknown: list[str]
    confidence: float
    policy: PolicyUsed
    explanation: str
