"""All parameters of a package as they stand at one place on one day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from shared.policies.parameter import Parameter, ParameterRefused, ParameterValue
from shared.policies.unit import Value


@dataclass(frozen=True, slots=True)
class ParameterSet(Mapping[str, ParameterValue]):
    """Every parameter with the value in force, each knowing who decided it; looked up by name."""

    division: str
    on: date
    entries: Mapping[str, ParameterValue]
    definitions: Mapping[str, Parameter]

    def __getitem__(self, name: str) -> ParameterValue:
        return self.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def value(self, name: str) -> Value:
        return self.entries[name].value

    def number(self, name: str) -> int:
        return int(self.entries[name].value)

    def override(self, changes: Mapping[str, str]) -> "ParameterSet":
        """The same set with values given by a request; an unknown name or a bad value is refused."""
        entries = dict(self.entries)
        for name, text in changes.items():
            if name not in self.definitions:
                raise ParameterRefused(f"没有名为 {name} 的参数")
            entries[name] = self.definitions[name].requested(text, self.on)
        return ParameterSet(self.division, self.on, entries, self.definitions)


def parameters_at(definitions: Mapping[str, Parameter], division: str, on: date) -> ParameterSet:
    """Look every parameter up; one without a value at that place and date is an error that names it."""
    entries = {name: each.value_at(division, on) for name, each in definitions.items()}
    return ParameterSet(division, on, entries, definitions)
