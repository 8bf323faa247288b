"""The county whose routes are asked for: routes are kept by counties, and read by whoever is in one or above it."""

from services.alerts.rules_in_force import county_at
from shared.errors import DivisionOutOfRange, FieldError, Unprocessable
from shared.security.principal import Principal
from shared.vocabulary.division import DivisionLevel, covers, level_of


class CountyNeeded(Unprocessable):
    code, title = "county_needed", "路由按县维护"


def county_to_read(caller: Principal, division: str | None) -> str:
    """The county a division lies in; CountyNeeded, DivisionOutOfRange."""
    asked = division or caller.division
    county = _county(asked)
    if not (covers(caller.division, asked) or covers(asked, caller.division)):
        raise DivisionOutOfRange
    return county


def county_to_write(caller: Principal, division: str | None) -> str:
    """The county whose routes the caller keeps, wholly in his range; CountyNeeded, DivisionOutOfRange."""
    county = _county(division or caller.division)
    if not covers(caller.division, county):
        raise DivisionOutOfRange
    return county


def _county(division: str) -> str:
    if level_of(division) < DivisionLevel.COUNTY:
        error = FieldError("query/division", "county_needed", "请指明县", "县级代码", "130624000000")
        raise CountyNeeded("未指明县", errors=[error])
    return county_at(division)
