"""Reads a raw package into a checked PolicyPackage; every mistake names its file and line."""

import dataclasses
import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from services.monitoring.domain.answer_parameters import AnswerParameters
from services.monitoring.domain.compiled_columns import measured_columns
from services.monitoring.domain.data_set import DataSet
from services.monitoring.domain.expression_type import FLAG, Type, TypeChecker
from services.monitoring.domain.indicator import (
    ACKNOWLEDGE_UNITS,
    VERIFY_UNITS,
    CauseRule,
    ClassRule,
    Deadline,
    Derived,
)
from services.monitoring.domain.indicator_reader import IndicatorReader, parameter_named, read_condition
from services.monitoring.domain.language import Place, parse
from services.monitoring.domain.measure import BUILT_IN, RULE_BUILT_IN
from services.monitoring.domain.measure_reader import read_measure, read_member_value
from services.monitoring.domain.member_value import MEMBER_BUILT_IN
from services.monitoring.domain.note import Note
from services.monitoring.domain.note_reader import NoteReader
from services.monitoring.domain.policy_package import (
    REQUIRED_DERIVED,
    REQUIRED_PARAMETERS,
    PolicyPackage,
    Scores,
)
from services.monitoring.domain.region_reader import read_regions
from services.monitoring.domain.stored_measures import MOST_MEASURES
from shared.policies.document import Fields, Node
from shared.policies.mistake import PolicyMistake
from shared.policies.package import RawPackage
from shared.policies.parameter import read_parameter
from shared.policies.unit import Unit
from shared.vocabulary.terms import Cause, Severity

HEADER = ("label_zh", "version", "applies_from", "data_sets", "score", "deadlines", "answers", "exclusions")
DERIVED = (("label_zh", "unit", "is"), ("choices", "in_basis"))
NAME = re.compile(r"[a-z][a-z0-9_]{0,47}", re.ASCII)
RESERVED = frozenset((*BUILT_IN, *MEMBER_BUILT_IN, *RULE_BUILT_IN))


def read_policy(raw: RawPackage) -> PolicyPackage:
    """The package a folder means, or the first PolicyMistake in it."""
    return _Reader(raw).read()


class _Reader:
    """Reads document by document; `types` grows with every name defined."""

    def __init__(self, raw: RawPackage) -> None:
        self.raw = raw
        self.types: dict[str, Type] = dict(BUILT_IN)
        self.places: dict[str, Node] = {}

    def read(self) -> PolicyPackage:
        header = self.raw.documents["package"].fields(HEADER)
        own = {name: read_parameter(name, node) for name, node in self._named("parameters")}
        regions = read_regions(self.raw, own)
        self.parameters = regions.parameters
        parameter_types = {name: Type(each.unit, frozenset(each.choices)) for name, each in own.items()}
        self._know(parameter_types)
        measures = {name: read_measure(name, node) for name, node in self._named("measures")}
        self._know({name: each.type for name, each in measures.items() if each.scope == "household"})
        of_members = {name: each.type for name, each in measures.items() if each.scope == "member"}
        of_members |= {**parameter_types, "facts_complete": FLAG}
        members = {name: read_member_value(name, node, of_members) for name, node in self._named("members")}
        self._know({name: each.type for name, each in members.items()})
        derived_nodes, indicator_nodes = self._named("derived"), self._named("indicators")
        self._know({name: _declared(node) for name, node in derived_nodes})
        self._know({name: FLAG for name, _ in indicator_nodes})
        rules = self._rules(indicator_nodes)
        data_sets = self._data_sets(header["data_sets"])
        indicators = IndicatorReader(self.types, self.parameters, tuple(data_sets))
        notes = NoteReader(self.types, self.parameters, tuple(data_sets))
        package = PolicyPackage(
            name=self.raw.name,
            version=f"{self.raw.name}-{header['version'].text()}+{self.raw.digest}",
            label_zh=header["label_zh"].text(),
            applies_from=header["applies_from"].day(),
            parameters=self.parameters,
            places=regions.places,
            data_sets=data_sets,
            measures=measures,
            member_values=members,
            derived={name: self._derived(name, node) for name, node in derived_nodes},
            indicators={name: indicators.read(name, node) for name, node in indicator_nodes},
            causes=tuple(self._cause(node) for node in self.raw.documents["causes"].elements()),
            classes=tuple(self._class(node) for node in self.raw.documents["classes"].elements()),
            flags=self._notes("flags", notes),
            scores=self._scores(header["score"]),
            deadlines=self._deadlines(header["deadlines"]),
            answers=self._answers(header["answers"]),
            types=self.types,
            exclusions=tuple(notes.exclusion(name, node) for name, node in self._named("exclusions")),
            exclusion_terms=notes.terms(header["exclusions"]),
            quality_flags=self._notes("quality", notes),
            civil_affairs=self._notes("civil_affairs", notes),
            removal_blockers=self._notes("removal", notes),
            medical_rules=rules,
            regimes=regions.regimes,
        )
        self._require(package)
        self._refuse_too_many(package)
        self._refuse_circles(package)
        return package

    def _refuse_too_many(self, package: PolicyPackage) -> None:
        """Stored measures have so many columns and no more."""
        number = len(measured_columns(package))
        if number > MOST_MEASURES:
            last = self.places[list(package.measures)[-1]]
            right = f"measures、members 和医疗规则的口径合计不超过 {MOST_MEASURES} 个"
            raise last.mistake(f"政策包要计量 {number} 个量，存不下", right=right, example="删去没有用到的 measures")

    def _data_sets(self, node: Node) -> dict[str, DataSet]:
        return {name: self._data_set(name, each) for name, each in node.entries()}

    def _data_set(self, name: str, node: Node) -> DataSet:
        fields = node.fields(("label_zh", "stale_after"), ("served_by", "keep_months"))
        days = parameter_named(fields["stale_after"], self.parameters, Unit.DAYS)
        kept = None if (months := fields.get("keep_months")) is None else _months(months)
        return DataSet(name, fields["label_zh"].text(), days, fields.texts("served_by"), kept)

    def _notes(self, document: str, reader: NoteReader) -> tuple[Note, ...]:
        return tuple(reader.note(name, node) for name, node in self._named(document))

    def _rules(self, indicators: list[tuple[str, Node]]) -> str | None:
        """The parameter of medical rules that an indicator is judged by; there can be one."""
        nodes = [rules for _, node in indicators if (rules := dict(node.entries()).get("rules")) is not None]
        if not nodes:
            return None
        if len(nodes) > 1:
            raise nodes[1].mistake(
                "已有一个指标按规则判断", right="一个政策包只有一个 rules 指标", example="删去其中一个"
            )
        self._know(RULE_BUILT_IN)
        return parameter_named(nodes[0], self.parameters, Unit.MEDICAL_RULES)

    def _named(self, document: str) -> list[tuple[str, Node]]:
        """The entries of a document, each name well formed and used once in the package."""
        entries = self.raw.documents[document].entries()
        for name, node in entries:
            if not NAME.fullmatch(name):
                right = "小写字母、数字、下划线，字母开头，不超过48字"
                raise node.mistake(f"名称 {name} 不合规", right=right, example="monitoring_line")
            _refuse_reserved(name, node)
            if name in self.places or name in RESERVED:
                raise node.mistake(f"名称 {name} 已经用过", right="整个政策包内名称唯一", example=f"{name}_2")
            self.places[name] = node
        return entries

    def _know(self, types: Mapping[str, Type]) -> None:
        self.types.update(types)

    def _derived(self, name: str, node: Node) -> Derived:
        fields = node.fields(*DERIVED)
        text, type_ = fields["is"], self.types[name]
        place = Place(text.file, text.line)
        expression = parse(text.text(), place)
        TypeChecker(self.types, place).check(expression, type_.unit, in_basis=type_.in_basis)
        return Derived(name, fields["label_zh"].text(), type_, expression)

    def _cause(self, node: Node) -> CauseRule:
        fields = node.fields(("cause", "when"))
        return CauseRule(Cause(fields["cause"].one_of(Cause)), read_condition(fields["when"], self.types))

    def _class(self, node: Node) -> ClassRule:
        fields = node.fields(("code", "label_zh", "when"), ("severity",))
        code = None if fields["code"].is_null else fields["code"].text()
        severity = fields.get("severity")
        return ClassRule(
            code,
            fields["label_zh"].text(),
            read_condition(fields["when"], self.types),
            None if severity is None else Severity(severity.one_of(Severity)),
        )

    def _scores(self, node: Node) -> Scores:
        fields = node.fields(("cap", *Severity))
        weights = {each: self._parameter(fields, each, Unit.POINTS) for each in Severity}
        return Scores(weights, self._parameter(fields, "cap", Unit.POINTS))

    def _deadlines(self, node: Node) -> dict[Severity, Deadline]:
        return {each: self._deadline(node.fields(Severity)[each]) for each in Severity}

    def _deadline(self, node: Node) -> Deadline:
        fields = node.fields(("acknowledge_hours", "verify_days"))
        return Deadline(
            self._parameter(fields, "acknowledge_hours", *ACKNOWLEDGE_UNITS),
            self._parameter(fields, "verify_days", *VERIFY_UNITS),
        )

    def _answers(self, node: Node) -> AnswerParameters:
        fields = node.fields(tuple(each.name for each in dataclasses.fields(AnswerParameters)))
        return AnswerParameters(
            self._severities(fields["second_officer_severities"]),
            self._parameter(fields, "recheck_percent", Unit.PERCENT),
            self._parameter(fields, "recheck_working_days", Unit.WORKING_DAYS),
            self._parameter(fields, "task_working_days", Unit.WORKING_DAYS),
        )

    def _severities(self, node: Node) -> str:
        """A parameter that lists severities."""
        name = parameter_named(node, self.parameters, Unit.TEXTS)
        if not set(self.parameters[name].choices) <= set(Severity):
            right = f"choices 只可有 {'、'.join(Severity)}"
            raise node.mistake(f"参数 {name} 的取值不合用", right=right, example="second_officer_severities")
        return name

    def _parameter(self, fields: Fields, field: str, *units: Unit) -> str:
        return parameter_named(fields[field], self.parameters, *units)

    def _require(self, package: PolicyPackage) -> None:
        for document, wanted, known in (
            ("parameters", REQUIRED_PARAMETERS, package.parameters),
            ("derived", REQUIRED_DERIVED, package.derived),
        ):
            for name in wanted:
                if name not in known:
                    raise self.raw.documents[document].mistake(
                        f"缺少 {name}", right=f"须有 {'、'.join(wanted)}", example=f"{name}: …"
                    )

    def _refuse_circles(self, package: PolicyPackage) -> None:
        """A value may not depend on itself, by however many steps."""
        nodes = {**package.derived, **package.indicators}
        graph = {name: package.depends_on(name) & nodes.keys() for name in nodes}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = error.args[1]
            raise self.places[circle[0]].mistake(
                f"{' → '.join(circle)} 互相引用", right="派生值不能依赖自己", example="net_income: wages - cost"
            ) from error


def _refuse_reserved(name: str, node: Node) -> None:
    """A word that SQL reserves could never be read again in an expression."""
    try:
        parse(name, Place(node.file, node.line))
    except PolicyMistake:
        raise node.mistake(f"名称 {name} 是保留词", right="换一个名称", example=f"{name}_value") from None


def _declared(node: Node) -> Type:
    fields = node.fields(*DERIVED)
    unit = Unit(fields["unit"].one_of(each.value for each in Unit if not each.is_listed))
    return Type(unit, frozenset(fields.texts("choices")), fields.flag("in_basis", default=False))


def _months(node: Node) -> int:
    text = node.text()
    if not re.fullmatch(r"1[2-9]|[2-9][0-9]|[1-9][0-9]{2}", text):
        raise node.mistake(f"{text} 不是保存月数", right="12 至 999 的整数，单位是月", example="keep_months: 36")
    return int(text)
