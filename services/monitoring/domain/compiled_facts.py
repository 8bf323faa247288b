"""The facts a household's measures look at, as PostgreSQL reads them: as of a day, as known at a moment.

Only the best preferred income entries of a kind stand, so that no income is ever added up across sources:
`preference` is whose word counts, dated entries before yearly totals, the newest total first.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cache

from services.monitoring.domain.compiled_areas import Area, area_of_kind, areas_of
from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_expression import SqlWriter, literal
from services.monitoring.domain.expression import names_in
from services.monitoring.domain.measure import FACT_ATTRIBUTES, ROSTER_DATA_SETS, RULE_KINDS, Scope
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.window import Window
from shared.policies.unit import Unit

BILL = "expense.medical"
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


def seen(package: PolicyPackage, chosen: str, binds: Binds) -> str:
    """The facts that the package looks at, read once: whose they are, and which income entries stand.

    `counted` and `lately` say whether the household has it: a fact of its own, or of a member who counts, or of one
    who counts or died lately. Only incomes and their costs are ranked.
    """
    measures = package.measures.values()
    kinds = {kind for each in measures for kind in each.kinds}
    if package.rule_shapes:
        kinds.update(RULE_KINDS)
    accounts = {kind for each in measures if each.window is Window.ACCOUNT for kind in each.kinds}
    columns = "".join(f", f.{column}" for column in sorted(_columns(package)))
    rows = (
        f"select f.household_id, f.resident_id, f.kind, f.occurred_on, f.ended_on{columns},\n"
        "f.resident_id is null or p.counted as counted, f.resident_id is null or p.counted or p.died_lately as lately"
    )
    parts = []
    if accounts:
        ranked = f"{rows},\n{_area(package, accounts)},\n{_preference(binds)} as preference"
        ranked += f"\n{_from(package, accounts, chosen, binds)}"
        listed = ", ".join(f"s.{name}" for name in _names(package))
        stands = "s.preference = max(s.preference) over (partition by s.household_id, s.kind)"
        parts.append(f"select {listed}, {stands} as stands from (\n{ranked}\n) s")
    if others := kinds - accounts:
        parts.append(f"{rows},\n{_area(package, others)}, false as stands\n{_from(package, others, chosen, binds)}")
    return "\nunion all\n".join(parts)


def _area(package: PolicyPackage, kinds: Collection[str]) -> str:
    return f"{area_of_kind(household_areas(package), kinds, 'f.kind')} as area"


@cache
def household_areas(package: PolicyPackage) -> tuple[Area, ...]:
    """The areas of what is counted for the household."""
    return areas_of([each for each in package.measures.values() if each.scope is Scope.HOUSEHOLD])


def _names(package: PolicyPackage) -> Sequence[str]:
    own = ("household_id", "resident_id", "kind", "occurred_on", "ended_on")
    return (*own, *sorted(_columns(package)), "counted", "lately", "area")


def _columns(package: PolicyPackage) -> frozenset[str]:
    """The columns of a fact that its measures and rules read."""
    parts = (part for each in package.measures.values() for part in (each.amount, each.where) if part)
    columns = {_stored(name) for part in parts for name in names_in(part)}
    if package.reads_listing:
        columns.add("attributes")
    if package.rule_shapes:
        columns.update(("fact_id", "visit", "stay", "amount_fen", "compliant_fen", "other_fen", "attributes"))
    return frozenset(columns)


def _preference(binds: Binds) -> str:
    """How an income entry ranks among those of its kind; null for what cannot count."""
    first, last, totals = map(binds.edge, ("account_first", "account_last", "totals_from"))
    return f"""\
case when f.resident_id is null or p.counted then
case when f.period_to is null and f.occurred_on between {first} and {last}
then {_rank()} * 100000 + 99999
when f.period_to >= {totals} then {_rank()} * 100000 + (f.period_to - date '1970-01-01') end end"""


def _rank() -> str:
    """Whose word counts: see measure.source_rank."""
    return (
        "(case when f.source = 'visit' and f.verified then 4"
        f" when f.data_set in ({texts(ROSTER_DATA_SETS)}) then 2 when f.source = 'department' then 3 else 1 end)"
    )


def _from(package: PolicyPackage, kinds: Collection[str], chosen: str, binds: Binds) -> str:
    """Known facts of these kinds that may still matter: states whenever they began, a stay with all its bills."""
    states = {kind for each in package.measures.values() if each.window is Window.STATE for kind in each.kinds}
    in_time = [f"f.occurred_on >= {binds.edge('earliest')}"]
    if old := states.intersection(kinds):
        in_time.append(f"f.kind in ({texts(old)})")
    if BILL in kinds and any(each.window == "single_stay" for each in package.rule_shapes):
        in_time.append(f"(f.kind = '{BILL}' and f.stay is not null)")
    return f"""\
from fact f left join member p on p.household_id = f.household_id and p.resident_id = f.resident_id
where f.county = {binds.edge("county")} and {chosen.format("f")} and f.kind in ({texts(kinds)})
and f.occurred_on <= {binds.edge("on")} and ({" or ".join(in_time)})
and {known("f", binds)}"""


def in_window(window: Window, binds: Binds) -> str:
    """Whether a fact `s` of those seen lies in a window."""
    match window:
        case Window.ACCOUNT:
            return "s.stands"
        case Window.MONTHS:
            return f"s.occurred_on between {binds.edge('account_first')} and {binds.edge('account_last')}"
        case Window.OUTLAY:
            return f"s.occurred_on between {binds.edge('account_first')} and {binds.edge('outlay_last')}"
        case Window.YEAR:
            return f"s.occurred_on >= {binds.edge('year_first')}"
        case _:
            return f"(s.ended_on is null or s.ended_on > {binds.edge('on')})"
