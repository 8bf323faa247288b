"""The policy in force: loaded once per process; and the next day on which its answer may change."""

from collections.abc import Iterable
from datetime import date
from functools import cache

from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.policy_reader import read_policy
from services.monitoring.domain.window import next_month
from shared.policies.package import named_package

__all__ = ["PolicyPackage", "load_policy", "next_change_on"]


@cache
def load_policy(name: str = "national") -> PolicyPackage:
    """A shipped package by name, read and checked once per process."""
    return read_policy(named_package(name))


def next_change_on(
    package: PolicyPackage,
    on: date,
    *,
    division: str,
    births: Iterable[date] = (),
    expiries: Iterable[date] = (),
) -> date:
    """The next day on which the answer may differ without a new fact.

    The start of a month moves the windows (1 January too), a parameter may change, a state may end or a
    yearly total stop standing (`expiries`). `births` are for packages with ages: no rule of ours reads one yet.
    """
    changes = [next_month(on), *expiries]
    changes += [day for each in package.parameters.values() for day in each.dates(division)]
    return min(day for day in changes if day > on)
