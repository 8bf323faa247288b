"""Medical self-pay by the shapes of the rules on it (医疗自付预警线): one measured column for each shape.

Bills and claims are read once; for each scope and window they are gathered by whose they are and, if the window
asks for it, by calendar month or by stay.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_facts import quoted, texts
from services.monitoring.domain.measure import RULE_KINDS
from shared.policies.medical_rule import RuleShape
from shared.vocabulary.terms import Visit

IS_BILL, IS_CLAIM = "b.kind = 'expense.medical'", "b.kind = 'income.insurance_claim'"
BUCKETS = {"month": "date_trunc('month', b.occurred_on::timestamp)", "single_stay": "b.stay, b.lone"}
AMOUNTS = {"compliant": "b.compliant_fen", "all_self_paid": "b.compliant_fen + b.other_fen"}


def shape_name(index: int) -> str:
    return f"rule_shape_{index}"


def bill_parts(shapes: Sequence[RuleShape], binds: Binds) -> Iterator[tuple[str, str]]:
    """The parts of the `with` clause: `bill`, and one for each scope and window; name and text."""
    yield "bill", _bills(shapes, binds)
    for (scope, window), some in groupby(enumerate(shapes), key=lambda each: each[1][:2]):
        yield _part(scope, window), _gathered(scope, window, list(some), binds)


def bill_joins(shapes: Sequence[RuleShape]) -> str:
    parts = dict.fromkeys(_part(each.scope, each.window) for each in shapes)
    return "".join(f"\nleft join {part} on {part}.household_id = h.household_id" for part in parts)


def bill_values(shapes: Sequence[RuleShape]) -> dict[str, str]:
    """What each shape measures: unknown if an amount is; without bills 0, but nobody has none."""
    values = {}
    for index, each in enumerate(shapes):
        part = _part(each.scope, each.window)
        nobody = "when coalesce(p.members_lately, 0) = 0 then null " if each.scope == "person" else ""
        most = f"coalesce({part}.most{index}, 0)"
        values[shape_name(index)] = f"(case {nobody}when {part}.unknown{index} then null else {most} end)::bigint"
    return values


def _part(scope: str, window: str) -> str:
    return f"{scope}_{window}"


def _bills(shapes: Sequence[RuleShape], binds: Binds) -> str:
    """A stay may have begun before every window: it counts with all its bills if the last lies inside."""
    stays = " or s.stay is not null" if any(each.window == "single_stay" for each in shapes) else ""
    return f"""\
select s.household_id, s.resident_id, s.kind, s.occurred_on, s.visit, s.stay,
case when s.stay is null then s.fact_id end as lone, s.compliant_fen, s.other_fen, s.amount_fen
from seen s
where s.kind in ({texts(RULE_KINDS)}) and s.lately and (s.occurred_on >= {binds.edge("account_first")}{stays})
and (s.kind = 'expense.medical' or s.attributes ->> 'for' = 'medical')"""


def _gathered(scope: str, window: str, shapes: Sequence[tuple[int, RuleShape]], binds: Binds) -> str:
    """The most that was paid of one person (or in all), in one month or stay if the window is such."""
    keys = ["b.household_id"]
    keys += ["b.resident_id"] if scope == "person" else []
    keys += [BUCKETS[window]] if window in BUCKETS else []
    wanted = [_where(scope, window, binds)]
    paid = "".join(f",\n{column}" for index, each in shapes for column in _paid(index, each, binds))
    most = "".join(
        f",\nmax(b.paid{index}) as most{index}, bool_or(b.unknown{index}) as unknown{index}" for index, _ in shapes
    )
    return f"""\
select b.household_id{most}
from (
select b.household_id{paid}
from bill b where {" and ".join(wanted)}
group by {", ".join(keys)}
) b
group by b.household_id"""


def _where(scope: str, window: str, binds: Binds) -> str:
    named = " and b.resident_id is not null" if scope == "person" else ""
    match window:
        case "year_to_date":
            return f"b.occurred_on >= {binds.edge('year_first')}{named}"
        case "rolling_12m":
            return f"b.occurred_on between {binds.edge('account_first')} and {binds.edge('account_last')}{named}"
        case "month":
            return f"b.occurred_on >= {binds.edge('account_first')} and {IS_BILL}{named}"
        case _:
            return f"{IS_BILL}{named}"


def _paid(index: int, shape: RuleShape, binds: Binds) -> Iterator[str]:
    amount, counts = AMOUNTS[shape.counts], IS_BILL
    if len(shape.visits) < len(Visit):
        # A bill of an unknown visit may belong here: then what was paid is unknown.
        counts = f"{IS_BILL} and (b.visit is null or b.visit in ({texts(shape.visits)}))"
        amount = f"case when b.visit is not null then {amount} end"
    paid = f"coalesce(sum({amount}) filter (where {counts}), 0)"
    unknown = f"coalesce(bool_or({amount} is null) filter (where {counts}), false)"
    if shape.window not in BUCKETS:
        back = f"coalesce(sum(b.amount_fen) filter (where {IS_CLAIM}), 0)"
        paid = f"greatest({paid} - {back}, 0)"
        unknown += f" or coalesce(bool_or(b.amount_fen is null) filter (where {IS_CLAIM}), false)"
    elif shape.window == "single_stay":
        lies = f"max(b.occurred_on) filter (where {counts}) >= {binds.edge('account_first')}"
        paid, unknown = f"case when {lies} then {paid} end", f"{lies} and {unknown}"
    yield f"{paid} as {quoted(f'paid{index}')}"
    yield f"{unknown} as {quoted(f'unknown{index}')}"
