"""The type checker of the policy language: units never mix, texts come from a known list.

Besides units there is one scale: a share is kept in basis points, so `share * money` is money in
ten-thousandths, and so is `10000 * money`; the two compare, and neither compares with plain money. A hundred
times a percent is a share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

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
from services.monitoring.domain.language import Place
from shared.policies.mistake import PolicyMistake
from shared.policies.unit import Unit

BASIS = 10_000


@dataclass(frozen=True, slots=True)
class Type:
    """What a value is: its unit, the texts it may be (empty: any), and whether it is in ten-thousandths."""

    unit: Unit
    choices: frozenset[str] = frozenset()
    in_basis: bool = False

    def __str__(self) -> str:
        return f"{self.unit.value}（万分之一）" if self.in_basis else self.unit.value


FLAG = Type(Unit.FLAG)
NUMBER = Type(Unit.NUMBER)


@dataclass(frozen=True, slots=True)
class TypeChecker:
    """Checks expressions against the names known at one place of a package."""

    names: Mapping[str, Type]
    place: Place

    def check(self, expression: Expression, wanted: Unit, *, in_basis: bool = False) -> Type:
        """The type of an expression that must have the unit `wanted`."""
        found, type_ = self.type_of(expression), Type(wanted, in_basis=in_basis)
        if not _joins(found, type_, expression, Literal(1)):
            right = "结果单位一致；金额乘比例或乘 10000 后写 in_basis: true"
            raise self._mistake(f"此处要 {type_}，表达式却是 {found}", f"{right}", "net_income < limit")
        return found

    def type_of(self, expression: Expression) -> Type:
        match expression:
            case Literal(value):
                return _literal(value)
            case Name(name):
                return self._named(name)
            case Negative(operand):
                return self._numeric(operand)
            case Arithmetic("*", left, right):
                return self._product(left, right)
            case Arithmetic(_, left, right):
                return self._alike(left, right, "相加减")
            case Comparison(operator, left, right):
                return self._comparison(operator, left, right)
            case Logic(_, left, right):
                self._flag(left)
                self._flag(right)
            case Not(operand):
                self._flag(operand)
            case IsNull(operand):
                self.type_of(operand)
            case OneOf(operand, options):
                self._options(operand, options)
            case Case(branches, otherwise):
                return self._case(branches, otherwise)
            case Call(function, arguments):
                return self._call(function, arguments)
        return FLAG

    def _mistake(self, what: str, right: str, example: str) -> PolicyMistake:
        return self.place.mistake(what, right=right, example=example)

    def _named(self, name: str) -> Type:
        if name not in self.names:
            near = _nearest(name, self.names)
            raise self._mistake(f"不认识的名称 {name}", "用已定义的参数、量、派生值或指标", near)
        return self.names[name]

    def _flag(self, expression: Expression) -> None:
        if (found := self.type_of(expression)).unit is not Unit.FLAG:
            raise self._mistake(f"and、or、not、when 要真假值，这里是 {found}", "写成比较", "uninsured_members > 0")

    def _numeric(self, expression: Expression) -> Type:
        found = self.type_of(expression)
        if not found.unit.is_numeric:
            raise self._mistake(f"{found} 不能计算", "只有数量和金额可以计算", "cost - relief")
        return found

    def _alike(self, left: Expression, right: Expression, doing: str) -> Type:
        found, other = self._numeric(left), self._numeric(right)
        if not _joins(found, other, left, right):
            example = "net_income < monitoring_line * persons"
            raise self._mistake(f"单位不同不能{doing}：{found} 与 {other}", "两边单位一致；人均数先乘人数", example)
        return other if found.unit is Unit.NUMBER else found

    def _product(self, left: Expression, right: Expression) -> Type:
        product = _multiplied(left, self._numeric(left), right, self._numeric(right))
        if product is None:
            what = f"{self.type_of(left)} 与 {self.type_of(right)} 不能相乘"
            raise self._mistake(what, "金额乘数量或比例，人均数乘人数", "monitoring_line * persons")
        return product

    def _comparison(self, operator: str, left: Expression, right: Expression) -> Type:
        found, other = self.type_of(left), self.type_of(right)
        if found.unit is Unit.TEXT and other.unit is Unit.TEXT:
            return self._texts(operator, found, other)
        self._alike(left, right, "比较")
        return FLAG

    def _texts(self, operator: str, found: Type, other: Type) -> Type:
        if operator not in ("=", "<>"):
            raise self._mistake(f"文字不能用 {operator} 比较", "用 = 或 <>", "base_group = 'general'")
        if found.choices and other.choices and not found.choices & other.choices:
            known = found.choices if len(found.choices) > 1 else other.choices
            what = f"取值 {'、'.join(sorted(other.choices))} 不可能出现"
            raise self._mistake(what, f"可能的取值：{'、'.join(sorted(known))}", "grade = 'C'")
        return FLAG

    def _options(self, operand: Expression, options: tuple[int | str, ...]) -> None:
        for option in options:
            self._comparison("=", operand, Literal(option))

    def _case(self, branches: tuple[tuple[Expression, Expression], ...], otherwise: Expression | None) -> Type:
        values = [value for _, value in branches]
        if otherwise is not None:
            values.append(otherwise)
        for condition, _ in branches:
            self._flag(condition)
        return self._common(values)

    def _common(self, values: list[Expression]) -> Type:
        result, first = self.type_of(values[0]), values[0]
        for value in values[1:]:
            found = self.type_of(value)
            if not _joins(result, found, first, value):
                what = f"各分支单位不同：{result} 与 {found}"
                raise self._mistake(what, "各分支单位一致", "case when a then x else 0 end")
            if result.unit is Unit.NUMBER:
                result, first = found, value
            elif result.unit is Unit.TEXT:
                result = replace(result, choices=result.choices | found.choices)
        return result

    def _call(self, function: str, arguments: tuple[Expression, ...]) -> Type:
        if function == "has":
            return self._has(arguments)
        if len(arguments) < 2 or (function == "at_least" and len(arguments) != 2):
            right = "at_least(x, 0) 或 max_known(a, b)"
            raise self._mistake(f"{function} 的参数个数不对", right, "at_least(cost - relief, 0)")
        for each in arguments:
            self._numeric(each)
        return self._common(list(arguments))

    def _has(self, arguments: tuple[Expression, ...]) -> Type:
        match arguments:
            case (holder, Literal(int())) if self.type_of(holder).unit is Unit.LIST:
                return FLAG
            case (holder, Literal(str(wanted))) if (found := self.type_of(holder)).unit is Unit.TEXTS:
                return self._texts("=", found, _literal(wanted))
        raise self._mistake("has 要一个列表和其中一项", "has(列表, 整数或文字)", "has(types, 5)")


def _literal(value: int | str | bool) -> Type:
    if isinstance(value, bool):
        return FLAG
    return NUMBER if isinstance(value, int) else Type(Unit.TEXT, frozenset((value,)))


def _joins(left: Type, right: Type, left_expression: Expression, right_expression: Expression) -> bool:
    """Whether two values may be added, compared or stand in for each other."""
    if left.in_basis != right.in_basis:
        return False
    if left.unit is right.unit:
        return True
    if Unit.NUMBER not in (left.unit, right.unit):
        return False
    bare, other = (left_expression, right) if left.unit is Unit.NUMBER else (right_expression, left)
    return other.unit.is_countable or (other.unit.is_money and bare == Literal(0))


def _multiplied(left: Expression, found: Type, right: Expression, other: Type) -> Type | None:
    if other.unit.is_money and not found.unit.is_money:
        left, found, right, other = right, other, left, found
    if found.in_basis or other.in_basis or other.unit.is_money:
        return None
    if found.unit.is_money:
        return _money_times(found, right, other)
    if Unit.SHARE in (found.unit, other.unit):
        return None
    if (left == Literal(100) and other.unit is Unit.PERCENT) or (
        right == Literal(100) and found.unit is Unit.PERCENT
    ):
        return Type(Unit.SHARE)
    return other if found.unit is Unit.NUMBER else found


def _money_times(money: Type, factor: Expression, kind: Type) -> Type:
    if kind.unit is Unit.SHARE or factor == Literal(BASIS):
        return replace(money, in_basis=True)
    if money.unit is Unit.CNY_PER_PERSON_YEAR and kind.unit is Unit.PERSONS:
        return Type(Unit.CNY)
    return money


def _nearest(name: str, known: Mapping[str, Type]) -> str:
    return next(iter(get_close_matches(name, known, 1, 0.4)), next(iter(known), "monitoring_line"))
