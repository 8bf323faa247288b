"""Reads measures.yaml and members.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.monitoring.domain.expression import Expression
from services.monitoring.domain.expression_type import FLAG, Type, TypeChecker
from services.monitoring.domain.language import Place, parse
from services.monitoring.domain.measure import (
    FACT_ATTRIBUTES,
    FACT_COLUMNS,
    FACT_KINDS,
    Aggregate,
    Measure,
    Scope,
)
from services.monitoring.domain.member_value import MEMBER_BUILT_IN, MemberAggregate, MembersOf, MemberValue
from services.monitoring.domain.window import Window
from shared.policies.document import Fields, Node
from shared.policies.unit import Unit

ON_A_FACT: Mapping[str, Type] = {**FACT_COLUMNS, **{name: type_ for name, (_, type_) in FACT_ATTRIBUTES.items()}}

REQUIRED = ("label_zh", "kinds", "window", "aggregate")
OPTIONAL = ("scope", "amount", "where", "value", "choices", "includes_deceased")
STANDING = ("asset.", "event.measure")  # May be looked at either way: what happened, or what holds since.
MAX_CHOICES = 60  # A state's choice travels in six bits beside its date.


def read_measure(name: str, node: Node) -> Measure:
    """One entry of measures.yaml."""
    fields = node.fields(REQUIRED, OPTIONAL)
    aggregate = Aggregate(fields["aggregate"].one_of(Aggregate))
    window = Window(fields["window"].one_of(Window))
    choices = fields.texts("choices")
    _check_shape(node, fields, aggregate, window, choices)
    amount = _amount(aggregate, fields.get("value") or fields.get("amount"))
    return Measure(
        name=name,
        label_zh=fields["label_zh"].text(),
        type=_type(aggregate, choices, amount),
        scope=Scope(fields["scope"].one_of(Scope)) if fields.get("scope") else Scope.HOUSEHOLD,
        kinds=tuple(_kind(each, window) for each in fields["kinds"].elements()),
        window=window,
        aggregate=aggregate,
        amount=None if amount is None else amount[0],
        where=_where(fields.get("where")),
        choices=choices,
        includes_deceased=fields.flag("includes_deceased", default=False),
    )


def read_member_value(name: str, node: Node, types: Mapping[str, Type]) -> MemberValue:
    """One entry of members.yaml; its expressions read measures of scope `member`, parameters and MEMBER_BUILT_IN."""
    fields = node.fields(("label_zh",), ("aggregate", "of", "when", "value", "unit", "in_basis"))
    aggregate = MemberAggregate(_choice(fields, "aggregate", MemberAggregate, MemberAggregate.COUNT))
    _check_member_shape(node, fields, aggregate)
    checked = _OfMember({**types, **MEMBER_BUILT_IN})
    type_ = _member_type(fields, aggregate)
    return MemberValue(
        name=name,
        label_zh=fields["label_zh"].text(),
        type=type_,
        aggregate=aggregate,
        of=MembersOf(_choice(fields, "of", MembersOf, MembersOf.COUNTED)),
        when=checked.read(fields.get("when"), FLAG),
        value=checked.read(fields.get("value"), type_),
    )


@dataclass(frozen=True, slots=True)
class _OfMember:
    types: Mapping[str, Type]

    def read(self, node: Node | None, wanted: Type) -> Expression | None:
        if node is None:
            return None
        place = Place(node.file, node.line)
        expression = parse(node.text(), place)
        TypeChecker(self.types, place).check(expression, wanted.unit, in_basis=wanted.in_basis)
        return expression


def _member_type(fields: Fields, aggregate: MemberAggregate) -> Type:
    match aggregate:
        case MemberAggregate.COUNT:
            return Type(Unit.PERSONS)
        case MemberAggregate.ANY:
            return FLAG
    return Type(Unit(fields["unit"].one_of(each.value for each in Unit)), in_basis=fields.flag("in_basis", False))


def _check_member_shape(node: Node, fields: Fields, aggregate: MemberAggregate) -> None:
    adds = aggregate in (MemberAggregate.SUM, MemberAggregate.MAX)
    needed = ("value", "unit") if adds else ("when",)
    for name in needed:
        if fields.get(name) is None:
            what = f"{aggregate} 缺少 {name}"
            raise node.mistake(what, right=f"{aggregate} 须写 {'、'.join(needed)}", example=f"{name}: …")
    for name in () if adds else ("value", "unit", "in_basis"):
        if (extra := fields.get(name)) is not None:
            raise extra.mistake(f"{aggregate} 不用 {name}", right="value 只用于 sum、max", example="aggregate: sum")


def _choice(fields: Fields, name: str, allowed: type[StrEnum], default: StrEnum) -> str:
    return default if (node := fields.get(name)) is None else node.one_of(allowed)


Amount = tuple[Expression, Type]


def _type(aggregate: Aggregate, choices: tuple[str, ...], amount: Amount | None) -> Type:
    match aggregate:
        case Aggregate.COUNT:
            return Type(Unit.FACTS)
        case Aggregate.EXISTS:
            return FLAG
        case Aggregate.LATEST:
            return Type(Unit.TEXT, frozenset(choices))
        case _:
            return Type(Unit.CNY) if amount is None else amount[1]


def _amount(aggregate: Aggregate, node: Node | None) -> Amount | None:
    """What is added up or chosen from, with its unit; a state's value is text."""
    if node is None:
        return None
    place = Place(node.file, node.line)
    expression = parse(node.text(), place)
    checker = TypeChecker(ON_A_FACT, place)
    found = checker.type_of(expression).unit
    adds = aggregate in (Aggregate.SUM, Aggregate.MAX)
    wanted = (found if found.is_numeric else Unit.CNY) if adds else Unit.TEXT
    return expression, Type(checker.check(expression, wanted).unit)


def _check_shape(node: Node, fields: Fields, aggregate: Aggregate, window: Window, choices: tuple[str, ...]) -> None:
    if aggregate in (Aggregate.SUM, Aggregate.MAX) and fields.get("amount") is None:
        raise node.mistake(f"{aggregate} 缺少 amount", right="写明加总哪个金额", example="amount: compliant")
    if aggregate is not Aggregate.LATEST:
        return
    if fields.get("value") is None or not 0 < len(choices) <= MAX_CHOICES:
        raise node.mistake(
            "latest 缺少 value 或 choices", right="写明取哪一列，并由好到坏列出取值", example="choices: [A, B, C, D]"
        )
    if window is not Window.STATE:
        raise node.mistake("latest 只用于 window: state", right="状态以当日为准", example="window: state")


def _kind(node: Node, window: Window) -> str:
    kind = node.one_of(sorted(FACT_KINDS))
    is_state = kind.startswith("state.")
    if is_state != (window is Window.STATE) and not (kind.startswith(STANDING) and not is_state):
        what = f"{kind} 不能用于 window: {window}"
        raise node.mistake(what, right="state.* 用 state，其他用时间段", example="window: state")
    return kind


def _where(node: Node | None) -> Expression | None:
    if node is None:
        return None
    place = Place(node.file, node.line)
    expression = parse(node.text(), place)
    TypeChecker(ON_A_FACT, place).check(expression, Unit.FLAG)
    return expression
