"""List the households that are near a line, and when they cross it at the pace so far (临界监测)."""

from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg

from services.monitoring import repository_explanations as repository
from services.monitoring.domain.near_miss import almost_percent, crossing_day, lines_at, unit_of
from services.monitoring.domain.reading import reading
from services.monitoring.domain.rendering import half_up, shown
from services.monitoring.find_counterfactual import NotForPost
from services.monitoring.policy_in_force import InForce, policy_in_force
from services.monitoring.read_household import summaries
from services.monitoring.repository_explanations import CountyLine
from services.monitoring.schemas_explanations import NearLine, NearMissView
from shared.runtime import Runtime
from shared.security.access import field_classes
from shared.security.principal import Principal
from shared.vocabulary.division import code_range
from shared.web.page import Page, next_cursor

AMOUNT = "amount"


async def list_near_misses(
    connection: asyncpg.Connection,
    caller: Principal,
    runtime: Runtime,
    *,
    division: str,
    percent: int | None,
    within_days: int | None,
    after: int,
    limit: int,
) -> Page[NearMissView]:
    """A page of the households living in `division` near a line that they did not cross, as assessed last.

    Near is within `percent` of the line (by default as near as the package calls almost), or with `within_days`
    also whatever crosses it in so many days at the pace of this year.
    """
    if AMOUNT not in field_classes(caller):
        raise NotForPost("距界线多远要能看到金额的岗位才能查看")
    lo, hi = code_range(division)
    on = runtime.clock.today()
    policies = {
        county: await policy_in_force(connection, county, on)
        for county in await repository.counties(connection, lo, hi)
    }
    rows = await repository.near_misses(
        connection,
        [line for county, policy in policies.items() for line in _county_lines(county, policy, percent)],
        lo=lo,
        hi=hi,
        on=on,
        within_days=within_days,
        after=after,
        limit=limit + 1,
    )
    more = next_cursor(rows, limit, after="household_id")
    households = await summaries(rows[:limit], caller, runtime)
    items = [
        NearMissView(household=household, near=[_line(each, policies[row["county"]]) for each in row["near"]])
        for household, row in zip(households, rows, strict=False)
    ]
    return Page(items=items, next_cursor=more)


def _county_lines(county: str, policy: InForce, percent: int | None) -> Iterator[CountyLine]:
    """The lines of a county that day, each with how near is near."""
    near = almost_percent(policy.parameters) if percent is None else percent
    base = policy.package.version.partition("~")[0]
    terms = reading(policy.package, county, policy.on).terms
    return (CountyLine(county, near, base, terms, line) for line in lines_at(policy.package, policy.parameters))


def _line(found: Mapping[str, Any], policy: InForce) -> NearLine:
    """A line as people read it; the number and the line are of one head where the line is."""
    indicator, heads = policy.package.indicators[found["indicator"]], found["heads"]
    measured, line = found["measured"], found["line"]
    unit = unit_of(policy.package, indicator)
    return NearLine(
        indicator=indicator.name,
        label=indicator.label_zh,
        measured=shown(half_up(measured, heads), unit),
        threshold=shown(half_up(line, heads), unit),
        margin=shown(half_up(measured - line, heads), unit),
        unit=unit.value,
        crosses_on=crossing_day(measured, line, policy.on) if found["grows"] else None,
    )
