"""What a roster says beyond facts (登记项): which class of field each is, and how it is shown."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from shared.vocabulary.money import yuan

LEFT_OUT = "left_out"

_SHOWN_WITH = {
    "health": ("health", "certificate", "certified_year", "disability_subsidy", "medical_aid", "absent_reason"),
    "contact": ("member_phone", "responsible", "responsible_phone", "collector", "collector_phone"),
    "cause": ("risk_1", "risk_2", "risk_3", "risk_4", "risk_5", "risk_remark"),
    "class": (
        "dibao",
        "tekun",
        "monitored_class",
        "identified_on",
        "identification_standard",
        "removed",
        "removed_on",
        "removal_mode",
        "relocated",
        "no_labour_household",
        "measures",
    ),
    "amount": (
        "work_wage",
        "identified_claims",
        "identified_outlay",
        "identified_per_head",
        *(f"after_{each}" for each in ("wage", "business", "cost", "property", "transfer", "claims", "outlay")),
        "after_per_head",
    ),
}
SHOWN_WITH: Mapping[str, str] = MappingProxyType(
    {name: kind for kind, names in _SHOWN_WITH.items() for name in names}
)
"""Class of field by name; what is not here is shown to whoever sees the household."""


def shown_details(details: Mapping[str, Any], sees: frozenset[str]) -> dict[str, Any]:
    """The details that a post sees, amounts as decimal yuan."""
    shown = {}
    for name, value in details.items():
        kind = SHOWN_WITH.get(name)
        if name == LEFT_OUT or (kind is not None and kind not in sees):
            continue
        shown[name] = yuan(value) if kind == "amount" and isinstance(value, int) else value
    return shown
