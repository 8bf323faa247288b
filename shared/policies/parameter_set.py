"""All parameters of a package as they stand at one place on one day."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from shared.policies.medical_rule import MedicalRule
from shared.policies.parameter import Parameter, ParameterRefused, ParameterValue
from shared.policies.unit import Scalar


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

    def value(self, name: str) -> Scalar:
        """A single value; a list is had by `texts` or `rules`."""
        value = self.entries[name].value
        assert not isinstance(value, tuple), f"{name} is a list"
        return value

    def number(self, name: str) -> int:
        return int(self.value(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, in the order of its choices."""
        value = self.entries[name].value
        assert isinstance(value, tuple), f"{name} is no list"
        return tuple(each for each in value if isinstance(each, str))

    def rules(self, name: str) -> tuple[MedicalRule, ...]:
        """Rules on medical self-pay, in the order written."""
        value = self.entries[name].value
        assert isinstance(value, tuple), f"{name} is no list"
        return tuple(each for each in value if isinstance(each, MedicalRule))

    def override(self, changes: Mapping[str, object]) -> "ParameterSet":
        """The same set with values given by a request (JSON data); an unknown name or a bad value is refused."""
        entries = dict(self.entries)
        for name, given in changes.items():
            if name not in self.definitions:
                raise ParameterRefused(f"没有名为 {name} 的参数")
            entries[name] = self.definitions[name].requested(given, self.on)
        return ParameterSet(self.division, self.on, entries, self.definitions)


def parameters_at(definitions: Mapping[str, Parameter], division: str, on: date) -> ParameterSet:
    """Look every parameter up; one without a value at that place and date is an error that names it."""
    entries = {name: each.value_at(division, on) for name, each in definitions.items()}
    return ParameterSet(division, on, entries, definitions)
