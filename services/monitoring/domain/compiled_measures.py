"""The first half of the compiled text: facts, on a day, as known at a moment, become one row of measures."""

from collections.abc import Iterator, Sequence

from services.monitoring.domain.compiled_aggregates import Aggregates
from services.monitoring.domain.compiled_bills import bill_joins, bill_parts, bill_values
from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_columns import measured_columns, reads_listing
from services.monitoring.domain.compiled_facts import quoted, seen
from services.monitoring.domain.compiled_members import member_facts, members, members_measured
from services.monitoring.domain.measure import Measure, Scope
from services.monitoring.domain.member_value import MemberAggregate
from services.monitoring.domain.policy_package import PolicyPackage

__all__ = ["measured_columns", "measures_sql", "quoted"]

LISTED = "state.monitored"
IDENTIFIED = "f.attributes ->> 'identified_on'"
IS_DAY = "'^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'"


def measures_sql(package: PolicyPackage, chosen: str, binds: Binds) -> str:
    """One row for each household chosen by the condition `chosen` (with {0} for the table's alias)."""
    measures = package.measures.values()
    household = [each for each in measures if each.scope is Scope.HOUSEHOLD]
    parts = list(_parts(package, household, [each for each in measures if each.scope is Scope.MEMBER], chosen, binds))
    clauses = ",\n".join(f"{name} as {'materialized ' if kept else ''}(\n{text}\n)" for name, text, kept in parts)
    columns = "".join(f",\n{value} as {quoted(name)}" for name, value in _columns(package, household, binds).items())
    return f"""\
with {clauses}
select h.household_id, false as facts_complete{columns}
from household h
left join household_measured m on m.household_id = h.household_id
left join member_measured p on p.household_id = h.household_id{bill_joins(package.rule_shapes)}
where h.county = {binds.edge("county")} and {chosen.format("h")}"""


def _parts(
    package: PolicyPackage, household: Sequence[Measure], own: Sequence[Measure], chosen: str, binds: Binds
) -> Iterator[tuple[str, str, bool]]:
    """The parts of the `with` clause: name, text, whether it is kept because it is read several times."""
    yield "member", members(package, chosen, binds), True
    if own:
        yield "member_fact", member_facts(own, chosen, binds), False
    yield "member_measured", members_measured(package, own, binds), False
    yield "household_measured", _household_measured(package, household, chosen, binds), False
    if package.rule_shapes:
        for name, text in bill_parts(package.rule_shapes, chosen, binds):
            yield name, text, name == "bill"


def _household_measured(package: PolicyPackage, measures: Sequence[Measure], chosen: str, binds: Binds) -> str:
    aggregates = Aggregates.of(measures)
    listing, columns = "", list[str]()
    if reads_listing(package):
        listing, columns = f",\n{_listing(binds)} as listing", ["attributes"]
    return f"""\
select f.household_id{aggregates.columns()}{listing}
from (
{aggregates.matched(seen(measures, chosen, binds, columns=columns), binds)}
) f
group by f.household_id"""


def _columns(package: PolicyPackage, household: Sequence[Measure], binds: Binds) -> dict[str, str]:
    columns = {name: f"coalesce(p.{name}, 0)" for name in ("members_counted", "members_not_counted")}
    if reads_listing(package):
        columns["months_monitored"] = _months(binds)
    for each in package.member_values.values():
        value = f"p.{quoted(each.name)}"
        if each.aggregate is MemberAggregate.SUM:
            value = f"case when p.household_id is null then 0 else {value} end"
        columns[each.name] = value
    columns |= Aggregates.of(household).values("m") | bill_values(package.rule_shapes)
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


def _months(binds: Binds) -> str:
    """Whole months from the listing to the day; days are numbers yyyymmdd."""
    on, listed = binds.edge("on_number"), "(m.listing % 100000000)"
    months = f"12 * ({on} / 10000 - {listed} / 10000) + ({on} / 100 % 100 - {listed} / 100 % 100)"
    return f"{months} - case when {on} % 100 < {listed} % 100 then 1 else 0 end"
