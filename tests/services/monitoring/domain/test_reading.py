"""A reading is known by its fingerprint: the policy's version and the values, not the day."""

from dataclasses import replace
from datetime import date

from services.monitoring.domain.policy import load_policy
from services.monitoring.domain.reading import reading
from shared.policies.parameter import DatedValue

COUNTY, ON = "130624", date(2026, 3, 15)


def test_days_with_the_same_values_are_read_alike() -> None:
    one, next_day = (reading(load_policy(), COUNTY, day) for day in (ON, date(2026, 3, 16)))
    assert one is not next_day
    assert one.fingerprint == next_day.fingerprint
    assert -(2**63) <= one.fingerprint < 2**63


def test_another_version_or_value_is_another_reading() -> None:
    package = load_policy()
    line = package.parameters["monitoring_line"]
    higher = {place: tuple(_higher(each) for each in values) for place, values in line.values.items()}
    dearer = replace(package, parameters={**package.parameters, line.name: replace(line, values=higher)})
    renamed = replace(package, version=f"{package.version}~1")
    assert len({reading(each, COUNTY, ON).fingerprint for each in (package, dearer, renamed)}) == 3


def _higher(one: DatedValue) -> DatedValue:
    assert isinstance(one.value, int)
    return replace(one, value=one.value + 1)
