"""Named columns, each written from others, laid in layers of sub-selects so that none is worked out twice.

`offset 0` keeps the planner from folding the layers: folded, every value is worked out again wherever it is read,
which costs five times the planning and most of the execution. A column that is read in one place only is written
there and needs no layer. A layer hands on only what is still read above it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from services.monitoring.domain.compiled_facts import quoted

Read = Callable[[str], str]
Definition = Callable[[Read], str]
Columns = Callable[[Read], Iterable[str]]


def laid(definitions: Mapping[str, Definition], columns: Columns, measured: str) -> str:
    """A select of the columns over the sub-select `measured`; what is not defined is read from there."""
    draft = _Sheet(definitions, frozenset())
    texts = draft.select(columns)
    once = Counter(draft.mentions([*texts, *draft.written.values()]))
    sheet = _Sheet(definitions, frozenset(name for name, times in once.items() if times == 1))
    listed = "".join(f",\n{text}" for text in sheet.select(columns))
    return f"select d.household_id{listed}\nfrom (\n{sheet.rows(measured)}\n) d\norder by d.household_id"


@dataclass(slots=True)
class _Sheet:
    """Writes the columns that are asked for; those `inside` where they are read."""

    definitions: Mapping[str, Definition]
    inside: frozenset[str]
    written: dict[str, str] = field(default_factory=dict)
    reads: dict[str, set[str]] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)

    def select(self, columns: Columns) -> list[str]:
        """The columns as the text above all layers has them."""
        return list(columns(partial(self._read, self.needed)))

    def mentions(self, texts: Iterable[str]) -> dict[str, int]:
        """How often each defined column is read, in so many words."""
        everything = "\n".join(texts)
        return {name: everything.count(f"d.{quoted(name)}") for name in self.written}

    def _read(self, below: set[str], name: str) -> str:
        if name in self.inside:
            return f"({self.definitions[name](partial(self._read, below))})"
        below.add(name)
        self._lay(name)
        return f"d.{quoted(name)}"

    def _lay(self, name: str) -> int:
        """Write a column and all it reads; the number of its layer (0: measured)."""
        if name not in self.levels:
            definition, below = self.definitions.get(name), set[str]()
            if definition is not None:
                self.written[name] = definition(partial(self._read, below))
            self.reads[name] = below
            self.levels[name] = 1 + max(map(self._lay, sorted(below)), default=0) if definition else 0
        return self.levels[name]

    def rows(self, measured: str) -> str:
        """The sub-select that has the needed columns."""
        rows, above = measured, self._read_above()
        for level in range(1, max(self.levels.values(), default=0) + 1):
            kept = sorted(name for name in above[level] if self.levels[name] < level)
            made = sorted(name for name in above[level] if self.levels[name] == level)
            columns = [f"d.{quoted(name)}" for name in kept]
            columns += [f"{self.written[name]} as {quoted(name)}" for name in made]
            listed = "".join(f",\n{column}" for column in columns)
            rows = f"select d.household_id{listed}\nfrom (\n{rows}\n) d offset 0"
        return rows

    def _read_above(self) -> dict[int, set[str]]:
        """For each layer the columns it must have: those read by a higher layer or needed in the end."""
        above, read = {}, set(self.needed)
        for level in range(max(self.levels.values(), default=0), 0, -1):
            above[level] = {name for name in read if self.levels[name] <= level}
            read |= {each for name in above[level] if self.levels[name] == level for each in self.reads[name]}
        return above
