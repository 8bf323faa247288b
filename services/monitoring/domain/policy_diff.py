"""What differs between two policies: parameter by parameter at a place on a day, and in shape."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from services.monitoring.domain.policy_package import PolicyPackage
from shared.policies.parameter import ParameterUnknown, ParameterValue

# What names a package, and what a change of values changes: no shape.
NO_SHAPE = frozenset({"name", "version", "label_zh", "applies_from", "parameters", "places", "types"})


@dataclass(frozen=True, slots=True)
class ParameterDifference:
    """A parameter whose value differs; None: that policy does not have it, or no value there and then."""

    name: str
    label_zh: str
    before: ParameterValue | None
    after: ParameterValue | None


@dataclass(frozen=True, slots=True)
class ShapeDifference:
    """A rule that one policy has and the other has not, or has otherwise."""

    section: str
    name: str
    change: str


def parameter_differences(
    before: PolicyPackage, after: PolicyPackage, division: str, before_on: date, after_on: date
) -> list[ParameterDifference]:
    """The parameters whose value differs, in the order of the second policy."""
    names = dict.fromkeys((*after.parameters, *before.parameters))
    found = [_difference(name, before, after, division, before_on, after_on) for name in names]
    return [each for each in found if _value(each.before) != _value(each.after)]


def _difference(
    name: str, before: PolicyPackage, after: PolicyPackage, division: str, before_on: date, after_on: date
) -> ParameterDifference:
    label = (after.parameters.get(name) or before.parameters[name]).label_zh
    then = value_or_none(before, name, division, before_on)
    return ParameterDifference(name, label, then, value_or_none(after, name, division, after_on))


def value_or_none(package: PolicyPackage, name: str, division: str, on: date) -> ParameterValue | None:
    """The value there and then, None if nobody decided one or the package knows no such parameter."""
    try:
        return package.parameters[name].value_at(division, on) if name in package.parameters else None
    except ParameterUnknown:
        return None


def _value(found: ParameterValue | None) -> Any:
    return None if found is None else (type(found.value), found.value)


def shape_differences(before: PolicyPackage, after: PolicyPackage) -> list[ShapeDifference]:
    """What was added, removed or is defined otherwise; empty when only values differ."""
    if before is after:
        return []
    sections = [each.name for each in fields(PolicyPackage) if each.name not in NO_SHAPE]
    found = [each for name in sections for each in _section(name, getattr(before, name), getattr(after, name))]
    shapes = [_by_name(getattr(package, "rule_shapes", ())) for package in (before, after)]
    return [*found, *_compared("rule_shapes", *shapes)]


def _section(section: str, before: Any, after: Any) -> Iterator[ShapeDifference]:
    if before is not after:
        yield from _compared(section, _by_name(before), _by_name(after))


def _compared(section: str, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[ShapeDifference]:
    for name in dict.fromkeys((*then, *now)):
        if name not in now:
            yield ShapeDifference(section, name, "removed")
        elif name not in then:
            yield ShapeDifference(section, name, "added")
        elif then[name] != now[name]:
            yield ShapeDifference(section, name, "changed")


def _by_name(section: Any) -> dict[str, str]:
    """The parts of a section by name; what has no name stands for itself."""
    if isinstance(section, Mapping):
        return {str(getattr(name, "value", name)): repr(each) for name, each in section.items()}
    if isinstance(section, tuple | list | frozenset):
        named = {}
        for index, each in enumerate(section):
            name = getattr(each, "code", None) or getattr(each, "name", None) or getattr(each, "cause", None)
            named[str(name or (each if isinstance(each, str | tuple) else index))] = repr(each)
        return named
    return {} if section is None else {"": repr(section)}
