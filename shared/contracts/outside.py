"""What a system outside the house may hear: no person's contact, no amount, and only of its own divisions."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from shared.contracts.alerts import VERIFIED
from shared.contracts.monitoring import RISK_CHANGED
from shared.vocabulary.division import covers

Item = Mapping[str, Any]

# How answers are checked is for those who check them.
_RISK_FIELDS_WITHHELD = frozenset({"contact", "evidence", "findings", "notes", "answer_terms"})
# How long somebody needs for a visit is for the planning of visits.
_ANSWER_FIELDS_WITHHELD = frozenset({"visit_minutes"})
_FINDING_FIELDS = ("indicator", "state", "severity", "cause")


def _risk(item: Item) -> dict[str, Any]:
    told = {name: value for name, value in item.items() if name not in _RISK_FIELDS_WITHHELD}
    findings = item.get("findings", ())
    told["findings"] = [{name: one[name] for name in _FINDING_FIELDS if name in one} for one in findings]
    return told


def _verified(item: Item) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in _ANSWER_FIELDS_WITHHELD}


# What is not named here is spoken inside the house only: rosters and observations carry people.
_TOLD: Mapping[str, Callable[[Item], dict[str, Any]]] = MappingProxyType({RISK_CHANGED: _risk, VERIFIED: _verified})

OUTSIDE_TYPES = frozenset(_TOLD)


def as_told_outside(type_: str, data: Mapping[str, Any], division: str) -> dict[str, Any] | None:
    """The data of a message as a subscriber for `division` gets it; None if nothing of it concerns him."""
    tell = _TOLD[type_]
    items = [tell(item) for item in data["items"] if _concerns(item, division)]
    return {**data, "items": items} if items else None


def _concerns(item: Item, division: str) -> bool:
    places = {item[name] for name in ("living_division", "registered_division") if item.get(name)}
    return any(covers(division, place) for place in places)
