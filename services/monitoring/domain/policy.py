"""The policy in force: loaded once per process; and the next day on which its answer may change."""

from collections.abc import Iterable
from datetime import date
from functools import cache

from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.policy_reader import read_policy
from services.monitoring.domain.window import next_month, turning
from shared.policies.package import named_package
from shared.policies.parameter import places_asked

__all__ = ["PolicyPackage", "load_policy", "next_change_on", "package_name_at", "policy_at"]


def load_policy(name: str = "national") -> PolicyPackage:
    """A shipped package by name, read and checked once per process."""
    return _loaded(name)


@cache
def _loaded(name: str) -> PolicyPackage:
    return read_policy(named_package(name))


def policy_at(division: str, on: date) -> PolicyPackage:
    """The shipped package in force at a division on a day."""
    return load_policy(package_name_at(load_policy(), division, on))


def package_name_at(national: PolicyPackage, division: str, on: date) -> str:
    """Whose package is in force: the county's choice, else the prefecture's, the province's, else the nation's."""
    for place in places_asked(division):
        standing = [each for each in national.regimes.get(place, ()) if each.since <= on]
        if standing:
            return standing[-1].package
    return national.name


def next_change_on(
    package: PolicyPackage,
    on: date,
    *,
    division: str,
    births: Iterable[date] = (),
    expiries: Iterable[date] = (),
) -> date:
    """The next day on which the answer may differ without a new fact.

    The start of a month moves the windows (1 January too), a parameter or the package may change, a state may end
    or a yearly total stop standing (`expiries`), a member born on one of `births` may reach an age the package reads.
    """
    changes = [next_month(on), *expiries]
    changes += [birthday for birth in births for age in package.ages_read if (birthday := turning(birth, age)) > on]
    changes += [each.since for place in places_asked(division) for each in package.regimes.get(place, ())]
    changes += [day for each in package.parameters.values() for day in each.dates(division)]
    return min(day for day in changes if day > on)
