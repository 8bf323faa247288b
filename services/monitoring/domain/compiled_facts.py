"""The facts a household's measures look at, as PostgreSQL reads them: as of a day, as known at a moment.

Only the best preferred income entries of a kind stand, so that no income is ever added up across sources:
`preference` is whose word counts, dated entries before yearly totals, the newest total first.
"""

from collections.abc import Iterable, Sequence

from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_expression import SqlWriter, literal
from services.monitoring.domain.expression import names_in
from services.monitoring.domain.measure import FACT_ATTRIBUTES, ROSTER_DATA_SETS, Measure
from services.monitoring.domain.window import Window
from shared.policies.unit import Unit

MONEY = frozenset(("amount", "gross", "compliant", "other", "relief"))
WHOLE = "'^-?[0-9]{1,15}$'"


def quoted(name: str) -> str:
    return f'"{name}"'


def texts(words: Iterable[str]) -> str:
    return ", ".join(literal(each) for each in sorted(set(words)))


def known(row: str, binds: Binds) -> str:
    """Known at the moment asked about."""
    at = binds.edge("known_at")
    return f"{row}.recorded_at <= {at} and ({row}.superseded_at is null or {row}.superseded_at > {at})"


def on_a_fact(row: str) -> SqlWriter:
    """Writes expressions on one fact, whose columns are under the alias `row`."""
    return SqlWriter(lambda name: _column(row, name))


def _column(row: str, name: str) -> str:
    if name not in FACT_ATTRIBUTES:
        return f"{row}.{_stored(name)}"
    key, type_ = FACT_ATTRIBUTES[name]
    text = f"({row}.attributes ->> {literal(key)})"
    match type_.unit:
        case Unit.TEXT:
            return text
        case Unit.FLAG:
            return f"(case {text} when 'true' then true when 'false' then false end)"
        case Unit.LIST:
            return f"nullif({row}.attributes -> {literal(key)}, 'null'::jsonb)"
        case _:
            # What is no whole number is unknown: one bad attribute must not stop a county.
            return f"(case when {text} ~ {WHOLE} then {text}::bigint end)"


def _stored(name: str) -> str:
    if name in FACT_ATTRIBUTES:
        return "attributes"
    return f"{name}_fen" if name in MONEY else name


def seen(
    measures: Sequence[Measure], chosen: str, binds: Binds, *, of_members: bool = False, columns: Sequence[str] = ()
) -> str:
    """The facts the measures look at.

    For the household: its own, and those of members who count or died lately. `of_members`: those of every
    member, and whatever else decides which incomes of the household stand. `columns` are read besides.
    """
    accounts = sorted({kind for each in measures if each.window is Window.ACCOUNT for kind in each.kinds})
    resident = ", f.resident_id" if of_members else ""
    whose = "" if of_members else "\nand (f.resident_id is null or p.counted or p.died_lately)"
    if of_members and not accounts:
        whose = "\nand f.resident_id is not null"
    rows = f"""\
select f.household_id{resident}, f.kind, f.occurred_on, f.ended_on{_columns(measures, columns)},
f.resident_id is null or p.counted as counted{_preference(accounts, binds)}
from fact f left join member p on p.household_id = f.household_id and p.resident_id = f.resident_id
where {_looked_at(measures, chosen, binds)}{whose}"""
    if not accounts:
        return rows
    return (
        f"select s.*, max(s.preference) over (partition by s.household_id, s.kind) as preferred from (\n{rows}\n) s"
    )


def _columns(measures: Sequence[Measure], more: Sequence[str]) -> str:
    parts = (part for each in measures for part in (each.amount, each.where) if part)
    stored = {_stored(name) for part in parts for name in names_in(part)}
    return "".join(f", f.{column}" for column in sorted(stored.union(more)))


def _preference(accounts: Sequence[str], binds: Binds) -> str:
    """How an income entry ranks among those of its kind; null for what cannot count."""
    if not accounts:
        return ""
    first, last, totals = map(binds.edge, ("account_first", "account_last", "totals_from"))
    return f""",
case when f.kind in ({texts(accounts)}) and (f.resident_id is null or p.counted) then
case when f.period_to is null and f.occurred_on between {first} and {last}
then {_rank()} * 100000 + 99999
when f.period_to >= {totals} then {_rank()} * 100000 + (f.period_to - date '1970-01-01') end end as preference"""


def _rank() -> str:
    """Whose word counts: see measure.source_rank."""
    return (
        "(case when f.source = 'visit' and f.verified then 4"
        f" when f.data_set in ({texts(ROSTER_DATA_SETS)}) then 2 when f.source = 'department' then 3 else 1 end)"
    )


def _looked_at(measures: Sequence[Measure], chosen: str, binds: Binds) -> str:
    kinds = texts(kind for each in measures for kind in each.kinds)
    states = texts(kind for each in measures if each.window is Window.STATE for kind in each.kinds)
    in_time = f"f.occurred_on >= {binds.edge('earliest')}"
    if states:
        in_time = f"({in_time} or f.kind in ({states}))"
    return f"""f.county = {binds.edge("county")} and {chosen.format("f")} and f.kind in ({kinds})
and f.occurred_on <= {binds.edge("on")} and {in_time}
and {known("f", binds)}"""


def in_window(window: Window, binds: Binds) -> str:
    """Whether a fact `s` of those seen lies in a window."""
    match window:
        case Window.ACCOUNT:
            return "s.preference = s.preferred"
        case Window.MONTHS:
            return f"s.occurred_on between {binds.edge('account_first')} and {binds.edge('account_last')}"
        case Window.OUTLAY:
            return f"s.occurred_on between {binds.edge('account_first')} and {binds.edge('outlay_last')}"
        case Window.YEAR:
            return f"s.occurred_on >= {binds.edge('year_first')}"
        case _:
            return f"(s.ended_on is null or s.ended_on > {binds.edge('on')})"
