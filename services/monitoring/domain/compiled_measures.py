"""The first half of the compiled text: facts, on a day, as known at a moment, become one row of measures."""

from collections.abc import Iterator

from services.monitoring.domain.compiled_aggregates import Aggregates
from services.monitoring.domain.compiled_areas import Area
from services.monitoring.domain.compiled_bills import bill_joins, bill_parts, bill_values
from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_columns import measured_columns
from services.monitoring.domain.compiled_facts import household_areas, quoted, seen
from services.monitoring.domain.compiled_members import member_facts, members, members_measured
from services.monitoring.domain.measure import Scope
from services.monitoring.domain.member_value import MemberAggregate
from services.monitoring.domain.policy_package import PolicyPackage

__all__ = ["measured_columns", "measures_sql", "quoted"]

LISTED = "state.monitored"
IDENTIFIED = "f.attributes ->> 'identified_on'"
IS_DAY = "'^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'"


def measures_sql(package: PolicyPackage, chosen: str, binds: Binds) -> str:
    """One row for each household chosen by the condition `chosen` (with {0} for the table's alias)."""
    parts = list(_parts(package, chosen, binds))
    clauses = ",\n".join(f"{name} as {'materialized ' if kept else ''}(\n{text}\n)" for name, text, kept in parts)
    columns = "".join(f",\n{value} as {quoted(name)}" for name, value in _columns(package, binds).items())
    joined = "".join(f"\nleft join {name} on {name}.household_id = h.household_id" for name, _ in _areas(package))
    return f"""\
with {clauses}
select h.household_id, false as facts_complete{columns}
from household h{joined}
left join member_measured p on p.household_id = h.household_id{bill_joins(package.rule_shapes)}
where h.county = {binds.edge("county")} and {chosen.format("h")}"""


def _parts(package: PolicyPackage, chosen: str, binds: Binds) -> Iterator[tuple[str, str, bool]]:
    """The parts of the `with` clause: name, text, whether it is kept because it is read several times."""
    own = [each for each in package.measures.values() if each.scope is Scope.MEMBER]
    yield "member", members(package, chosen, binds), True
    yield "seen", seen(package, chosen, binds), True
    if own:
        yield "member_fact", member_facts(own, binds), False
    yield "member_measured", members_measured(package, own, binds), False
    for number, (name, area) in enumerate(_areas(package), 1):
        yield name, _measured(package, number, area, binds), False
    if package.rule_shapes:
        for name, text in bill_parts(package.rule_shapes, binds):
            yield name, text, name == "bill"


def _areas(package: PolicyPackage) -> Iterator[tuple[str, Area]]:
    yield from ((f"area_{number}", area) for number, area in enumerate(household_areas(package), 1))


def _measured(package: PolicyPackage, number: int, area: Area, binds: Binds) -> str:
    aggregates = Aggregates.of(area.measures)
    listing = f",\n{_listing(binds)} as listing" if package.reads_listing and LISTED in area.kinds else ""
    return f"""\
select f.household_id{aggregates.columns()}{listing}
from (
{aggregates.matched(f"s.area = {number} and s.lately", binds)}
) f
group by f.household_id"""


def _columns(package: PolicyPackage, binds: Binds) -> dict[str, str]:
    columns = {name: f"coalesce(p.{name}, 0)" for name in ("members_counted", "members_not_counted")}
    if package.reads_listing:
        columns["months_monitored"] = "null::bigint"
    for each in package.member_values.values():
        value = f"p.{quoted(each.name)}"
        if each.aggregate is MemberAggregate.SUM:
            value = f"case when p.household_id is null then 0 else {value} end"
        columns[each.name] = value
    for name, area in _areas(package):
        columns |= Aggregates.of(area.measures).values(name)
        if package.reads_listing and LISTED in area.kinds:
            columns["months_monitored"] = _months(f"{name}.listing", binds)
    columns |= bill_values(package.rule_shapes)
    return {name: columns[name] for name, _ in measured_columns(package)}


def _listing(binds: Binds) -> str:
    """When the household was listed, yyyymmdd, behind the day the newest state began: as it says, or that day."""
    began = "extract(year from f.occurred_on) * 10000 + extract(month from f.occurred_on) * 100"
    day = (
        f"case when {IDENTIFIED} ~ {IS_DAY} then replace({IDENTIFIED}, '-', '')::bigint"
        f" else ({began} + extract(day from f.occurred_on))::bigint end"
    )
    holds = f"(f.ended_on is null or f.ended_on > {binds.edge('on')})"
    return (
        f"max((f.occurred_on - date '0001-01-01')::bigint * 100000000 + {day})"
        f" filter (where f.kind = '{LISTED}' and f.counted and {holds})"
    )


def _months(listing: str, binds: Binds) -> str:
    """Whole months from the listing to the day; days are numbers yyyymmdd."""
    on, listed = binds.edge("on_number"), f"({listing} % 100000000)"
    months = f"12 * ({on} / 10000 - {listed} / 10000) + ({on} / 100 % 100 - {listed} / 100 % 100)"
    return f"{months} - case when {on} % 100 < {listed} % 100 then 1 else 0 end"
