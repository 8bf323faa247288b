"""The binds of a compiled statement: each name gets its place among them when it is first written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.monitoring.domain.policy_package import PolicyPackage
from shared.policies.unit import Unit

EDGES: Mapping[str, str] = {
    "county": "text",
    "on": "date",
    "known_at": "timestamptz",
    "households": "bigint[]",
    "first": "bigint",
    "last": "bigint",
    "account_first": "date",
    "account_last": "date",
    "outlay_last": "date",
    "totals_from": "date",
    "year_first": "date",
    "earliest": "date",
    "on_number": "bigint",
    "term_number": "bigint",
    "stale_clear": "bigint[]",
    "stale_fired": "bigint[]",
    "stale_exclusions": "bigint[]",
    "rule_over": "bigint[]",
    "rule_order": "bigint[]",
    "rule_basis": "bigint[]",
    "rule_shown": "bigint[]",
    "rule_first_order": "bigint[]",
    "rule_first_shown": "bigint[]",
    "rule_unsure": "bigint[]",
}
"""What is bound besides parameters; a day as a number is yyyymmdd."""

OF_UNIT = {Unit.FLAG: "boolean", Unit.TEXT: "text", Unit.TEXTS: "text[]"}


@dataclass(frozen=True, slots=True)
class Statement:
    """A text and the names of what is bound to $first, $first+1, …; a parameter's name is preceded by a colon."""

    sql: str
    names: tuple[str, ...]

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """The values in the order of the binds."""
        return [values[name] for name in self.names]

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(name.removeprefix(":") for name in self.names if name.startswith(":"))


class Binds:
    """Writes binds: called with the name of a parameter, or `edge` with a name of EDGES."""

    def __init__(self, package: PolicyPackage, first: int = 1) -> None:
        self.package, self.first = package, first
        self.names: list[str] = []

    def __call__(self, name: str) -> str:
        return self._place(f":{name}", OF_UNIT.get(self.package.parameters[name].unit, "bigint"))

    def edge(self, name: str) -> str:
        return self._place(name, EDGES[name])

    def other_side(self, changed: Collection[str]) -> "Binds":
        """The same binds, but that those which have another value on the other side go by a name of their own."""
        return _OtherSide(self, changed)

    def statement(self, sql: str) -> Statement:
        return Statement(sql, tuple(self.names))

    def _place(self, name: str, kind: str) -> str:
        if name not in self.names:
            self.names.append(name)
        return f"${self.first + self.names.index(name)}::{kind}"


OTHER_SIDE = "other."


class _OtherSide(Binds):
    def __init__(self, own: Binds, changed: Collection[str]) -> None:
        super().__init__(own.package, own.first)
        self.names, self._changed = own.names, changed

    def _place(self, name: str, kind: str) -> str:
        return super()._place(f"{OTHER_SIDE}{name}" if name in self._changed else name, kind)
