"""Reads notes (flags.yaml, quality.yaml, civil_affairs.yaml, removal.yaml) and exclusions.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.monitoring.domain.exclusion import Exclusion, ExclusionTerms
from services.monitoring.domain.expression_type import Type
from services.monitoring.domain.indicator_reader import parameter_named, read_condition
from services.monitoring.domain.note import Note
from shared.policies.document import Fields, Node
from shared.policies.parameter import Parameter
from shared.policies.unit import Unit

EFFECTS = ("needs_reason", "blocks")


@dataclass(frozen=True, slots=True)
class NoteReader:
    """Knows every name of the package."""

    types: Mapping[str, Type]
    parameters: Mapping[str, Parameter]
    data_sets: tuple[str, ...]

    def note(self, name: str, node: Node) -> Note:
        """One note; its numbers are names of counted or derived values, or of parameters."""
        fields = node.fields(("label_zh", "when"), ("numbers",))
        numbers = fields.get("numbers")
        return Note(
            name=name,
            label_zh=fields["label_zh"].text(),
            when=read_condition(fields["when"], self.types),
            numbers={} if numbers is None else {key: self._number(each) for key, each in numbers.entries()},
        )

    def exclusion(self, name: str, node: Node) -> Exclusion:
        """One exclusion; without `counts_when` no kind of hit is exempt."""
        fields = node.fields(("label_zh", "when", "sentence"), ("counts_when", "clear_needs"))
        sentence = fields["sentence"].fields(("fired",), ("exempt",))
        needs = fields.get("clear_needs")
        return Exclusion(
            name=name,
            label_zh=fields["label_zh"].text(),
            when=read_condition(fields["when"], self.types),
            counts_when=read_condition(fields.get("counts_when") or fields["when"], self.types),
            fired=sentence["fired"].text(),
            exempt=sentence.text("exempt", sentence["fired"].text()),
            clear_needs=frozenset(
                () if needs is None else (each.one_of(self.data_sets) for each in needs.elements())
            ),
        )

    def terms(self, node: Node) -> ExclusionTerms:
        """What the header says of all exclusions."""
        fields = node.fields(("effect", "exempt_on_sudden", "sudden", "note"))
        return ExclusionTerms(
            effect=self._effect(fields),
            exempt_on_sudden=parameter_named(fields["exempt_on_sudden"], self.parameters, Unit.FLAG),
            sudden=self._flag(fields["sudden"]),
            note=fields["note"].text(),
        )

    def _effect(self, fields: Fields) -> str:
        node = fields["effect"]
        name = parameter_named(node, self.parameters, Unit.TEXT)
        if set(self.parameters[name].choices) != set(EFFECTS):
            right = f"choices 恰为 {'、'.join(EFFECTS)}"
            raise node.mistake(f"参数 {name} 的取值不合用", right=right, example="exclusion_effect")
        return name

    def _flag(self, node: Node) -> str:
        name = node.text()
        if name not in self.types or self.types[name].unit is not Unit.FLAG:
            raise node.mistake(f"{name} 不是已定义的真假值", right="写一个真假派生值的名称", example="sudden")
        return name

    def _number(self, node: Node) -> str:
        name = node.text()
        if name not in self.types or not self.types[name].unit.is_numeric:
            raise node.mistake(f"{name} 不是已定义的数", right="写一个量、派生值或参数的名称", example="net_income")
        return name
