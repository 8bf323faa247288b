"""Two policies over the same households: only whom other values may move is judged anew, by both, side by side.

What either says of a household meets in one row, and only rows of which either says something are written. Everybody
else is judged by the draft as he is judged already; see compiled_difference.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from services.monitoring.domain.compiled_binds import OTHER_SIDE, Binds, Statement
from services.monitoring.domain.compiled_columns import decided_columns
from services.monitoring.domain.compiled_decision import decide_sql
from services.monitoring.domain.compiled_difference import moved_sql
from services.monitoring.domain.compiler import bound_values, compile_policy
from services.monitoring.domain.judgement import MASK_BITS
from services.monitoring.domain.policy_package import PolicyPackage
from services.monitoring.domain.reading import Reading
from services.monitoring.domain.screening import Chosen, Screening, shape
from services.monitoring.domain.stored_measures import read_measures_sql
from shared.vocabulary.terms import Severity

_BIND = re.compile(r"\$(\d+)")
_STORED_BINDS = 5
_STANDING = (
    "m.household_id between $1::bigint and $2::bigint and m.county = $3::text and m.shape = $4::bytea"
    " and m.measured_on <= $5::date and m.valid_until > $5::date"
)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Side:
    """One policy's text over some households, and its binds."""

    package: PolicyPackage
    text: str
    binds: Sequence[object]

    def select(self, offset: int) -> str:
        """What a comparison reads of an answer; `offset` binds stand before this side's own."""
        return (
            f"select t.household_id, t.class_code, t.severity, t.causes, {_fired(self.package, _of_text)} as fired,"
            f" {_urgent(self.package, _of_text)} as urgent\nfrom (\n{renumbered(self.text, offset)}\n) t"
        )

    def classes(self, offset: int) -> str:
        """Only the class, for counts."""
        return f"select t.household_id, t.class_code from (\n{renumbered(self.text, offset)}\n) t"


def moved(before: Reading, after: Reading, first: int, last: int) -> Screening | None:
    """Whom the other values may move, of the stored measures of households between two numbers; None: anybody.

    That is so where not only values differ.
    """
    if before.package.indicators is not after.package.indicators:
        return None
    own, other = (_values(each, LONG_AGO) for each in (before, after))
    changed = frozenset(name for name, value in own.items() if other[name] != value)
    statement = _moved(before.package, changed)
    sides = {**own, **{f"{OTHER_SIDE}{name}": value for name, value in other.items()}}
    return Screening(statement.sql, [*_stored(before, first, last), *statement.arguments(sides)])


@cache
def _moved(package: PolicyPackage, changed: frozenset[str]) -> Statement:
    binds = Binds(package, _STORED_BINDS + 1)
    text = moved_sql(package, read_measures_sql(package, _STANDING), binds, changed)
    return binds.statement(f"select t.household_id from (\n{text}\n) t where t.moved")


def standing_select(package: PolicyPackage) -> str:
    """What a comparison reads of an assessment `a` that stands, as `Side.select` does of an answer."""
    places = {name: f"a.outcome[{place}]" for place, (name, _) in enumerate(decided_columns(package), 1)}
    return (
        "a.recommendation as class_code, a.severity, a.causes,"
        f" {_fired(package, places.__getitem__)} as fired, {_urgent(package, places.__getitem__)} as urgent"
    )


def from_facts(reading: Reading, chosen: Chosen, known_at: datetime) -> Side:
    """A policy over what was known of these households at a moment, as of any day."""
    policy = compile_policy(reading.package)
    statement = policy.range if chosen.listed is None else policy.households
    households: dict[str, object] = {
        "first": chosen.first,
        "last": chosen.last,
        "households": list(chosen.listed or ()),
    }
    return Side(reading.package, statement.sql, statement.arguments({**_values(reading, known_at), **households}))


def from_measures(reading: Reading, chosen: Chosen, known_at: datetime) -> Side:
    """A policy over the stored measures that stand on its day."""
    statement = _over_measures(reading.package, chosen.listed is None)
    values = statement.arguments(_values(reading, known_at))
    own = [*_stored(reading, chosen.first, chosen.last), list(chosen.listed or ())]
    return Side(reading.package, statement.sql, [*own, *values])


def _stored(reading: Reading, first: int, last: int) -> list[object]:
    return [first, last, reading.county, shape(reading), reading.on]


def _values(reading: Reading, known_at: datetime) -> dict[str, object]:
    found = bound_values(
        reading.package,
        county=reading.county,
        on=reading.on,
        known_at=known_at,
        parameters=reading.parameters,
    )
    return dict(found)


@cache
def _over_measures(package: PolicyPackage, ranged: bool) -> Statement:
    listed = "cardinality($6::bigint[]) = 0" if ranged else "m.household_id = any($6::bigint[])"
    binds = Binds(package, _STORED_BINDS + 2)
    return binds.statement(decide_sql(package, read_measures_sql(package, f"{_STANDING} and {listed}"), binds))


def _of_text(name: str) -> str:
    return f"t.{name}"


def _fired(package: PolicyPackage, column: Callable[[str], str]) -> str:
    words = (column(_column("fired", index)) for index in range(0, max(len(package.indicators), 1), MASK_BITS))
    return f"array[{', '.join(words)}]"


def _urgent(package: PolicyPackage, column: Callable[[str], str]) -> str:
    """Whether a red or orange finding fired: it calls for a visit whatever the class."""
    masks: dict[int, int] = {}
    found = []
    for index, each in enumerate(package.indicators.values()):
        grave = [rule.severity.rank >= Severity.ORANGE.rank for rule in each.severities]
        if each.varies_in_severity and any(grave):
            fired = f"{column(_column('fired', index))} & {1 << index % MASK_BITS}::bigint <> 0"
            found.append(f"({fired} and {column(f'severity_{each.name}')} >= {Severity.ORANGE.rank})")
        elif not each.varies_in_severity and any(grave):
            masks[index // MASK_BITS] = masks.get(index // MASK_BITS, 0) | 1 << index % MASK_BITS
    found += [f"{column(_column('fired', word * MASK_BITS))} & {mask}::bigint <> 0" for word, mask in masks.items()]
    return f"({' or '.join(found) or 'false'})"


def renumbered(text: str, offset: int) -> str:
    """The text with every bind moved up by `offset`."""
    return _BIND.sub(lambda found: f"${int(found[1]) + offset}", text) if offset else text


def _column(mask: str, index: int) -> str:
    return mask if index < MASK_BITS else f"{mask}_{index // MASK_BITS}"


def names_in_words(names: Sequence[str], words: Sequence[int]) -> list[str]:
    """The names whose bits are set."""
    return [name for index, name in enumerate(names) if words[index // MASK_BITS] >> index % MASK_BITS & 1]
