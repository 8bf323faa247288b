"""Stored outcomes (存储的判定): the compiled statement's row as an array of integers, as an assessment keeps it.

Elements are in the package's order and none is null: unknown is the smallest bigint, a flag 0 or 1, a text its place
among those it may be.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from services.monitoring.domain.compiled_columns import decided_columns
from services.monitoring.domain.compiled_expression import literal
from services.monitoring.domain.compiled_measures import quoted
from services.monitoring.domain.policy_package import PolicyPackage
from shared.policies.unit import Unit

UNKNOWN = -(2**63)
UNKNOWN_SQL = "(-9223372036854775808)::bigint"


def outcome_sql(package: PolicyPackage, row: str) -> str:
    """The array that stands for a row of the compiled statement, which goes by the alias `row`."""
    elements = (_stored(package, name, kind, f"{row}.{quoted(name)}") for name, kind in decided_columns(package))
    return f"array[{', '.join(elements)}]::bigint[]"


def gist_sql(package: PolicyPackage, row: str) -> str:
    """Digest of class, severity, and what fired how gravely; empty where there is none of these."""
    names = [name for name, _ in decided_columns(package)]
    fired = [name for name in names if name == "fired" or name.removeprefix("fired_").isdigit()]
    graded = [name for name in names if name.startswith("severity_")]
    risk = " or ".join([*(f"{row}.{name} <> 0" for name in fired), f"{row}.class_code is not null"])
    code = _stored(package, "class_code", "text", f"{row}.class_code")
    severities = (f"coalesce({row}.{quoted(name)}::bigint, 0)" for name in ("severity", *graded))
    elements = [code, *(f"{row}.{name}" for name in fired), *severities]
    return f"case when {risk} then sha256(array_send(array[{', '.join(elements)}]::bigint[])) else ''::bytea end"


def row_of(package: PolicyPackage, stored: Mapping[str, Any]) -> dict[str, Any] | None:
    """The compiled statement's row of an assessment, whose `outcome` (or `measured`, of engine 1) is in `stored`.

    The package must be the one that made it: the array has its order.
    """
    if stored["outcome"] is None:
        measured: dict[str, Any] | None = stored["measured"]
        return measured
    return row_of_outcome(package, stored["outcome"])


def row_of_outcome(package: PolicyPackage, outcome: Sequence[int]) -> dict[str, Any]:
    columns = _readers(package)
    return {
        name: None if value == UNKNOWN else read(value) for (name, read), value in zip(columns, outcome, strict=True)
    }


@cache
def _readers(package: PolicyPackage) -> tuple[tuple[str, Any], ...]:
    readers = []
    for name, kind in decided_columns(package):
        texts = _texts(package, name) if kind == "text" else ()
        read = {"boolean": bool, "text": (lambda place, texts=texts: texts[place - 1])}.get(kind, int)
        readers.append((name, read))
    return tuple(readers)


def _stored(package: PolicyPackage, name: str, kind: str, column: str) -> str:
    if kind == "boolean":
        column = f"{column}::integer"
    if kind == "text":
        numbered = " ".join(f"when {literal(each)} then {i}" for i, each in enumerate(_texts(package, name), 1))
        column = f"case {column} {numbered} end" if numbered else "null"
    return f"coalesce(({column})::bigint, {UNKNOWN_SQL})"


@cache
def _texts(package: PolicyPackage, name: str) -> tuple[str, ...]:
    """What a text of the row may be, in a fixed order."""
    if name.startswith("class_code"):
        return tuple(dict.fromkeys(each.code for each in package.classes if each.code is not None))
    type_ = package.types[name.removeprefix("measured_").removeprefix("noted_")]
    return tuple(sorted(type_.choices)) if type_.unit is Unit.TEXT else ()


def outcome_of(package: PolicyPackage, row: Mapping[str, Any]) -> list[int]:
    """The array an assessment would keep of a row of the compiled statement: equal arrays decide the same."""
    return [_place(package, name, kind, row[name]) for name, kind in decided_columns(package)]


def _place(package: PolicyPackage, name: str, kind: str, value: Any) -> int:
    """What the array holds for a value of the row."""
    if value is None:
        return UNKNOWN
    return _texts(package, name).index(value) + 1 if kind == "text" else int(value)
