"""Stored measures (存储的计量): the first half's row as an array of integers, which the second half reads.

No element is null, so that every one of them is found without reading those before it: unknown is the smallest
bigint, which no sum of fen comes near. A flag is 0 or 1, a text its place among the measure's choices.
"""

import hashlib
from functools import cache

from services.monitoring.domain.compiled_columns import measured_columns
from services.monitoring.domain.compiled_expression import literal
from services.monitoring.domain.compiled_measures import quoted
from services.monitoring.domain.policy_package import PolicyPackage

UNKNOWN = -(2**63)
UNKNOWN_SQL = "(-9223372036854775808)::bigint"


def shape_of(package: PolicyPackage, measured_sql: str) -> bytes:
    """32 bytes that change with what is counted, and how: stored rows of another shape do not stand."""
    columns = [(name, kind, _choices(package, name)) for name, kind in measured_columns(package)]
    return hashlib.sha256(f"{columns}{measured_sql}".encode()).digest()


def values_sql(package: PolicyPackage, row: str) -> str:
    """The array that stands for a row of the first half, which goes by the alias `row`."""
    elements = (_stored(package, name, kind, f"{row}.{quoted(name)}") for name, kind in measured_columns(package))
    return f"array[{', '.join(elements)}]::bigint[]"


@cache
def read_measures_sql(package: PolicyPackage, chosen: str) -> str:
    """Stored measures under the names the first half gives them; `chosen` is a condition on `m`, the stored row."""
    columns = (
        f",\n{_read(package, name, kind, index)} as {quoted(name)}"
        for index, (name, kind) in enumerate(measured_columns(package), 1)
    )
    return f"select m.household_id, false as facts_complete{''.join(columns)}\nfrom measure m where {chosen}"


def _stored(package: PolicyPackage, name: str, kind: str, column: str) -> str:
    if kind == "boolean":
        column = f"{column}::integer"
    if kind == "text":
        numbered = " ".join(f"when {literal(each)} then {i}" for i, each in enumerate(_choices(package, name), 1))
        column = f"case {column} {numbered} end"
    return f"coalesce(({column})::bigint, {UNKNOWN_SQL})"


def _read(package: PolicyPackage, name: str, kind: str, index: int) -> str:
    stored = f'm."values"[{index}]'
    if kind == "boolean":
        return f"(case {stored} when 1 then true when 0 then false end)"
    if kind == "text":
        # A place outside the choices is null, and so is the place of the smallest bigint.
        choices = ", ".join(map(literal, _choices(package, name)))
        return f"(array[{choices}])[nullif({stored}, {UNKNOWN_SQL})::integer]"
    return f"nullif({stored}, {UNKNOWN_SQL})"


def _choices(package: PolicyPackage, name: str) -> tuple[str, ...]:
    return package.measures[name].choices if name in package.measures else ()
