"""Where two sets of values of one package part (口径之差): whom other values may judge otherwise.

A draft changes a few values. What it can change of an answer goes through a condition next to one of them: the flags
that read a changed value, directly or by way of amounts. Whoever has the same answer to each of these under both sets
is judged the same, so that nobody else needs judging twice.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from services.monitoring.domain.compiled_binds import Binds
from services.monitoring.domain.compiled_decision import definitions
from services.monitoring.domain.compiled_sheet import Definition, Read, laid
from services.monitoring.domain.policy_package import PolicyPackage
from shared.policies.unit import Unit

OTHER = "other side of "
ANSWER = ("class.", "severity.", "cause.", "fired.", "blocked")
"""What a comparison reads of an answer is made of these; notes, scores and amounts may differ unseen."""


def moved_sql(package: PolicyPackage, measured: str, binds: Binds, changed: Collection[str]) -> str:
    """household_id and whether it may have moved, of the rows of `measured`; `changed`: binds with other values."""
    graph = _Graph.of(package, changed)
    own, other = definitions(package, binds), definitions(package, binds.other_side(changed))
    sides = {f"{OTHER}{name}": partial(_on_the_other_side, other[name], graph.touched) for name in graph.touched}
    return laid({**own, **sides}, partial(_moved, sorted(graph.frontier())), measured)


def _on_the_other_side(definition: Definition, touched: Collection[str], read: Read) -> str:
    return definition(lambda name: read(f"{OTHER}{name}" if name in touched else name))


def _moved(frontier: Collection[str], read: Read) -> Iterator[str]:
    parts = (f"{read(name)} is distinct from {read(f'{OTHER}{name}')}" for name in frontier)
    yield f"({' or '.join(parts) or 'false'}) as moved"


@dataclass(frozen=True, slots=True)
class _Graph:
    """Who reads whom; `direct` read a changed value themselves, `touched` do so by way of others as well."""

    package: PolicyPackage
    reads: Mapping[str, frozenset[str]]
    direct: frozenset[str]
    touched: frozenset[str]

    @classmethod
    def of(cls, package: PolicyPackage, changed: Collection[str]) -> "_Graph":
        probe = Binds(package)
        reads, direct = {}, set()
        for name, definition in definitions(package, probe).items():
            probe.names.clear()
            read = set[str]()
            definition(partial(_noted, read))
            reads[name] = frozenset(read)
            if not set(changed).isdisjoint(probe.names):
                direct.add(name)
        return cls(package, reads, frozenset(direct), frozenset(_readers(reads, direct)))

    def frontier(self) -> set[str]:
        """The conditions next to a changed value, of those that the answer is made of."""
        wanted = self._behind([name for name in self.reads if name.startswith(ANSWER)])
        return {name for name in wanted & self.touched if self._is_condition(name) and self._borders(name)}

    def _borders(self, name: str) -> bool:
        if name in self.direct:
            return True
        amounts = (each for each in self.reads[name] if each in self.touched and not self._is_condition(each))
        return any(map(self._borders, amounts))

    def _is_condition(self, name: str) -> bool:
        """A flag, a word, a place among few; amounts are compared where a condition reads them."""
        if name in self.package.types:
            return self.package.types[name].unit in (Unit.FLAG, Unit.TEXT)
        return not name.startswith(("rule.", "rule_measured", "rule_threshold"))

    def _behind(self, names: Collection[str]) -> set[str]:
        found, waiting = set[str](), list(names)
        while waiting:
            name = waiting.pop()
            if name not in found and name in self.reads:
                found.add(name)
                waiting += self.reads[name]
        return found


def _noted(read: set[str], name: str) -> str:
    read.add(name)
    return "null"


def _readers(reads: Mapping[str, Collection[str]], names: Collection[str]) -> set[str]:
    """These names and all that read them, directly or by way of others."""
    found = set(names)
    while more := {name for name, read in reads.items() if name not in found and not found.isdisjoint(read)}:
        found |= more
    return found
