"""Reads measures.yaml and members.yaml."""

from collections.abc import Mapping

from services.monitoring.domain.expression import Expression
from services.monitoring.domain.expression_type import FLAG, Type, TypeChecker
from services.monitoring.domain.language import Place, parse
from services.monitoring.domain.measure import (
    FACT_ATTRIBUTES,
    FACT_COLUMNS,
    FACT_KINDS,
    Aggregate,
    Measure,
    MemberCount,
    Scope,
)
from services.monitoring.domain.window import Window
from shared.policies.document import Fields, Node
from shared.policies.unit import Unit

ON_A_FACT: Mapping[str, Type] = {**FACT_COLUMNS, **{name: type_ for name, (_, type_) in FACT_ATTRIBUTES.items()}}

REQUIRED = ("label_zh", "kinds", "window", "aggregate")
OPTIONAL = ("scope", "amount", "where", "value", "choices", "includes_deceased")
MAX_CHOICES = 60  # A state's choice travels in six bits beside its date.


def read_measure(name: str, node: Node) -> Measure:
    """One entry of measures.yaml."""
    fields = node.fields(REQUIRED, OPTIONAL)
    aggregate = Aggregate(fields["aggregate"].one_of(Aggregate))
    window = Window(fields["window"].one_of(Window))
    choices = fields.texts("choices")
    _check_shape(node, fields, aggregate, window, choices)
    return Measure(
        name=name,
        label_zh=fields["label_zh"].text(),
        type=_type(aggregate, choices),
        scope=Scope(fields["scope"].one_of(Scope)) if fields.get("scope") else Scope.HOUSEHOLD,
        kinds=tuple(_kind(each, window) for each in fields["kinds"].elements()),
        window=window,
        aggregate=aggregate,
        amount=_on_a_fact(fields.get("value") or fields.get("amount"), _amount_unit(aggregate)),
        where=_on_a_fact(fields.get("where"), Unit.FLAG),
        choices=choices,
        includes_deceased=fields.flag("includes_deceased", default=False),
    )


def read_member_count(name: str, node: Node, types: Mapping[str, Type]) -> MemberCount:
    """One entry of members.yaml; its condition reads measures of scope `member`
    only: what is counted from facts does not depend on parameters."""
    fields = node.fields(("label_zh", "when"))
    place = Place(fields["when"].file, fields["when"].line)
    expression = parse(fields["when"].text(), place)
    TypeChecker(types, place).check(expression, Unit.FLAG)
    return MemberCount(name, fields["label_zh"].text(), expression)


def _type(aggregate: Aggregate, choices: tuple[str, ...]) -> Type:
    match aggregate:
        case Aggregate.COUNT:
            return Type(Unit.FACTS)
        case Aggregate.EXISTS:
            return FLAG
        case Aggregate.LATEST:
            return Type(Unit.TEXT, frozenset(choices))
        case _:
            return Type(Unit.CNY)


def _amount_unit(aggregate: Aggregate) -> Unit:
    return Unit.TEXT if aggregate is Aggregate.LATEST else Unit.CNY


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
    if kind.startswith("state.") != (window is Window.STATE):
        what = f"{kind} 不能用于 window: {window}"
        raise node.mistake(what, right="state.* 用 state，其他用时间段", example="window: state")
    return kind


def _on_a_fact(node: Node | None, unit: Unit) -> Expression | None:
    if node is None:
        return None
    place = Place(node.file, node.line)
    expression = parse(node.text(), place)
    TypeChecker(ON_A_FACT, place).check(expression, unit)
    return expression
