"""What an assessment is read by (判定口径): a package with its values at a place, as far as answers show them."""

import hashlib
import struct
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

from services.monitoring.domain.compiled_columns import decided_columns
from services.monitoring.domain.expression import names_in
from services.monitoring.domain.policy_package import RURAL_INCOME, PolicyPackage
from services.monitoring.domain.window import next_month
from shared.policies.parameter_set import ParameterSet


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A package at a county on a day.

    `terms` are two numbers of 64 bits that change when the same outcome would be worded otherwise: other findings or
    classes, or other lines than those it was held against. `fingerprint` is a signed number of 64 bits that changes
    with the policy version or any value; two days with the same values have the same.
    """

    county: str
    on: date
    package: PolicyPackage
    parameters: ParameterSet
    terms: tuple[int, int]
    weights: tuple[int, ...]
    fingerprint: int


@lru_cache(maxsize=4000)
def reading(package: PolicyPackage, county: str, on: date) -> Reading:
    """Raises ParameterUnknown where a parameter has no value at that place and day."""
    parameters = package.parameters_for(county.ljust(12, "0"), on)
    lines = {each.parameter for one in package.indicators.values() for each in one.thresholds}
    if package.medical_rules is not None:
        lines |= {package.medical_rules, RURAL_INCOME}
    held_against = [(name, parameters[name].value) for name in sorted(lines)]
    words = (
        decided_columns(package),
        list(package.indicators),
        [each.code for each in package.classes],
        [each.name for each in package.notes],
        [each.name for each in package.exclusions],
    )
    first, second, *_ = struct.unpack("!qqqq", hashlib.sha256(f"{words}{held_against}".encode()).digest())
    weights = tuple(parameters.number(name) for name in package.weight_parameters)
    return Reading(county, on, package, parameters, (first, second), weights, _fingerprint(package, parameters))


def _fingerprint(package: PolicyPackage, parameters: ParameterSet) -> int:
    values = [(name, parameters[name].value) for name in sorted(parameters)]
    number: int
    number, *_ = struct.unpack("!qqqq", hashlib.sha256(f"{package.version}{values}".encode()).digest())
    return number


def last_change_for_all(package: PolicyPackage, county: str, on: date) -> date:
    """The newest day up to `on` on which the answers of a whole county may have changed without a fact."""
    days = [each for parameter in package.parameters.values() for each in parameter.dates(county.ljust(12, "0"))]
    return max(each for each in (on.replace(day=1), *days) if each <= on)


def stands_until(on: date) -> date:
    """The day from which measures of `on` do not stand, whatever the household: the windows move."""
    return next_month(on)


@cache
def reads_ages(package: PolicyPackage) -> bool:
    """Whether a birthday may change what is measured."""
    names = {name for each in package.member_values.values() for part in each.expressions for name in names_in(part)}
    return "age" in names
