"""Interprets an expression of the policy language over known and unknown (None) values.

Written from the language's meaning, not from the SQL: the two are each other's test.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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

Known = int | str | bool | frozenset[int]
Value = Known | None

ARITHMETIC: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Answers expressions; `value_of` answers names."""

    value_of: Callable[[str], Value]

    def value(self, expression: Expression) -> Value:
        match expression:
            case Literal(value):
                return value
            case Name(name):
                return self.value_of(name)
            case Negative(operand):
                return None if (number := self.number(operand)) is None else -number
            case Arithmetic(sign, left, right):
                return self._joined(ARITHMETIC[sign], left, right)
            case Comparison(sign, left, right):
                return self._compared(COMPARISONS[sign], left, right)
            case Case(branches, otherwise):
                return self._case(branches, otherwise)
            case Call(function, arguments):
                return self._call(function, arguments)
            case _:
                return self.truth(expression)

    def truth(self, expression: Expression) -> bool | None:
        """True, false or unknown."""
        match expression:
            case Logic("and", left, right):
                return self._both(left, right)
            case Logic(_, left, right):
                return self._either(left, right)
            case Not(operand):
                return None if (truth := self.truth(operand)) is None else not truth
            case IsNull(operand):
                return self.value(operand) is None
            case OneOf(operand, options):
                return None if (value := self.value(operand)) is None else value in options
        value = self.value(expression)
        return None if value is None else bool(value)

    def number(self, expression: Expression) -> int | None:
        value = self.value(expression)
        assert value is None or isinstance(value, int), "the type checker lets only numbers be calculated with"
        return value

    def _both(self, left: Expression, right: Expression) -> bool | None:
        sides = self.truth(left), self.truth(right)
        if False in sides:
            return False
        return None if None in sides else True

    def _either(self, left: Expression, right: Expression) -> bool | None:
        sides = self.truth(left), self.truth(right)
        if True in sides:
            return True
        return None if None in sides else False

    def _joined(self, join: Callable[[int, int], int], left: Expression, right: Expression) -> int | None:
        a, b = self.number(left), self.number(right)
        return None if a is None or b is None else join(a, b)

    def _compared(self, compare: Callable[[Any, Any], bool], left: Expression, right: Expression) -> bool | None:
        a, b = self.value(left), self.value(right)
        return None if a is None or b is None else compare(a, b)

    def _case(self, branches: tuple[tuple[Expression, Expression], ...], otherwise: Expression | None) -> Value:
        for condition, value in branches:
            if self.truth(condition):
                return self.value(value)
        return None if otherwise is None else self.value(otherwise)

    def _call(self, function: str, arguments: tuple[Expression, ...]) -> Value:
        if function == "has":
            return self._has(*arguments)
        numbers = [self.number(each) for each in arguments]
        known = [each for each in numbers if each is not None]
        if function == "at_least" and len(known) < len(numbers):
            return None
        return max(known, default=None)

    def _has(self, holder: Expression, wanted: Expression) -> bool | None:
        numbers = self.value(holder)
        return None if not isinstance(numbers, frozenset) else self.value(wanted) in numbers
