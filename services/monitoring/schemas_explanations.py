"""Answers of explanations: what could be other, and who is near a line."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.config import JsonDict

from services.monitoring.schemas import Answer, HouseholdSummary

COUNTERFACTUAL_EXAMPLE: JsonDict = {
    "household_no": "F130624001",
    "on": "2026-03-15",
    "known_at": "2026-03-15T02:00:00Z",
    "policy_version": "national-2026.1+3f9a",
    "facts_version": 7,
    "recommendation": "marginal_at_risk",
    "recommendation_label": "边缘易致贫户",
    "towards": "out",
    "by_help": [
        {
            "changes": [
                {
                    "lever": "medical_covered",
                    "sentence": "由报销、救助、补充保险再承担医疗自付2000元",
                    "amount_yuan": "2000.00",
                    "by_help": True,
                    "member": None,
                }
            ],
            "recommendation": None,
            "recommendation_label": None,
            "net_income_per_capita_yuan": "5000.00",
            "reference_income_per_capita_yuan": "0.00",
            "sentence": "若由报销、救助、补充保险再承担医疗自付2000元，则不再建议纳入监测。",
        }
    ],
    "beyond_help": [],
    "remedies": [],
    "explanation": "帮扶可以改变的：若由报销、救助、补充保险再承担医疗自付2000元，则不再建议纳入监测。",
}


class PersonView(Answer):
    """The member that a change concerns."""

    name: str
    relation: str


class ChangeView(Answer):
    """One change; the least amount that does it, to the fen, if it has one."""

    lever: str
    sentence: str
    amount_yuan: str | None
    by_help: bool = Field(description="帮扶可以做到（或可以预防）；年龄、残疾、去世等不能")
    member: PersonView | None


class WayView(Answer):
    """Changes that together are enough, and what the policy says then."""

    changes: list[ChangeView]
    recommendation: str | None
    recommendation_label: str | None
    net_income_per_capita_yuan: str | None
    reference_income_per_capita_yuan: str | None
    sentence: str


class RemedyView(Answer):
    """The least change that clears a finding."""

    indicator: str
    label: str
    change: ChangeView


class CounterfactualView(Answer):
    """The smallest changes that would take a household out of its class, or into one. Each was judged anew."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": COUNTERFACTUAL_EXAMPLE})

    household_no: str
    on: date
    known_at: AwareDatetime
    policy_version: str
    facts_version: int
    recommendation: str | None
    recommendation_label: str | None
    towards: Literal["out", "in"] = Field(description="out：怎样变化就不再建议纳入；in：怎样变化就会建议纳入")
    by_help: list[WayView]
    beyond_help: list[WayView]
    remedies: list[RemedyView]
    explanation: str


class NearLine(Answer):
    """A rule that almost fired; `crosses_on` is the day the line is crossed if this year goes on as so far."""

    indicator: str
    label: str
    measured: str
    threshold: str
    margin: str
    unit: str
    crosses_on: date | None


class NearMissView(Answer):
    """A household close to a line."""

    household: HouseholdSummary
    near: list[NearLine]
