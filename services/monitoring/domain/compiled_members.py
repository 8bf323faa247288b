"""Members on the day, and what is worked out for each of them and then for the household."""

from collections.abc import Iterator, Sequence

from services.monitoring.domain.compiled_aggregates import Aggregates
from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_expression import SqlWriter, literal, whole
from services.monitoring.domain.compiled_facts import known, quoted
from services.monitoring.domain.household import COUNTED_STATUSES
from services.monitoring.domain.measure import Measure
from services.monitoring.domain.member_value import MemberAggregate, MembersOf, MemberValue
from services.monitoring.domain.policy_package import PolicyPackage

OF = {MembersOf.COUNTED: "p.counted", MembersOf.LATELY: "(p.counted or p.died_lately)", MembersOf.ALL: "true"}
NUMBER = "(extract(year from {0}) * 10000 + extract(month from {0}) * 100 + extract(day from {0}))::bigint"


def members(package: PolicyPackage, chosen: str, binds: Binds) -> str:
    """Members on the day; a membership knows the days of its person, so that no resident is read.

    `born` is a number yyyymmdd, like all days that ages are worked out from.
    """
    counted, on = ", ".join(map(literal, COUNTED_STATUSES)), binds.edge("on")
    died = "case when m.status = 'deceased' then m.died_on end"
    return f"""\
select m.household_id, m.resident_id, m.status, m.born, {died} as died_on, m.status in ({counted}) as counted,
m.status = 'deceased' and m.died_on is not null and m.died_on >= {binds.edge("account_first")} as died_lately
from household_member m
where m.county = {binds.edge("county")} and {chosen.format("m")}
and m.valid_from <= {on} and (m.valid_to is null or m.valid_to > {on})
and {known("m", binds)}"""


def member_facts(measures: Sequence[Measure], binds: Binds) -> str:
    """The measures of each member, from the member's own facts."""
    aggregates = Aggregates.of(measures)
    found = " or ".join(f"f.bits{word} <> 0" for word, _ in aggregates.words())
    return f"""\
select f.household_id, f.resident_id{aggregates.columns()}
from (
{aggregates.matched("s.resident_id is not null", binds)}
) f
where {found}
group by f.household_id, f.resident_id"""


def members_measured(package: PolicyPackage, measures: Sequence[Measure], binds: Binds) -> str:
    """Members counted and not, and every value over the members."""
    values = Aggregates.of(measures).values("f") if measures else {}
    own = "".join(f",\n{value} as {quoted(name)}" for name, value in values.items())
    joined = "left join member_fact f on f.household_id = p.household_id and f.resident_id = p.resident_id"
    writer = SqlWriter(_Names(package, binds).column)
    asked = "".join(f",\n{column}" for each in package.member_values.values() for column in _asked(each, writer))
    told = "".join(f",\n{_joined(each)} as {quoted(each.name)}" for each in package.member_values.values())
    return f"""\
select p.household_id, count(*) filter (where p.counted) as members_counted,
count(*) filter (where not p.counted) as members_not_counted,
count(*) filter (where {OF[MembersOf.LATELY]}) as members_lately{told}
from (
select p.household_id, p.counted, p.died_lately{asked}
from (
select p.*{own}
from member p {joined if measures else ""}
) p offset 0
) p
group by p.household_id"""


class _Names:
    """What an expression on one member reads."""

    def __init__(self, package: PolicyPackage, binds: Binds) -> None:
        self.package, self.binds = package, binds

    def column(self, name: str) -> str:
        match name:
            case "is_counted":
                return "p.counted"
            case "status":
                return "p.status"
            case "shares_budget":
                return "null::boolean"  # The register does not say.
            case "facts_complete":
                return "false"
            case "age":
                return _years(self.binds.edge("on_number"))
            case "age_at_term":
                return _years(self.binds.edge("term_number"))
            case "age_at_death":
                return _years(NUMBER.format("p.died_on"))
            case "died_in_window":
                edges = f"{self.binds.edge('account_first')} and {self.binds.edge('outlay_last')}"
                return f"coalesce(p.died_on between {edges}, false)"
        return self.binds(name) if name in self.package.parameters else f"p.{quoted(name)}"


def _years(day: str) -> str:
    """Whole years: days as numbers yyyymmdd differ by ten thousand a year, rounded down even before birth."""
    return f"(({day} - p.born + 100000000) / 10000 - 10000)"


def _asked(value: MemberValue, writer: SqlWriter) -> Iterator[str]:
    """The condition and the value of one member, worked out once."""
    if value.when is not None:
        yield f"{writer.write(value.when)} as {quoted(f'when.{value.name}')}"
    if value.value is not None:
        yield f"{writer.write(value.value)} as {quoted(f'value.{value.name}')}"


def _joined(value: MemberValue) -> str:
    """What the members are together; see MemberAggregate."""
    of, when, amount = OF[value.of], "true", f"p.{quoted(f'value.{value.name}')}"
    if value.when is not None:
        when = f"p.{quoted(f'when.{value.name}')}"
    match value.aggregate:
        case MemberAggregate.COUNT:
            # bool_or() of nobody is null, which is not false.
            unknown = f"bool_or({when} is null) filter (where {of})"
            found = f"count(*) filter (where {of} and {when})"
            return f"case when {found} = 0 and ({unknown}) is not false then null else {found} end"
        case MemberAggregate.ANY:
            unknown = f"bool_or({when} is null) filter (where {of})"
            found = f"bool_or({when}) filter (where {of})"
            return f"case when {found} then true when {unknown} then null else {found} end"
    unknown = f"bool_or({amount} is null) filter (where {of} and {when} is not false)"
    joined = f"{value.aggregate.value}({amount}) filter (where {of} and {when})"
    if value.aggregate is MemberAggregate.SUM:
        joined = f"coalesce({joined}, 0)"
    return whole(f"case when {unknown} then null else {joined} end", in_basis=value.type.in_basis)
