"""Stored measures (存储的计量): the first half's row as the table `measure` keeps it, for the second half to read.

Its columns go by position, in the package's order, so that every package fits; what is not known is null. A flag is 0
or 1, a text its place among the measure's choices.
"""

import hashlib
from functools import cache

from services.monitoring.domain.compiled_columns import measured_columns
from services.monitoring.domain.compiled_expression import literal
from services.monitoring.domain.compiled_measures import quoted
from services.monitoring.domain.policy_package import PolicyPackage

MOST_MEASURES = 192
"""So many columns the table has; see policy_reader for what is said to a package that measures more."""


def shape_of(package: PolicyPackage, measured_sql: str) -> bytes:
    """32 bytes that change with what is counted, and how: stored rows of another shape do not stand."""
    columns = [(name, kind, _choices(package, name)) for name, kind in measured_columns(package)]
    return hashlib.sha256(f"{columns}{measured_sql}".encode()).digest()


@cache
def kept_columns(package: PolicyPackage) -> tuple[str, ...]:
    """The columns that hold the package's measures."""
    return tuple(f"v{position}" for position in range(1, len(measured_columns(package)) + 1))


def kept_values_sql(package: PolicyPackage, row: str) -> str:
    """What they hold of a row of the first half, which goes by the alias `row`."""
    values = (_stored(package, name, kind, f"{row}.{quoted(name)}") for name, kind in measured_columns(package))
    return ", ".join(f"{value} as {name}" for name, value in zip(kept_columns(package), values, strict=True))


@cache
def read_measures_sql(package: PolicyPackage, chosen: str) -> str:
    """Stored measures under the names the first half gives them; `chosen` is a condition on `m`, the stored row."""
    columns = (
        f",\n{_read(package, name, kind, f'm.{column}')} as {quoted(name)}"
        for column, (name, kind) in zip(kept_columns(package), measured_columns(package), strict=True)
    )
    return f"select m.household_id, false as facts_complete{''.join(columns)}\nfrom measure m where {chosen}"


def _stored(package: PolicyPackage, name: str, kind: str, column: str) -> str:
    if kind == "boolean":
        return f"{column}::integer::bigint"
    if kind == "text":
        numbered = " ".join(f"when {literal(each)} then {i}" for i, each in enumerate(_choices(package, name), 1))
        return f"case {column} {numbered} end::bigint"
    return f"{column}::bigint"


def _read(package: PolicyPackage, name: str, kind: str, column: str) -> str:
    if kind == "boolean":
        return f"({column} = 1)"
    if kind == "text":
        return f"(array[{', '.join(map(literal, _choices(package, name)))}])[{column}]"
    return column


def _choices(package: PolicyPackage, name: str) -> tuple[str, ...]:
    return package.measures[name].choices if name in package.measures else ()
