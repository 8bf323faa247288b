"""Translates an expression of the policy language into PostgreSQL, keeping unknown unknown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.monitoring.domain.expression import (
    Arithmetic,
    Call,
    Case,
    Comparison,
    Expression,
    IsNull,
    Literal,
    Logic,
    Name,
    Negative,
    Not,
    OneOf,
)

MOST = 9_000_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class SqlWriter:
    """Writes SQL text; `column` says how a name is read at this place.

    Products are numeric, so that ten-thousandths of any amount fit; everything is exact either way.
    """

    column: Callable[[str], str]

    def write(self, expression: Expression) -> str:
        match expression:
            case Literal(value):
                return literal(value)
            case Name(name):
                return self.column(name)
            case Negative(operand):
                return f"(- {self.write(operand)})"
            case Arithmetic("*", left, right):
                return f"({self.write(left)}::numeric * {self.write(right)})"
            case Arithmetic(operator, left, right) | Comparison(operator, left, right) | Logic(operator, left, right):
                return f"({self.write(left)} {operator} {self.write(right)})"
            case Not(operand):
                return f"(not {self.write(operand)})"
            case IsNull(operand):
                return f"({self.write(operand)} is null)"
            case OneOf(operand, options):
                return f"({self.write(operand)} in ({', '.join(map(literal, options))}))"
            case Case(branches, otherwise):
                return self._case(branches, otherwise)
            case Call("has", (holder, Literal(str(wanted)))):
                return f"({literal(wanted)} = any({self.write(holder)}))"
            case Call(function, arguments):
                return CALLS[function](*map(self.write, arguments))

    def _case(self, branches: tuple[tuple[Expression, Expression], ...], otherwise: Expression | None) -> str:
        whens = " ".join(f"when {self.write(when)} then {self.write(value)}" for when, value in branches)
        end = "" if otherwise is None else f" else {self.write(otherwise)}"
        return f"(case {whens}{end} end)"


def literal(value: int | str | bool) -> str:
    """A constant of the package as SQL text; texts are quoted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def whole(value: str, *, in_basis: bool = False) -> str:
    """A calculated value as bigint again; ten-thousandths of an absurd amount are unknown rather than an error."""
    return f"(case when abs({value}) < {MOST} then ({value})::bigint end)" if in_basis else f"({value})::bigint"


def _at_least(value: str, low: str) -> str:
    # Not greatest(): greatest(null, 0) is 0, and unknown would become nothing. Two conditions, no `else`, for
    # the same reason.
    return f"(case when {value} < {low} then {low} when {value} >= {low} then {value} end)"


def _max_known(*values: str) -> str:
    # Here greatest() is what is meant: it passes nulls over.
    return f"greatest({', '.join(values)})"


def _has(holder: str, number: str) -> str:
    return f"({holder} @> '{number}'::jsonb)"


CALLS: Mapping[str, Callable[..., str]] = {"at_least": _at_least, "max_known": _max_known, "has": _has}
