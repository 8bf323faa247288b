"""Values published by a place, laid over the shipped package (政策调整): the same objects, more dated values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from services.monitoring.domain.policy_package import PolicyPackage
from shared.policies.parameter import DatedValue, Parameter
from shared.vocabulary.division import lineage_of


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter from one day on; `given` is the value as JSON text, `document_no` who may be asked why."""

    name: str
    given: str
    since: date
    document_no: str

    @property
    def value(self) -> Any:
        return json.loads(self.given)

    def as_data(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "from": self.since.isoformat(),
            "document_no": self.document_no,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Change":
        given = json.dumps(data["value"], ensure_ascii=False, sort_keys=True)
        return cls(data["name"], given, date.fromisoformat(data["from"]), data["document_no"])


@dataclass(frozen=True, slots=True)
class Publication:
    """The changes of one draft of one place (12 digits); none of them holds before `activates_on`."""

    version: str
    division: str
    place_name: str
    activates_on: date
    changes: tuple[Change, ...]

    @property
    def place(self) -> str:
        """The place as parameters name it: six digits, of the county, the prefecture or the province."""
        return self.division[:6]

    def concerns(self, division: str) -> bool:
        """Whether a household of that county lives under what this place decides."""
        return self.division in lineage_of(f"{division[:6]}000000")

    def standing_on(self, on: date) -> "Publication":
        """What if it were in force that day: of each parameter the value of then, or the first that is to come."""
        chosen: dict[str, Change] = {}
        for change in sorted(self.changes, key=lambda each: each.since):
            if change.name not in chosen or change.since <= on:
                chosen[change.name] = change
        changes = tuple(replace(each, since=min(each.since, on)) for each in chosen.values())
        return replace(self, activates_on=on, changes=changes)


@lru_cache(maxsize=256)
def with_publications(base: PolicyPackage, publications: tuple[Publication, ...]) -> PolicyPackage:
    """The package with these publications, in the order given; where two decide the same day the later holds.

    The same publications give the same object, so that what is compiled for it is compiled once.
    """
    if not publications:
        return base
    parameters = dict(base.parameters)
    for publication in publications:
        for change in publication.changes:
            if change.name in parameters:
                parameters[change.name] = _overlaid(parameters[change.name], change, publication)
    places = {**base.places, **{each.place: each.place_name for each in publications}}
    return replace(base, version=f"{base.version}~{publications[-1].version}", parameters=parameters, places=places)


def _overlaid(parameter: Parameter, change: Change, publication: Publication) -> Parameter:
    since = max(change.since, publication.activates_on)
    value = DatedValue(since, parameter.read(change.value), change.document_no, True)
    standing = [each for each in parameter.values.get(publication.place, ()) if each.since != since]
    dated = tuple(sorted([*standing, value], key=lambda each: each.since))
    return replace(parameter, values={**parameter.values, publication.place: dated})


def shape_changed(before: PolicyPackage, after: PolicyPackage) -> bool:
    """Whether something new has to be measured: then history is read again, not only judged again."""
    return _shapes(before) != _shapes(after)


def _shapes(package: PolicyPackage) -> Sequence[Any]:
    return tuple(getattr(package, "rule_shapes", ()))
