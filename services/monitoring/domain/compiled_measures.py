"""The first half of the compiled text: facts, on a day, as known at a moment, become one row of measures.

`member` are the members on that day. `seen` are the facts that can matter, each with `preference`: whose word
on an income counts, dated entries before yearly totals, the newest total first. Only the best preferred facts
of a kind stand, so that no income is ever added up across sources.
"""

from collections.abc import Iterable, Sequence

from services.monitoring.domain.compiled_expression import SqlWriter, literal
from services.monitoring.domain.expression import names_in
from services.monitoring.domain.household import COUNTED_STATUSES
from services.monitoring.domain.measure import FACT_ATTRIBUTES, ROSTER_DATA_SETS, Aggregate, Measure, Scope
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.window import Window

COUNTY, ON, KNOWN_AT = "$1::text", "$2::date", "$3::timestamptz"
ACCOUNT_FIRST, ACCOUNT_LAST, OUTLAY_LAST = "$4::date", "$5::date", "$6::date"
TOTALS_FROM, YEAR_FIRST, EARLIEST = "$7::date", "$8::date", "$9::date"
EDGES = 9

STATE_BITS = 64
COLUMNS = {
    "amount": "amount_fen",
    "gross": "gross_fen",
    "compliant": "compliant_fen",
    "other": "other_fen",
    "relief": "relief_fen",
}
KNOWN = "{0}.recorded_at <= " + KNOWN_AT + " and ({0}.superseded_at is null or {0}.superseded_at > " + KNOWN_AT + ")"

WINDOWS = {
    Window.ACCOUNT: "s.preference = s.preferred",
    Window.OUTLAY: f"s.occurred_on between {ACCOUNT_FIRST} and {OUTLAY_LAST}",
    Window.YEAR: f"s.occurred_on >= {YEAR_FIRST}",
    Window.STATE: f"(s.ended_on is null or s.ended_on > {ON})",
}


def measures_sql(package: PolicyPackage, chosen: str) -> str:
    """One row for each household chosen by the condition `chosen` (with {0} for the table's alias)."""
    household = [each for each in package.measures.values() if each.scope is Scope.HOUSEHOLD]
    of_member = [each for each in package.measures.values() if each.scope is Scope.MEMBER]
    counts = "".join(f", p.{quoted(name)}" for name in package.member_counts)
    return f"""\
with member as materialized (
{_members(chosen)}
),
{_member_facts(of_member, chosen)}\
member_measured as (
{_counted(package, of_member)}
),
household_measured as (
select f.household_id{_aggregates(household)}
from (
{_matched(household, _seen(household, chosen))}
) f
group by f.household_id
)
select h.household_id, false as facts_complete, coalesce(p.members_counted, 0) as members_counted,
coalesce(p.members_not_counted, 0) as members_not_counted{counts}{_values(household, "m")}
from household h
left join household_measured m on m.household_id = h.household_id
left join member_measured p on p.household_id = h.household_id
where h.county = {COUNTY} and {chosen.format("h")}"""


def quoted(name: str) -> str:
    return f'"{name}"'


def _members(chosen: str) -> str:
    """Members on the day; the date of death is read only for those who died (no join with all residents)."""
    counted = ", ".join(map(literal, COUNTED_STATUSES))
    died = "(select r.died_on from resident r where r.resident_id = m.resident_id)"
    return f"""\
select m.household_id, m.resident_id, m.status in ({counted}) as counted,
case when m.status = 'deceased' then coalesce({died} >= {ACCOUNT_FIRST}, false) else false end as died_lately
from household_member m
where m.county = {COUNTY} and {chosen.format("m")}
and m.valid_from <= {ON} and (m.valid_to is null or m.valid_to > {ON})
and {KNOWN.format("m")}"""


def _seen(measures: Sequence[Measure], chosen: str) -> str:
    """The facts the household's measures look at, of the household itself and of members who count."""
    return f"""\
select s.*, max(s.preference) over (partition by s.household_id, s.kind) as preferred from (
select f.household_id, f.kind, f.occurred_on, f.ended_on{_columns(measures)},
f.resident_id is null or p.counted as counted,
{_preference(measures)} as preference
from fact f left join member p on p.household_id = f.household_id and p.resident_id = f.resident_id
where {_looked_at(measures, chosen)}
and (f.resident_id is null or p.counted or p.died_lately)
) s"""


def _preference(measures: Sequence[Measure]) -> str:
    """How an income entry ranks among those of its kind; null for what cannot count."""
    accounts = _texts(kind for each in measures if each.window is Window.ACCOUNT for kind in each.kinds)
    if not accounts:
        return "null::integer"
    return f"""\
case when f.kind in ({accounts}) and (f.resident_id is null or p.counted) then
case when f.period_to is null and f.occurred_on between {ACCOUNT_FIRST} and {ACCOUNT_LAST}
then {_rank()} * 100000 + 99999
when f.period_to >= {TOTALS_FROM} then {_rank()} * 100000 + (f.period_to - date '1970-01-01') end end"""


def _rank() -> str:
    """Whose word counts: see measure.source_rank."""
    roster = _texts(ROSTER_DATA_SETS)
    return (
        "(case when f.source = 'visit' and f.verified then 4"
        f" when f.data_set in ({roster}) then 2 when f.source = 'department' then 3 else 1 end)"
    )


def _looked_at(measures: Sequence[Measure], chosen: str) -> str:
    kinds = _texts(kind for each in measures for kind in each.kinds)
    states = _texts(kind for each in measures if each.window is Window.STATE for kind in each.kinds)
    in_time = f"f.occurred_on >= {EARLIEST}"
    if states:
        in_time = f"({in_time} or f.kind in ({states}))"
    return f"""f.county = {COUNTY} and {chosen.format("f")} and f.kind in ({kinds})
and f.occurred_on <= {ON} and {in_time}
and {KNOWN.format("f")}"""


def _texts(words: Iterable[str]) -> str:
    return ", ".join(literal(each) for each in sorted(set(words)))


def _columns(measures: Sequence[Measure]) -> str:
    """The columns that amounts and filters read, under the names the language gives them."""
    names = {name for each in measures for part in (each.amount, each.where) if part for name in names_in(part)}
    return "".join(f", {_column(name)} as {quoted(name)}" for name in sorted(names))


def _column(name: str) -> str:
    if name not in FACT_ATTRIBUTES:
        return f"f.{COLUMNS.get(name, name)}"
    key = literal(FACT_ATTRIBUTES[name][0])
    if name == "types":
        return f"nullif(f.attributes -> {key}, 'null'::jsonb)"
    return f"f.attributes ->> {key}"


ON_A_FACT = SqlWriter(lambda name: f"s.{quoted(name)}")
ON_AN_ENTRY = SqlWriter(lambda name: f"f.{quoted(name)}")
OF_A_MEMBER = SqlWriter(lambda name: f"p.{quoted(name)}")


def _matched(measures: Sequence[Measure], seen: str) -> str:
    """The facts with one bit for each measure they belong to.

    `offset 0` keeps the planner from folding this into the aggregates, which would ask it once for each.
    """
    kinds = dict.fromkeys(kind for each in measures for kind in each.kinds)
    cases = "\n".join(f"when {literal(kind)} then {_bits(measures, kind)}" for kind in kinds)
    return f"select s.*, case s.kind\n{cases}\nend as bits from (\n{seen}\n) s offset 0"


def _bits(measures: Sequence[Measure], kind: str) -> str:
    return " | ".join(
        f"case when {_matches(each)} then {1 << bit}::bigint else 0 end"
        for bit, each in enumerate(measures)
        if kind in each.kinds
    )


def _matches(measure: Measure) -> str:
    conditions = [WINDOWS[measure.window]]
    if not measure.includes_deceased:
        conditions.append("s.counted")
    if measure.where is not None:
        conditions.append(ON_A_FACT.write(measure.where))
    return " and ".join(conditions)


def _aggregates(measures: Sequence[Measure]) -> str:
    """Each measure over the facts of a group, and the bits of those with an amount not known."""
    columns = [f"{_aggregate(each, 1 << bit)} as {quoted(each.name)}" for bit, each in enumerate(measures)]
    return "".join(f",\n{column}" for column in (*columns, f"{_unknown_bits(measures)} as unknown_bits"))


def _aggregate(measure: Measure, bit: int) -> str:
    matching = f"filter (where f.bits & {bit} <> 0)"
    match measure.aggregate:
        case Aggregate.COUNT | Aggregate.EXISTS:
            return f"count(*) {matching}"
        case Aggregate.LATEST:
            return f"max({_dated_choice(measure)}) {matching}"
        case _:
            return f"{measure.aggregate.value}({_amount(measure)}) {matching}"


def _unknown_bits(measures: Sequence[Measure]) -> str:
    masks: dict[str, int] = {}
    for bit, each in enumerate(measures):
        if each.aggregate in (Aggregate.SUM, Aggregate.MAX):
            masks[_amount(each)] = masks.get(_amount(each), 0) | 1 << bit
    unknown = (f"case when {amount} is null then f.bits & {mask} else 0 end" for amount, mask in masks.items())
    return f"bit_or({' | '.join(unknown) or '0'})"


def _values(measures: Sequence[Measure], row: str) -> str:
    """What the aggregates mean: without facts 0, false or unknown; with an amount not known, unknown."""
    return "".join(
        f",\n{_value(each, f'{row}.{quoted(each.name)}', f'{row}.unknown_bits', 1 << bit)} as {quoted(each.name)}"
        for bit, each in enumerate(measures)
    )


def _value(measure: Measure, column: str, unknown: str, bit: int) -> str:
    match measure.aggregate:
        case Aggregate.COUNT:
            return f"coalesce({column}, 0)"
        case Aggregate.EXISTS:
            return f"coalesce({column}, 0) > 0"
        case Aggregate.LATEST:
            names = ", ".join(map(literal, measure.choices))
            return f"(array[{names}])[{column} & {STATE_BITS - 1}]"
        case Aggregate.SUM:
            column = f"coalesce({column}, 0)"
    return f"case when {unknown} & {bit} <> 0 then null else {column} end::bigint"


def _dated_choice(measure: Measure) -> str:
    """Date and choice in one integer, because an ordered aggregate would sort; no choice is 0."""
    numbered = " ".join(f"when {literal(each)} then {i}" for i, each in enumerate(measure.choices, 1))
    return f"(f.occurred_on - date '0001-01-01') * {STATE_BITS} + case {_amount(measure)} {numbered} else 0 end"


def _amount(measure: Measure) -> str:
    assert measure.amount is not None, "read_measure lets no amount or value be missing"
    return ON_AN_ENTRY.write(measure.amount)


def _member_facts(measures: Sequence[Measure], chosen: str) -> str:
    """Measures of each member; a fact that names none makes a group of its own that joins nobody."""
    if not measures:
        return ""
    seen = f"""\
select f.household_id, f.resident_id, f.kind, f.occurred_on, f.ended_on{_columns(measures)}, true as counted
from fact f where {_looked_at(measures, chosen)}"""
    return f"""\
member_fact as (
select f.household_id, f.resident_id{_aggregates(measures)}
from (
{_matched(measures, seen)}
) f
group by f.household_id, f.resident_id
),
"""


def _counted(package: PolicyPackage, measures: Sequence[Measure]) -> str:
    """Members counted and not, and for each condition on a member how many it holds for."""
    joined = "left join member_fact f on f.household_id = p.household_id and f.resident_id = p.resident_id"
    return f"""\
select p.household_id, count(*) filter (where p.counted) as members_counted,
count(*) filter (where not p.counted) as members_not_counted\
{"".join(f", {_count(package, name)} as {quoted(name)}" for name in package.member_counts)}
from (
select p.household_id, p.counted{_values(measures, "f")}
from member p {joined if measures else ""}
) p
group by p.household_id"""


def _count(package: PolicyPackage, name: str) -> str:
    """Members for whom a condition holds; see MemberCount. bool_or() of nobody is null, which is not false."""
    condition = OF_A_MEMBER.write(package.member_counts[name].when)
    found = f"count(*) filter (where p.counted and {condition})"
    unknown = f"bool_or({condition} is null) filter (where p.counted)"
    return f"case when {found} = 0 and ({unknown}) is not false then null else {found} end"
