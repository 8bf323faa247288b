"""Well-typed expressions of the policy language as text, drawn at random over given names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

MONEY, BASIS, FLAG, COUNT = "CNY", "basis", "flag", "count"
COMPARISONS = ("<", "<=", "=", "<>", ">=", ">")


@dataclass
class Names:
    """Names an expression may read, by what they are; texts with what they may be, lists with what they may hold."""

    money: list[str] = field(default_factory=list)
    per_head: list[str] = field(default_factory=list)
    basis: list[str] = field(default_factory=list)
    shares: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    counts: list[str] = field(default_factory=list)
    texts: dict[str, Sequence[str]] = field(default_factory=dict)
    lists: dict[str, Sequence[str]] = field(default_factory=dict)

    def joined(self, other: "Names") -> "Names":
        """The names of both."""
        return Names(
            self.money + other.money,
            self.per_head + other.per_head,
            self.basis + other.basis,
            self.shares + other.shares,
            self.flags + other.flags,
            self.counts + other.counts,
            {**self.texts, **other.texts},
            {**self.lists, **other.lists},
        )


@dataclass(frozen=True)
class ExpressionMaker:
    """Draws expressions over some names, no deeper than asked."""

    random: Random
    names: Names

    def money(self, depth: int) -> str:
        choice = self.random.choice
        plain = list(self.names.money)
        if self.names.per_head and "persons" in self.names.counts:
            plain.append(f"({choice(self.names.per_head)} * persons)")
        if depth <= 0 or self.random.random() < 0.25:
            return choice(plain)
        a, b = self.money(depth - 1), self.money(depth - 1)
        shapes = [
            f"({a} + {b})",
            f"({a} - {b})",
            f"at_least({a} - {b}, 0)",
            f"max_known({a}, {b})",
            f"({choice((2, 3, 12))} * {a})",
            f"(- {a})",
            f"case when {self.flag(depth - 1)} then {a} else {choice((b, '0'))} end",
            f"case when {self.flag(depth - 1)} then {a} end",
        ]
        return choice(shapes)

    def basis(self, depth: int) -> str:
        """Money in ten-thousandths."""
        choice = self.random.choice
        if depth <= 0 and self.names.basis:
            return choice(self.names.basis)
        shapes = [f"10000 * {self.money(depth - 1)}"]
        if self.names.shares:
            shapes.append(f"{choice(self.names.shares)} * {self.money(depth - 1)}")
        if depth > 0:
            shapes.append(f"({self.basis(depth - 1)} - {self.basis(depth - 1)})")
        return choice(shapes)

    def flag(self, depth: int) -> str:
        shapes = [self._compared, self._compared, self._texts, self._counts]
        if self.names.flags:
            shapes += [self._named, self._named]
        if self.names.lists:
            shapes.append(self._listed)
        if depth > 0:
            shapes += [self._joined, self._joined, self._chosen]
        return self.random.choice(shapes)(depth)

    def _named(self, depth: int) -> str:
        name = self.random.choice(self.names.flags)
        return self.random.choice((name, f"(not {name})", f"({name} is null)", f"({name} is null or {name})"))

    def _joined(self, depth: int) -> str:
        a, b = self.flag(depth - 1), self.flag(depth - 1)
        return self.random.choice((f"({a} and {b})", f"({a} or {b})", f"(not ({a}))", f"(({a}) is null)"))

    def _chosen(self, depth: int) -> str:
        a, b, c = self.flag(depth - 1), self.flag(depth - 1), self.flag(depth - 1)
        return self.random.choice((f"case when {a} then {b} else {c} end", f"case when {a} then {b} end"))

    def _compared(self, depth: int) -> str:
        sign = self.random.choice(COMPARISONS)
        if self.random.random() < 0.25:
            return f"({self.basis(depth - 1)} {sign} {self.basis(depth - 1)})"
        right = self.random.choice((self.money(depth - 1), "0"))
        return f"({self.money(depth - 1)} {sign} {right})"

    def _counts(self, depth: int) -> str:
        if not self.names.counts:
            return self._compared(depth)
        name, number = self.random.choice(self.names.counts), self.random.choice((0, 1, 2, 6, 16, 60))
        return f"({name} {self.random.choice(COMPARISONS)} {number})"

    def _texts(self, depth: int) -> str:
        if not self.names.texts:
            return self._compared(depth)
        choice = self.random.choice
        name = choice(list(self.names.texts))
        known = self.names.texts[name]
        some = ", ".join(f"'{each}'" for each in self.random.sample(known, self.random.randint(1, len(known))))
        value = choice(known)
        return choice(
            (f"({name} = '{value}')", f"({name} <> '{value}')", f"({name} in ({some}))", f"({name} is null)")
        )

    def _listed(self, depth: int) -> str:
        name = self.random.choice(list(self.names.lists))
        return f"has({name}, {self.random.choice(self.names.lists[name])})"


def listed(values: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Lists of texts as literals of the language."""
    return {name: [f"'{each}'" for each in some] for name, some in values.items()}
