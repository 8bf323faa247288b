"""Reads indicators.yaml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.monitoring.domain.expression import Case, Expression, Name, replaced
from services.monitoring.domain.expression_type import Type, TypeChecker
from services.monitoring.domain.indicator import Indicator, Sentences, SeverityRule, Threshold
from services.monitoring.domain.language import Place, parse
from shared.policies.document import Fields, Node
from shared.policies.parameter import Parameter
from shared.policies.unit import Unit
from shared.vocabulary.terms import Cause, Severity

REQUIRED = ("label_zh", "department", "basis", "sentence")
JUDGED = ("when", "measured", "per_person", "threshold")
OPTIONAL = (*JUDGED, "rules", "cause", "severity", "weight", "clear_needs", "fired_needs")
BLANK = re.compile(r"\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class IndicatorReader:
    """Knows every name of the package; inside `when`, `measured` and `threshold` stand for the indicator's own."""

    types: Mapping[str, Type]
    parameters: Mapping[str, Parameter]
    data_sets: tuple[str, ...]

    def read(self, name: str, node: Node) -> Indicator:
        fields = node.fields(REQUIRED, OPTIONAL)
        if fields.get("severity") is None and fields.get("weight") is None:
            raise node.mistake(f"{name} 没有分值", right="severity 和 weight 至少写一个", example="severity: yellow")
        _check_judged(node, fields)
        rules = fields.get("rules")
        measured = self._measured(fields) if rules is None else "rule_measured"
        thresholds = self._thresholds(fields.get("threshold"))
        cause = fields.get("cause")
        weight = fields.get("weight")
        return Indicator(
            name=name,
            label_zh=fields["label_zh"].text(),
            department=fields["department"].text(),
            basis=fields["basis"].text(),
            when=Name("rule_fired") if rules else self._when(fields["when"], measured, thresholds),
            cause=None if cause is None else Cause(cause.one_of(Cause)),
            severities=self._severities(fields.get("severity")),
            weight=None if weight is None else parameter_named(weight, self.parameters, Unit.POINTS),
            measured=measured,
            measured_type=None if measured is None else self.types[measured],
            per_person=fields.flag("per_person", default=False),
            thresholds=thresholds,
            clear_needs=self._needs(fields.get("clear_needs")),
            fired_needs=self._needs(fields.get("fired_needs")),
            sentences=_sentences(fields["sentence"], measured, bool(thresholds) or rules is not None),
            rules=None if rules is None else parameter_named(rules, self.parameters, Unit.MEDICAL_RULES),
        )

    def _measured(self, fields: Fields) -> str | None:
        if (node := fields.get("measured")) is None:
            return None
        expression = parse(node.text(), Place(node.file, node.line))
        if not isinstance(expression, Name):
            raise node.mistake("measured 应是一个名称", right="先在 derived 里定义", example="measured: net_income")
        TypeChecker(self.types, Place(node.file, node.line)).type_of(expression)
        return expression.name

    def _thresholds(self, node: Node | None) -> tuple[Threshold, ...]:
        if node is None:
            return ()
        if isinstance(node.content, str):
            return (Threshold(parameter_named(node, self.parameters), None),)
        return tuple(self._threshold(each) for each in node.elements())

    def _threshold(self, node: Node) -> Threshold:
        fields = node.fields(("parameter",), ("when",))
        return Threshold(parameter_named(fields["parameter"], self.parameters), self._optional(fields))

    def _severities(self, node: Node | None) -> tuple[SeverityRule, ...]:
        if node is None:
            return ()
        if isinstance(node.content, str):
            return (SeverityRule(Severity(node.one_of(Severity)), None),)
        return tuple(self._severity(each) for each in node.elements())

    def _severity(self, node: Node) -> SeverityRule:
        fields = node.fields(("level",), ("when",))
        return SeverityRule(Severity(fields["level"].one_of(Severity)), self._optional(fields))

    def _optional(self, fields: Fields) -> Expression | None:
        return None if (node := fields.get("when")) is None else read_condition(node, self.types)

    def _when(self, node: Node, measured: str | None, thresholds: tuple[Threshold, ...]) -> Expression:
        """The condition, with `measured` and `threshold` replaced by what they stand for."""
        types = dict(self.types)
        own: dict[str, Expression] = {}
        if measured is not None:
            types["measured"], own["measured"] = self.types[measured], Name(measured)
        if thresholds:
            types["threshold"] = self.types[thresholds[0].parameter]
            own["threshold"] = _chosen(thresholds)
        return replaced(read_condition(node, types), own)

    def _needs(self, node: Node | None) -> frozenset[str]:
        return frozenset(() if node is None else (each.one_of(self.data_sets) for each in node.elements()))


def read_condition(node: Node, types: Mapping[str, Type]) -> Expression:
    """An expression that is true, false or unknown."""
    place = Place(node.file, node.line)
    expression = parse(node.text(), place)
    TypeChecker(types, place).check(expression, Unit.FLAG)
    return expression


def parameter_named(node: Node, parameters: Mapping[str, Parameter], *units: Unit) -> str:
    """The name of a parameter, in one of the given units if any is wanted."""
    name = node.text()
    if name not in parameters:
        raise node.mistake(f"不认识的参数 {name}", right="先在 parameters.yaml 定义", example="monitoring_line")
    if units and parameters[name].unit not in units:
        what = f"参数 {name} 的单位是 {parameters[name].unit.value}"
        raise node.mistake(
            what, right=f"要单位为 {' 或 '.join(unit.value for unit in units)} 的参数", example="score_red"
        )
    return name


def _chosen(thresholds: tuple[Threshold, ...]) -> Expression:
    otherwise = next((Name(each.parameter) for each in thresholds if each.when is None), None)
    branches = tuple((each.when, Name(each.parameter)) for each in thresholds if each.when is not None)
    return Case(branches, otherwise) if branches else Name(thresholds[0].parameter)


def _check_judged(node: Node, fields: Fields) -> None:
    """Either a condition, or the rules of a parameter, which say all of it."""
    if fields.get("rules") is None:
        node.fields((*REQUIRED, "when"), OPTIONAL)
        return
    for name in JUDGED:
        if (extra := fields.get(name)) is not None:
            right = "按规则判断的指标只写 rules"
            raise extra.mistake(f"rules 之外又写了 {name}", right=right, example="rules: medical_rules")


def _sentences(node: Node, measured: str | None, has_threshold: bool) -> Sentences:
    fields = node.fields(("fired", "clear", "unknown"), ("without",))
    allowed = {"measured"} if measured else set()
    allowed |= {"threshold", "margin"} if has_threshold else set()
    for name in ("fired", "clear", "unknown"):
        for blank in BLANK.findall(fields[name].text()):
            if blank not in (allowed if name != "unknown" else allowed & {"threshold"}):
                right = f"可用：{'、'.join(sorted(allowed)) or '无'}"
                what = f"句子里的 {{{blank}}} 没有来源"
                raise fields[name].mistake(what, right=right, example="自付{measured}元")
    without = fields.get("without")
    return Sentences(
        fields["fired"].text(),
        fields["clear"].text(),
        fields["unknown"].text(),
        None if without is None else without.text(),
    )
