"""Interprets an expression of the policy language over known and unknown (None) values.

Written from the language's meaning, not from the SQL: the two are each other's test. An expression is turned into
a Python function once, since a county's staff ask the same few hundred of every household.
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

Known = int | str | bool | frozenset[int] | tuple[str, ...]
Value = Known | None
Read = Callable[[str], Value]
"""Answers names."""
Answer = Callable[[Read], Any]
"""An expression as a function of what its names are."""

BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MOST_KEPT = 20_000

# By identity, because equality walks the whole tree; holding the expression keeps its identity its own.
_kept: dict[int, tuple[Expression, Answer]] = {}


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Answers expressions; `value_of` answers names."""

    value_of: Read

    def value(self, expression: Expression) -> Value:
        value: Value = answer_to(expression)(self.value_of)
        return value

    def truth(self, expression: Expression) -> bool | None:
        """True, false or unknown."""
        value = answer_to(expression)(self.value_of)
        return None if value is None else bool(value)

    def number(self, expression: Expression) -> int | None:
        value = answer_to(expression)(self.value_of)
        assert value is None or isinstance(value, int), "the type checker lets only numbers be calculated with"
        return value


def answer_to(expression: Expression) -> Answer:
    """The function an expression means, made once."""
    kept = _kept.get(id(expression))
    if kept is not None:
        return kept[1]
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    answer = _made(expression)
    _kept[id(expression)] = expression, answer
    return answer


def _made(expression: Expression) -> Answer:
    match expression:
        case Literal(value):
            return lambda read: value
        case Name(name):
            return lambda read: read(name)
        case Negative(operand):
            return _negative(answer_to(operand))
        case Arithmetic(sign, left, right) | Comparison(sign, left, right):
            return _joined(BINARY[sign], answer_to(left), answer_to(right))
        case Logic("and", left, right):
            return _settled(False, answer_to(left), answer_to(right))
        case Logic(_, left, right):
            return _settled(True, answer_to(left), answer_to(right))
        case Not(operand):
            return _not(answer_to(operand))
        case IsNull(operand):
            inner = answer_to(operand)
            return lambda read: inner(read) is None
        case OneOf(operand, options):
            return _one_of(answer_to(operand), frozenset(options))
        case Case(branches, otherwise):
            return _case(branches, otherwise)
        case Call(function, arguments):
            return CALLS[function]([answer_to(each) for each in arguments])


def _negative(operand: Answer) -> Answer:
    def negative(read: Read) -> int | None:
        number = operand(read)
        return None if number is None else -number

    return negative


def _joined(join: Callable[[Any, Any], Any], left: Answer, right: Answer) -> Answer:
    """Unknown if either side is."""

    def joined(read: Read) -> Any:
        a = left(read)
        if a is None:
            return None
        b = right(read)
        return None if b is None else join(a, b)

    return joined


def _settled(by: bool, left: Answer, right: Answer) -> Answer:
    """`and` is settled by one false side, `or` by one true side; else one unknown side leaves it open."""

    def settled(read: Read) -> bool | None:
        a: bool | None = left(read)
        if a is by:
            return by
        b: bool | None = right(read)
        if b is by:
            return by
        return None if a is None or b is None else not by

    return settled


def _not(operand: Answer) -> Answer:
    def opposite(read: Read) -> bool | None:
        truth = operand(read)
        return None if truth is None else not truth

    return opposite


def _one_of(operand: Answer, options: frozenset[int | str]) -> Answer:
    def listed(read: Read) -> bool | None:
        value = operand(read)
        return None if value is None else value in options

    return listed


def _case(branches: tuple[tuple[Expression, Expression], ...], otherwise: Expression | None) -> Answer:
    pairs = [(answer_to(condition), answer_to(value)) for condition, value in branches]
    last = None if otherwise is None else answer_to(otherwise)

    def chosen(read: Read) -> Any:
        for condition, value in pairs:
            if condition(read):
                return value(read)
        return None if last is None else last(read)

    return chosen


def _at_least(arguments: list[Answer]) -> Answer:
    """The greater; unknown if either is."""

    def greater(read: Read) -> int | None:
        numbers = [each(read) for each in arguments]
        return None if None in numbers else max(numbers)

    return greater


def _max_known(arguments: list[Answer]) -> Answer:
    """The greatest of those that are known."""

    def greatest(read: Read) -> int | None:
        numbers = [each(read) for each in arguments]
        return max((each for each in numbers if each is not None), default=None)

    return greatest


def _has(arguments: list[Answer]) -> Answer:
    holder, wanted = arguments

    def has(read: Read) -> bool | None:
        listed = holder(read)
        return wanted(read) in listed if isinstance(listed, frozenset | tuple) else None

    return has


CALLS: Mapping[str, Callable[[list[Answer]], Answer]] = {
    "at_least": _at_least,
    "max_known": _max_known,
    "has": _has,
}
