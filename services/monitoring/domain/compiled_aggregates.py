"""Measures as aggregates: each fact carries one bit for every measure it belongs to, 62 to a word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_expression import literal
from services.monitoring.domain.compiled_facts import in_window, on_a_fact, quoted
from services.monitoring.domain.judgement import MASK_BITS
from services.monitoring.domain.measure import Aggregate, Measure, Scope

STATE_BITS = 64
ON_A_FACT, ON_AN_ENTRY = on_a_fact("s"), on_a_fact("f")


@dataclass(frozen=True, slots=True)
class Aggregates:
    """The measures of one scan of facts, in words of MASK_BITS bits; those of one kind stand together."""

    measures: tuple[Measure, ...]

    @classmethod
    def of(cls, measures: Sequence[Measure]) -> "Aggregates":
        return cls(tuple(sorted(measures, key=lambda each: each.kinds)))

    def words(self) -> Iterator[tuple[int, list[tuple[int, Measure]]]]:
        """Each word with its measures and their bits."""
        for word in range(0, len(self.measures), MASK_BITS):
            inside = self.measures[word : word + MASK_BITS]
            yield word // MASK_BITS, [(1 << bit, each) for bit, each in enumerate(inside)]

    def matched(self, wanted: str, binds: Binds) -> str:
        """The wanted facts with their bits.

        `offset 0` keeps the planner from folding this into the aggregates, which would ask it once for each.
        """
        bits = "".join(f",\n{_bits(pairs, binds)} as bits{word}" for word, pairs in self.words())
        return f"select s.*{bits} from seen s where {wanted} offset 0"

    def columns(self) -> str:
        """Each measure over the facts of a group, and the bits of those with an amount not known."""
        columns = [column for word, pairs in self.words() for column in _word(word, pairs)]
        return "".join(f",\n{column}" for column in columns)

    def values(self, row: str) -> dict[str, str]:
        """What the aggregates mean: without facts 0, false or unknown; with an amount not known, unknown."""
        return {each.name: _value(each, row, word, bit) for word, pairs in self.words() for bit, each in pairs}


def _bits(pairs: Sequence[tuple[int, Measure]], binds: Binds) -> str:
    kinds = sorted({kind for _, each in pairs for kind in each.kinds})
    return _among([(kind, _of_kind(pairs, kind, binds)) for kind in kinds])


def _among(cases: Sequence[tuple[str, str]]) -> str:
    """The value of a fact's kind, found by halves: one after the other, forty kinds cost more than all else."""
    if len(cases) <= 3:
        whens = " ".join(f"when {literal(kind)} then {value}" for kind, value in cases)
        return f"case s.kind {whens} else 0 end"
    half = len(cases) // 2
    before = f'(s.kind collate "C") < {literal(cases[half][0])}'
    return f"case when {before} then {_among(cases[:half])}\nelse {_among(cases[half:])} end"


def _of_kind(pairs: Sequence[tuple[int, Measure]], kind: str, binds: Binds) -> str:
    """Conditions shared by several measures are asked once."""
    bits: dict[str, int] = {}
    for bit, each in pairs:
        if kind in each.kinds:
            condition = _matches(each, binds)
            bits[condition] = bits.get(condition, 0) | bit
    return " | ".join(f"case when {condition} then {mask}::bigint else 0 end" for condition, mask in bits.items())


def _matches(measure: Measure, binds: Binds) -> str:
    conditions = [in_window(measure.window, binds)]
    if measure.scope is Scope.HOUSEHOLD and not measure.includes_deceased:
        conditions.append("s.counted")
    if measure.where is not None:
        conditions.append(ON_A_FACT.write(measure.where))
    return " and ".join(conditions)


def _word(word: int, pairs: Sequence[tuple[int, Measure]]) -> Iterator[str]:
    for bit, each in pairs:
        if each.aggregate is not Aggregate.EXISTS:
            yield f"{_aggregate(each)} filter (where f.bits{word} & {bit} <> 0) as {quoted(each.name)}"
    if any(each.aggregate is Aggregate.EXISTS for _, each in pairs):
        yield f"bit_or(f.bits{word}) as found_bits{word}"
    if unknown := _unknown(word, pairs):
        yield f"bit_or({unknown}) as unknown_bits{word}"


def _aggregate(measure: Measure) -> str:
    match measure.aggregate:
        case Aggregate.COUNT:
            return "count(*)"
        case Aggregate.LATEST:
            return f"max({_dated_choice(measure)})"
        case _:
            return f"{measure.aggregate.value}({_amount(measure)})"


def _unknown(word: int, pairs: Sequence[tuple[int, Measure]]) -> str:
    """The bits of a fact's measures whose amount is not known."""
    masks: dict[str, int] = {}
    for bit, each in pairs:
        if each.aggregate in (Aggregate.SUM, Aggregate.MAX):
            masks[_amount(each)] = masks.get(_amount(each), 0) | bit
    bits = f"f.bits{word}"
    return " | ".join(
        f"case when {bits} & {mask} <> 0 and {amount} is null then {bits} & {mask} else 0 end"
        for amount, mask in masks.items()
    )


def _value(measure: Measure, row: str, word: int, bit: int) -> str:
    column = f"{row}.{quoted(measure.name)}"
    match measure.aggregate:
        case Aggregate.COUNT:
            return f"coalesce({column}, 0)"
        case Aggregate.EXISTS:
            return f"coalesce({row}.found_bits{word} & {bit} <> 0, false)"
        case Aggregate.LATEST:
            names = ", ".join(map(literal, measure.choices))
            return f"(array[{names}])[{column} & {STATE_BITS - 1}]"
        case Aggregate.SUM:
            column = f"coalesce({column}, 0)"
    return f"case when {row}.unknown_bits{word} & {bit} <> 0 then null else {column} end::bigint"


def _dated_choice(measure: Measure) -> str:
    """Date and choice in one integer, because an ordered aggregate would sort; no choice is 0."""
    numbered = " ".join(f"when {literal(each)} then {i}" for i, each in enumerate(measure.choices, 1))
    return f"(f.occurred_on - date '0001-01-01') * {STATE_BITS} + case {_amount(measure)} {numbered} else 0 end"


def _amount(measure: Measure) -> str:
    assert measure.amount is not None, "read_measure lets no amount or value be missing"
    return ON_AN_ENTRY.write(measure.amount)
