"""A policy parameter (政策参数): one number of the regulation, by date and place, with who decided it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from shared.errors import FieldError, Unprocessable
from shared.policies.document import Fields, Node
from shared.policies.medical_rule import MedicalRule, read_rule
from shared.policies.unit import Unit, Value

NATION = "national"

REQUIRED = ("label_zh", "unit", "values")
OPTIONAL = ("bounds", "choices")


class ParameterUnknown(Unprocessable):
    """No value was decided for a parameter at a place and date; it is never taken as zero."""

    code: ClassVar[str] = "parameter_unknown"
    title: ClassVar[str] = "政策参数没有取值"

    def __init__(self, name: str, label_zh: str, division: str, on: date) -> None:
        detail = f"参数 {name}（{label_zh}）在 {division} 于 {on} 没有取值"
        right = "由县、市、省或国家规定一个在该日或之前生效的值"
        super().__init__(detail, errors=[FieldError(name, self.code, detail, right, f"from: {on}")])
        self.name, self.division, self.on = name, division, on


class ParameterRefused(Unprocessable):
    """A value offered for a parameter breaks its unit, bounds or choices."""

    code: ClassVar[str] = "parameter_refused"
    title: ClassVar[str] = "政策参数取值不符合要求"


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A value from a date on; `verified` says that its source was read and confirmed."""

    since: date
    value: Value
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """The value in force at one place and date, and who decided it (a division code, `national`, `request`)."""

    name: str
    label_zh: str
    unit: Unit
    value: Value
    since: date
    decided_by: str
    source: str
    verified: bool

    def written(self) -> Any:
        """The value as JSON data: money and numbers as text, a flag as itself, a list as a list."""
        if isinstance(self.value, tuple):
            return [each.as_data() if isinstance(each, MedicalRule) else each for each in self.value]
        return self.value if isinstance(self.value, bool) else self.unit.write(self.value)

    def as_data(self) -> dict[str, Any]:
        return {
            "value": self.written(),
            "unit": self.unit.value,
            "since": self.since.isoformat(),
            "decided_by": self.decided_by,
            "source": self.source,
            "verified": self.verified,
        }


@dataclass(frozen=True, slots=True)
class Parameter:
    """Values by place and date, ascending; `bounds` are inclusive, in the units kept inside."""

    name: str
    label_zh: str
    unit: Unit
    bounds: tuple[int, int] | None
    choices: tuple[str, ...]
    values: Mapping[str, tuple[DatedValue, ...]]

    def value_at(self, division: str, on: date) -> ParameterValue:
        """The last value on or before `on`, asked of the county, the prefecture, the province, the nation."""
        for place in places_asked(division):
            standing = [each for each in self.values.get(place, ()) if each.since <= on]
            if standing:
                return self._answer(standing[-1], place)
        raise ParameterUnknown(self.name, self.label_zh, division, on)

    def dates(self, division: str) -> Iterator[date]:
        """The days on which the value may change for a division."""
        for place in places_asked(division):
            yield from (each.since for each in self.values.get(place, ()))

    def requested(self, given: object, on: date) -> ParameterValue:
        """A value given with a request (JSON data), checked like one of the package."""
        try:
            value = self.read(given)
        except ValueError as error:
            raise ParameterRefused(f"参数 {self.name}：{error}") from error
        return self._answer(DatedValue(on, value, "request", True), "request")

    def read(self, given: object) -> Value:
        """The value written as `given`, text or JSON data; a ValueError says what is right."""
        if self.unit is Unit.MEDICAL_RULES:
            return tuple(read_rule(each) for each in _listed(given))
        if self.unit is Unit.TEXTS:
            return self._texts(_listed(given))
        value = self.unit.read(_text(given, self.unit))
        if self.choices and value not in self.choices:
            raise ValueError(f"只可取 {'、'.join(self.choices)}")
        if self.bounds and not self.bounds[0] <= int(value) <= self.bounds[1]:
            low, high = (self.unit.write(each) for each in self.bounds)
            raise ValueError(f"应在 {low} 与 {high} 之间")
        return value

    def read_node(self, node: Node) -> Value:
        """The value at one place of a document; of a list, the element that is wrong is named."""
        for each in node.elements() if self.unit.is_listed else ():
            self._checked(each, [each.data()])
        return self._checked(node, node.data())

    def _checked(self, node: Node, given: object) -> Value:
        try:
            return self.read(given)
        except ValueError as error:
            what = f"{self.name} 的取值 {_shortened(node.data())} 不符合要求"
            raise node.mistake(what, right=str(error), example=self.unit.example) from error

    def _texts(self, given: list[object]) -> tuple[str, ...]:
        """In the order of the choices, whatever the order written."""
        if any(each not in self.choices for each in given) or len(given) != len(set(map(str, given))):
            raise ValueError(f"只可取 {'、'.join(self.choices)}，不重复")
        return tuple(each for each in self.choices if each in given)

    def _answer(self, dated: DatedValue, place: str) -> ParameterValue:
        return ParameterValue(
            self.name, self.label_zh, self.unit, dated.value, dated.since, place, dated.source, dated.verified
        )


def places_asked(division: str) -> tuple[str, ...]:
    """Whose values hold for a division, nearest first: county, prefecture, province, nation."""
    return division[:6], f"{division[:4]}00", f"{division[:2]}0000", NATION


def read_parameter(name: str, node: Node) -> Parameter:
    """Read one entry of parameters.yaml; its values are the nation's."""
    fields = node.fields(REQUIRED, OPTIONAL)
    unit = Unit(fields["unit"].one_of(each.value for each in Unit))
    bare = Parameter(name, fields["label_zh"].text(), unit, None, fields.texts("choices"), {})
    bounded = replace(bare, bounds=_bounds(bare, fields))
    return replace(bounded, values={NATION: read_values(bounded, fields["values"])})


def overlaid(parameter: Parameter, place: str, node: Node) -> Parameter:
    """The parameter with the values a region file decides; everything else about it stays the nation's."""
    values = read_values(parameter, node.fields(("values",))["values"])
    return replace(parameter, values={**parameter.values, place: values})


def read_values(parameter: Parameter, node: Node) -> tuple[DatedValue, ...]:
    values = tuple(_dated(parameter, each) for each in node.elements())
    dates = [each.since for each in values]
    if dates != sorted(set(dates)):
        raise node.mistake(
            f"{parameter.name} 的生效日期没有依次递增", right="日期由早到晚，每天一个值", example="from: 2025-01-01"
        )
    return values


def _dated(parameter: Parameter, node: Node) -> DatedValue:
    fields = node.fields(("from", "value", "source", "verified"))
    value = parameter.read_node(fields["value"])
    return DatedValue(fields["from"].day(), value, fields["source"].text(), fields["verified"].flag())


def _listed(given: object) -> list[object]:
    if not isinstance(given, list):
        raise ValueError("应是列表")
    return given


def _text(given: object, unit: Unit) -> str:
    """JSON's true, false and numbers as text; money stays text, for a number there may have been rounded."""
    if isinstance(given, bool):
        given = "true" if given else "false"
    elif isinstance(given, float) and given.is_integer() and unit.is_countable:
        given = str(int(given))
    elif (isinstance(given, int) and not unit.is_money) or (isinstance(given, float) and not unit.is_money):
        given = str(given)
    if not isinstance(given, str) or not given.strip():
        raise ValueError(f"应是一段文字，写作 {unit.example}" if unit.is_numeric else "应是 true、false 或一段文字")
    return given.strip()


def _shortened(data: object) -> str:
    text = str(data)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _bounds(parameter: Parameter, fields: Fields) -> tuple[int, int] | None:
    if (node := fields.get("bounds")) is None:
        return None
    try:
        low, high = (int(parameter.unit.read(each.text())) for each in node.elements())
    except ValueError as error:
        raise node.mistake(
            f"{parameter.name} 的 bounds 不对", right="[最小值, 最大值]", example='["1000.00", "100000.00"]'
        ) from error
    return low, high
