"""The parsed tree of the policy language: what the compiler translates and the evaluator interprets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A whole number, a quoted text, true or false."""

    value: int | str | bool


@dataclass(frozen=True, slots=True)
class Name:
    """A measure, a parameter, a derived value or, inside a measure, a column of the fact."""

    name: str


@dataclass(frozen=True, slots=True)
class Negative:
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`+`, `-` or `*`; unknown if either side is."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`<`, `<=`, `=`, `<>`, `>=` or `>`; unknown if either side is."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Logic:
    """`and` or `or`, three-valued: false and unknown is false, true or unknown is true."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether a value is not known; always answers."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether a value is one of listed literals; unknown if the value is."""

    operand: "Expression"
    options: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """The value beside the first condition that is true (an unknown condition is passed over)."""

    branches: tuple[tuple["Expression", "Expression"], ...]
    otherwise: "Expression | None"


@dataclass(frozen=True, slots=True)
class Call:
    """`at_least(x, low)`, `max_known(a, b, …)` or `has(list, number)`."""

    function: str
    arguments: tuple["Expression", ...]


Expression = Literal | Name | Negative | Arithmetic | Comparison | Logic | Not | IsNull | OneOf | Case | Call


def parts(expression: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside one."""
    match expression:
        case Arithmetic(_, left, right) | Comparison(_, left, right) | Logic(_, left, right):
            return left, right
        case Negative(operand) | Not(operand) | IsNull(operand) | OneOf(operand, _):
            return (operand,)
        case Case(branches, otherwise):
            inside = tuple(each for branch in branches for each in branch)
            return inside if otherwise is None else (*inside, otherwise)
        case Call(_, arguments):
            return arguments
        case _:
            return ()


def names_in(expression: Expression) -> Iterator[str]:
    """Every name read by an expression, in the order written, repeats included."""
    if isinstance(expression, Name):
        yield expression.name
    for each in parts(expression):
        yield from names_in(each)


def replaced(expression: Expression, names: Mapping[str, Expression]) -> Expression:
    """The same expression with some names replaced by what they stand for."""

    def again(each: Expression) -> Expression:
        return replaced(each, names)

    match expression:
        case Name(name):
            return names.get(name, expression)
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, again(left), again(right))
        case Comparison(operator, left, right):
            return Comparison(operator, again(left), again(right))
        case Logic(operator, left, right):
            return Logic(operator, again(left), again(right))
        case Negative(operand):
            return Negative(again(operand))
        case Not(operand):
            return Not(again(operand))
        case IsNull(operand):
            return IsNull(again(operand))
        case OneOf(operand, options):
            return OneOf(again(operand), options)
        case Case(branches, otherwise):
            inside = tuple((again(condition), again(value)) for condition, value in branches)
            return Case(inside, None if otherwise is None else again(otherwise))
        case Call(function, arguments):
            return Call(function, tuple(map(again, arguments)))
        case _:
            return expression
