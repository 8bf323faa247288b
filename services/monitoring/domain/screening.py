"""The texts of the engine (评估引擎的语句): measure households from facts, judge stored measures, set by set.

Households are chosen by a range of numbers, or by a list of them; `Chosen` says which, and writes the condition.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache

from services.monitoring.domain.compiled_binds import Binds, Statement
from services.monitoring.domain.compiled_columns import decided_columns
from services.monitoring.domain.compiled_decision import decide_sql
from services.monitoring.domain.compiled_measures import measures_sql
from services.monitoring.domain.compiler import bound_values, compile_policy
from services.monitoring.domain.judgement import MASK_BITS
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.reading import Reading
from services.monitoring.domain.stored_measures import kept_values_sql, read_measures_sql, shape_of
from services.monitoring.domain.stored_outcome import gist_sql, outcome_sql

# Households that lie as close as this are read as a range: one run through the index, which is right even for a
# planner without statistics. A list of numbers makes it read the whole county then.
MOST_NUMBERS_A_HOUSEHOLD = 3

# What an assessment keeps as columns of its own besides the outcome.
PLAIN = frozenset(("severity", "score", "causes", "fired", "unknown", "flags"))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Households by their numbers: those listed, or all between two, both ends included."""

    first: int
    last: int
    listed: tuple[int, ...] | None = None

    @classmethod
    def of(cls, ids: Sequence[int]) -> "Chosen":
        """These households; as a range where it holds few others."""
        first, last = min(ids), max(ids)
        dense = last - first < MOST_NUMBERS_A_HOUSEHOLD * len(ids)
        return cls(first, last) if dense else cls(first, last, tuple(ids))

    @property
    def binds(self) -> list[object]:
        return [self.first, self.last] if self.listed is None else [list(self.listed)]

    def condition(self, column: str, bind: int) -> str:
        if self.listed is None:
            return f"{column} between ${bind}::bigint and ${bind + 1}::bigint"
        return f"{column} = any(${bind}::bigint[])"


@dataclass(frozen=True, slots=True)
class Screening:
    """A text with its binds from `first_bind` on."""

    text: str
    binds: list[object]


@lru_cache(maxsize=4000)
def shape(reading: Reading) -> bytes:
    """32 bytes: what is counted, how, and by which values; stored measures of another shape do not stand."""
    policy = compile_policy(reading.package)
    values = [(name, reading.parameters[name].value) for name in policy.measured_parameters]
    return hashlib.sha256(shape_of(reading.package, policy.measured_range_sql) + f"{values}".encode()).digest()


def measuring(reading: Reading, chosen: Chosen, known_at: datetime, first_bind: int) -> Screening:
    """household_id and the stored values of the chosen households, from facts."""
    statement = _measuring(reading.package, chosen.listed is None, first_bind)
    households: dict[str, object] = {
        "first": chosen.first,
        "last": chosen.last,
        "households": list(chosen.listed or ()),
    }
    values = {**_values(reading), "known_at": known_at, **households}
    return Screening(statement.sql, statement.arguments(values))


def judging(reading: Reading, chosen: Chosen, first_bind: int) -> Screening:
    """What the second half says of stored measures that stand, with digest and gist of each household.

    The digest is a hash under two seeds, the terms: sixteen bytes, only ever compared inside this database.
    `offset 0` keeps it from being worked out again wherever it is compared.
    """
    statement = _judging(reading.package, chosen.listed is None, first_bind)
    own = [*chosen.binds, reading.county, shape(reading), reading.on, list(reading.terms)]
    return Screening(statement.sql, [*own, *statement.arguments(_values(reading))])


@lru_cache(maxsize=4000)
def _values(reading: Reading) -> Mapping[str, object]:
    return bound_values(
        reading.package,
        county=reading.county,
        on=reading.on,
        known_at=datetime.min.replace(tzinfo=UTC),
        parameters=reading.parameters,
    )


@cache
def _measuring(package: PolicyPackage, ranged: bool, first_bind: int) -> Statement:
    binds = Binds(package, first_bind)
    chosen = (
        f"{{0}}.household_id between {binds.edge('first')} and {binds.edge('last')}"
        if ranged
        else f"{{0}}.household_id = any({binds.edge('households')})"
    )
    half = measures_sql(package, chosen, binds)
    return binds.statement(f"select x.household_id, {kept_values_sql(package, 'x')} from (\n{half}\n) x")


@cache
def _judging(package: PolicyPackage, ranged: bool, first_bind: int) -> Statement:
    chosen = Chosen(0, 0, None if ranged else ())
    county = first_bind + len(chosen.binds)
    shape_bind, on, terms = county + 1, county + 2, county + 3
    standing = (
        f"{chosen.condition('m.household_id', first_bind)} and m.county = ${county}::text"
        f" and m.shape = ${shape_bind}::bytea and m.measured_on <= ${on}::date and m.valid_until > ${on}::date"
    )
    binds = Binds(package, terms + 1)
    half = decide_sql(package, read_measures_sql(package, standing), binds)
    names = [name for name, _ in decided_columns(package)]
    masks = ", ".join(f"o.{name}" for name in names if name in PLAIN or name.startswith("unknown_"))
    return binds.statement(f"""\
select o.household_id, o.class_code, {masks}, o.outcome, o.gist,
int8send(hash_array_extended(o.outcome, (${terms}::bigint[])[1]))
|| int8send(hash_array_extended(o.outcome, (${terms}::bigint[])[2])) as digest
from (
select d.*, {outcome_sql(package, "d")} as outcome, {gist_sql(package, "d")} as gist
from (
{half}
) d offset 0
) o offset 0""")


def confidence_sql(package: PolicyPackage, weights: str) -> str:
    """See judgement._confidence: the weight of what is known in the weight of all, percent, half up."""
    known = " + ".join(
        f"case when {_word('unknown', index)} & {1 << index % MASK_BITS} = 0 then ({weights})[{index + 1}] else 0 end"
        for index in range(len(package.indicators))
    )
    total = f"(select sum(w) from unnest({weights}) w)::bigint"
    return f"(case when {total} = 0 then 100 else (200 * ({known}) + {total}) / (2 * {total}) end)::smallint"


def _word(mask: str, index: int) -> str:
    return mask if index < MASK_BITS else f"{mask}_{index // MASK_BITS}"
